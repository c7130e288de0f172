"""The simulate stage on a small design: the report, and every way in which a design can be refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import InputModelError, SimulateError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate import shards
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate

FRAMES, MANY = 30, 200
MEASURED_BEATS = 64 * 2


@pytest.fixture
def run(tmp_path, knobs, inverter_source):
    """Simulate frames of 16 elements in 2 beats."""
    build = tmp_path
    sink = StreamSpec("out0_V", "BIPOLAR", 1, 16, 8)
    design = Design(
        top="inverter",
        sources=("rtl/inverter.sv",),
        rtl_dir="rtl",
        board="Pynq-Z2",
        part="xc7z020clg400-1",
        clock_ns=10.0,
        cycles_per_frame=2,
        latency_cycles=2,
        input=replace(sink, name="in0_V"),
        output=sink,
        nodes=(DesignNode("inverter", "Inverter_rtl", ("rtl/inverter.sv",), 2, {}, ("in0",), (8,)),),
        artifact_sha256="0" * 64,
    )
    inputs = 2 * np.random.default_rng(5).integers(0, 2, (MANY, 16)) - 1

    def call(settings=None, *, cycles=2, latency=2, expected=None, frames=FRAMES, **faults):
        knobs(**faults)
        (build / "rtl" / "inverter.sv").write_bytes(inverter_source.read_bytes())
        replace(design, cycles_per_frame=cycles, latency_cycles=latency).save(build / "design.json")
        expected = -inputs[:frames] if expected is None else expected
        return simulate(build, inputs[:frames], expected, settings or SimulateSettings(), SilentProgress())

    call.inputs = inputs
    call.report_path = build / "report" / "simulation.json"
    call.report = lambda: json.loads(call.report_path.read_text())
    return call


def test_report_of_a_sound_design(run):
    report = run(SimulateSettings(seed=4))
    assert (report.frames, report.mismatches, report.first_mismatch) == (FRAMES, 0, None)
    content = run.report()
    assert {"cycles_per_frame_predicted": 2, "cycles_per_frame_simulated": 2}.items() <= content.items()
    assert {"latency_cycles": 2, "stall_probability": 0.3, "steady": True, "seed": 4}.items() <= content.items()
    assert {"frames_per_second_at_clock": 5e7, "clock_ns": 10.0, "measured_frames": 64}.items() <= content.items()
    assert (content["path"], content["shards"]) == ("RTL, Verilator, simulated", 1)
    assert content["verilator"].startswith("5.")
    assert content["wall_seconds"] >= content["simulate_seconds"] > 0
    assert content["total_cycles"] > MEASURED_BEATS + 2 * FRAMES
    assert isinstance(content["cycles_per_frame_simulated"], int)


def test_fewer_frames(run):
    assert run(SimulateSettings(frames=3)).frames == 3


def test_first_difference_is_named_and_the_report_written(run):
    expected_element, found_element = "expected 1, found -1", "expected -1, found 1"
    with pytest.raises(SimulateError) as caught:
        run(flip_from=MEASURED_BEATS + 15)
    assert str(caught.value) in {
        f"design inverter: 23 frames differ with stalls; first frame 7, output element 8: {values}; "
        "allowed: no difference; see report/simulation.json"
        for values in (expected_element, found_element)
    }
    content = run.report()
    assert content["mismatches"] == 23
    assert content["first_mismatch"]["frame"] == 7
    assert content["first_mismatch"]["element"] == 8
    assert content["first_mismatch"]["expected"] == -content["first_mismatch"]["found"]


def test_difference_without_stalls(run):
    with pytest.raises(SimulateError, match="4 frames differ without stalls; first frame 60, output element 0: "):
        run(flip_from=120)


def test_state_that_leaks_into_a_second_call(run):
    with pytest.raises(SimulateError, match="16 frames differ repeated on the same hardware; first frame 0, "):
        run(flip_from=MEASURED_BEATS + 2 * FRAMES)
    assert run.report()["mismatches"] == 0


def test_wrong_prediction_of_cycles(run):
    message = (
        "design inverter: a frame takes 8 cycles (at most 8) where 2 are predicted; allowed: exactly the predicted "
        "cycles in every frame; deepen the FIFOs, or set require_predicted_cycles = false"
    )
    with pytest.raises(SimulateError) as caught:
        run(gap=3)
    assert str(caught.value) == message
    assert run.report()["cycles_per_frame_simulated"] == 8
    assert run(gap=3, cycles=8, latency=run.report()["latency_cycles"]).cycles_per_frame_simulated == 8
    report = run(SimulateSettings(require_predicted_cycles=False), gap=3)
    assert (report.cycles_per_frame_simulated, report.cycles_per_frame_predicted) == (8, 2)


def test_wrong_prediction_of_the_latency(run):
    message = (
        "design inverter: the first frame takes 2 cycles where 3 are predicted; allowed: exactly the predicted cycles; "
        "report this design, or set require_predicted_cycles = false"
    )
    with pytest.raises(SimulateError) as caught:
        run(latency=3)
    assert str(caught.value) == message
    assert run.report()["latency_cycles_predicted"] == 3


@pytest.fixture
def short_shards(monkeypatch):
    """Have few frames be worth a process."""
    monkeypatch.setattr(shards, "SHARD_CYCLES", 20)


def test_three_shards_find_what_one_finds(run, short_shards):
    one, three = (run(SimulateSettings(jobs=jobs), frames=MANY) for jobs in (1, 3))
    assert (one.shards, three.shards) == (1, 3)
    assert (three.frames, three.mismatches, three.first_mismatch) == (MANY, 0, None)
    same = ("cycles_per_frame_simulated", "latency_cycles", "measured_frames", "seed")
    assert [getattr(three, name) for name in same] == [getattr(one, name) for name in same]
    assert three.total_cycles != one.total_cycles  # other stalls, three times an empty pipeline
    assert run.report()["shards"] == 3


def test_frame_that_a_late_shard_finds_wrong_has_its_number_of_all(run, short_shards):
    expected = -run.inputs
    expected[185, 3] *= -1
    expected[170, 5:7] *= -1
    texts = []
    for jobs in (1, 3):
        with pytest.raises(SimulateError, match="2 frames differ with stalls; first frame 170, output element 5:") as e:
            run(SimulateSettings(jobs=jobs), frames=MANY, expected=expected)
        texts.append(str(e.value))
        assert (run.report()["mismatches"], run.report()["shards"]) == (2, jobs)
    assert texts[0] == texts[1]


def test_deadlock_in_another_process(run, short_shards):
    stuck = r"^design inverter: no transfer for 500 cycles, stuck at cycle 650, frame (75|175), output beat 0: "
    with pytest.raises(SimulateError, match=stuck):  # whichever of the two shards comes to it first
        run(SimulateSettings(timeout_cycles=500, jobs=2, stall_probability=0), frames=MANY, stop_after=150)
    assert not run.report_path.exists()


def test_deadlock(run):
    with pytest.raises(
        SimulateError, match=r"no transfer for 500 cycles, stuck at cycle 535, frame 17, output beat 1: "
    ):
        run(SimulateSettings(timeout_cycles=500), stop_after=35)
    assert not run.report_path.exists()


def test_surplus_beat(run):
    with pytest.raises(SimulateError, match=r"^design inverter: sends output beats that belong to no frame; mend the"):
        run(surplus_after=MEASURED_BEATS + 2 * FRAMES)


def test_vectors_of_another_network(run):
    with pytest.raises(SimulateError) as caught:
        run(expected=np.ones((FRAMES - 1, 16), np.int64))
    assert str(caught.value) == (
        "expected outputs of the simulation: shape (29, 16); allowed: (30, 16), as port out0_V of the design; "
        "give vectors of this very network"
    )


def test_no_design(tmp_path):
    empty = np.ones((1, 16), np.int64)
    with pytest.raises(InputModelError, match=r"run `xnorflow build` first$"):
        simulate(tmp_path, empty, empty, SimulateSettings(), SilentProgress())


@pytest.mark.parametrize(
    "values", [{"frames": 0}, {"stall_probability": 1.0}, {"stall_probability": -0.1}, {"jobs": 0}, {"frame": 3}]
)
def test_settings_out_of_range(values):
    with pytest.raises(ValidationError):
        SimulateSettings(**values)


@pytest.mark.parametrize("jobs", [1, 1024])
def test_jobs_in_range(jobs):
    assert SimulateSettings(jobs=jobs).jobs == jobs
    with pytest.raises(ValidationError):
        SimulateSettings(jobs=jobs + 1024)
