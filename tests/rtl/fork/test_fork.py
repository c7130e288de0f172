"""xnorflow_fork: every reader gets every beat, at its own pace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec, pack
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
WIDTH = 11
BEAT = StreamSpec("beat", f"UINT{WIDTH}", WIDTH, 1, 1)
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4}


def numbers(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << WIDTH, (count, 1))


def open_top(bench, top: str, **parameters: int) -> StreamModel:
    library = [bench.folder / f"xnorflow_{part}.sv" for part in ("fork", "fifo")]
    sources = (*library, HERE.parent / "hiccup.sv", HERE / f"{top}.sv")
    built = compile_design(top, sources, bench.work_dir, ports=PortNames.library(), parameters=parameters)
    return StreamModel(built)


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("pause", [0, 128])
@pytest.mark.parametrize("outputs", [2, 3])
def test_every_reader_gets_every_beat(bench, outputs, pause, stall):
    """Pauses of the readers are their own; the test design also watches that offered beats stay."""
    values = numbers(500)
    sink = StreamSpec("out", f"UINT{WIDTH}", WIDTH, outputs, outputs)
    with open_top(bench, "forked", Width=WIDTH, Outputs=outputs, Pause=pause) as model:
        got, _ = bench.stream(model, values, BEAT, sink, stall)
    np.testing.assert_array_equal(got, np.repeat(values, outputs, axis=1))


def test_rate_and_latency(bench):
    """A beat a cycle; the fork adds one cycle to the two of the readers' buffers."""
    sink = StreamSpec("out", f"UINT{WIDTH}", WIDTH, 2, 2)
    with open_top(bench, "forked", Width=WIDTH, Outputs=2, Pause=0) as model:
        _, run = bench.stream(model, numbers(50), BEAT, sink)
    assert set(run.intervals) == set(np.diff(run.frame_starts)) == {1}
    assert run.latency == 1 + 2


@pytest.mark.parametrize("reader", [0, 1])
def test_runs_two_beats_ahead_of_the_slowest_reader(bench, reader):
    """A reader gets two beats while another takes none, each after one cycle; the third is not accepted."""
    values = numbers(3)
    with open_top(bench, "one_reader", Width=WIDTH, Outputs=2, Reader=reader) as model:
        got, run = bench.stream(model, values[:2], BEAT, BEAT)
        np.testing.assert_array_equal(got, values[:2])
        assert run.latency == 1 and set(run.intervals) == {1}
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(pack(values[2:], BEAT), 0, timeout_cycles=50)


def test_goes_on_after_a_pause(bench):
    """What comes later does not see what was before a pause."""
    sink = StreamSpec("out", f"UINT{WIDTH}", WIDTH, 3, 3)
    with open_top(bench, "forked", Width=WIDTH, Outputs=3, Pause=128) as model:
        for seed in (2, 3):
            got, _ = bench.stream(model, numbers(100, seed), BEAT, sink, 0.3, seed)
            assert model.idle(30) == 0
            np.testing.assert_array_equal(got, np.repeat(numbers(100, seed), 3, axis=1))
