"""Reports of the cycle model: figures, FIFO fills, deadlocks, limits, traces, and what is said when a tool fails."""

from __future__ import annotations

import stat

import numpy as np
import pytest
from random_graphs import random_graph

from xnorflow.artifact.errors import ToolError
from xnorflow.cycles import run
from xnorflow.cycles.graph import INPUT, OUTPUT, Graph, chain
from xnorflow.cycles.machines import Add, Dwc, Fifo, Fork, Mvau
from xnorflow.cycles.run import predict_cycles


def block(shortcut: int, gather: int = 6) -> Graph:
    """Return a residual block whose branch gives nothing before it has ``gather`` beats."""
    machines = {
        "fork": Fork(),
        "take": Dwc(1, gather),
        "give": Dwc(gather, 1),
        "shortcut": Fifo(shortcut),
        "add": Add(),
    }
    branch = ((INPUT, "fork"), ("fork", "take"), ("take", "give"), ("give", "add"))
    return Graph(machines, (*branch, ("fork", "shortcut"), ("shortcut", "add"), ("add", OUTPUT)), gather)


def test_figures_of_a_matrix_unit():
    """As the head of xnorflow_mvau says: Sf * Nf cycles a frame, 5 + 1 from the last beat of a fold to its result."""
    report = predict_cycles(chain({"mvau": Mvau(12, 4, 4, 2)}, 3), 5)
    assert report.complete and report.deadlock is None and report.trace is None
    assert report.input_first.tolist() == [0, 6, 12, 18, 24]
    assert report.input_last.tolist() == [2, 8, 14, 20, 26]
    assert report.output_first.tolist() == [8, 14, 20, 26, 32]
    assert report.output_last.tolist() == [11, 17, 23, 29, 35]
    assert report.intervals.tolist() == [6] * 4
    assert (report.latency, report.cycles) == (11, 36)


def test_fill_is_the_most_beats_held():
    """Eight pieces come in cycles 1 to 8; the unit behind takes one in cycle 3 and is busy for eight."""
    graph = chain({"burst": Dwc(8, 1), "fifo": Fifo(100), "slow": Mvau(2, 8, 2, 1)}, 1)
    assert predict_cycles(graph, 1).fills == {"fifo": 7}
    assert predict_cycles(graph.with_machines({"fifo": Fifo(5)}), 1).fills == {"fifo": 5}


def test_deadlock_names_its_channels():
    report = predict_cycles(block(2), 3)
    assert not report.complete and (report.output_last == -1).all() and not len(report.intervals)
    assert report.deadlock is not None
    assert report.deadlock.blocked == ("input -> fork", "fork -> shortcut", "shortcut -> add")
    assert report.deadlock.starved == ("fork -> take", "take -> give", "give -> add", "add -> output")
    assert str(report.deadlock).startswith(f"nothing moves from cycle {report.deadlock.cycle} on; not taken: input -> ")
    with pytest.raises(ValueError, match="no frame came out"):
        _ = report.latency
    assert predict_cycles(block(6), 3).complete


def test_run_ends_at_the_limit():
    graph = chain({"fifo": Fifo(4)}, 10)
    report = predict_cycles(graph, 5, limit_cycles=25, trace=True)
    assert (report.cycles, report.complete, report.deadlock) == (25, False, None)
    assert report.input_first.tolist() == [0, 10, 20, -1, -1]
    assert report.output_last.tolist() == [11, 21, -1, -1, -1]
    assert report.trace is not None and report.trace.shape == (25, 2)


def test_trace_holds_every_handshake():
    """The output register of a FIFO of one beat: offered and taken in turn."""
    report = predict_cycles(chain({"fifo": Fifo(1)}, 1), 3, trace=True)
    assert report.trace is not None
    assert report.trace.T.tolist() == [[3, 1, 3, 1, 3, 0], [2, 3, 2, 3, 2, 3]]
    assert report.transfers("fifo -> output").tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match="no trace of channel 'x'"):
        report.transfers("x")
    with pytest.raises(ValueError, match="no trace of channel"):
        predict_cycles(chain({"fifo": Fifo(1)}, 1), 3).transfers("fifo -> output")


def test_stalls_are_seeded():
    graph = chain({"fifo": Fifo(4)}, 10)
    runs = [predict_cycles(graph, 4, stall_probability=0.5, seed=seed).output_last for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_frames_repeat_themselves_once_the_fifo_in_front_of_the_slowest_is_full():
    """Three beats a frame come, and a frame takes 6 cycles: the FIFO of 20 fills by three beats in three cycles."""
    graph = chain({"fifo": Fifo(20), "mvau": Mvau(12, 4, 4, 2)}, 3)
    report = predict_cycles(graph, 100, until_steady=True)
    assert report.steady is not None and (report.steady.frames, report.steady.cycles) == (1, 6)
    assert 5 <= report.steady.first <= 10 and not report.complete and report.cycles < 80
    shallow = predict_cycles(graph.with_machines({"fifo": Fifo(1)}), 100, until_steady=True)
    assert shallow.steady is not None and shallow.steady.first <= 1
    assert predict_cycles(graph, 100).steady is None and predict_cycles(graph, 3, until_steady=True).steady is None


@pytest.mark.parametrize("seed", range(20))
def test_what_repeats_itself_goes_on_for_ever(seed):
    graph = random_graph(np.random.default_rng(seed), 5)
    report, longer = predict_cycles(graph, 500, until_steady=True), predict_cycles(graph, 200)
    if longer.deadlock is not None:
        assert report.steady is None and report.deadlock == longer.deadlock
        return
    assert report.steady is not None
    first, frames = report.steady.first, report.steady.frames
    assert first + 2 * frames < 200
    intervals = longer.intervals[first:]
    assert intervals[:frames].sum() == report.steady.cycles
    assert (intervals[frames:] == intervals[:-frames]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frames": 0}, "frames 0, limit_cycles None, expected at least 1"),
        ({"limit_cycles": 0}, "frames 1, limit_cycles 0, expected at least 1"),
        ({"stall_probability": 1.0}, "stall_probability: (1.0, 1.0), expected numbers in [0, 1)"),
        (
            {"stall_probability": 0.1, "until_steady": True},
            "until_steady: stalls never repeat themselves, expected none",
        ),
        ({"stall_probability": (0.0, -0.1)}, "stall_probability: (0.0, -0.1), expected numbers in [0, 1)"),
    ],
)
def test_wrong_numbers_are_refused(settings, message):
    with pytest.raises(ValueError) as caught:
        predict_cycles(chain({"fifo": Fifo(1)}, 1), **{"frames": 1, **settings})
    assert str(caught.value) == message


def test_simulator_is_compiled_once(monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    calls = []
    whole = run._run
    monkeypatch.setattr(run, "_run", lambda command: calls.append(command.arguments) or whole(command))
    graph = chain({"fifo": Fifo(1)}, 1)
    assert predict_cycles(graph, 1).cycles == predict_cycles(graph, 1).cycles == 2
    assert ["-std=c++20" in arguments for arguments in calls] == [True, False, False]


def test_compiler_fails(monkeypatch, tmp_path):
    program = tmp_path / "toy"
    program.write_text('#!/bin/sh\ntest "$1" = --version && echo "toy 1.0" && exit; echo "unknown flag"; exit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CXX", str(program))
    with pytest.raises(ToolError, match=r"^cycle model: C\+\+ compiler: code 1, unknown flag; allowed: a C\+\+20 "):
        predict_cycles(chain({"fifo": Fifo(1)}, 1), 1)
