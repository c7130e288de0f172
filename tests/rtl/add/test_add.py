"""xnorflow_add: sums of two streams that come at their own pace, and the residual block that it closes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from halves import STALLS, Halves, check_goes_on_after_a_pause, check_rate_and_latency, check_results, open_top

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate.model import StreamModel

HERE = Path(__file__).parent
BLOCK = 8


@dataclass(frozen=True)
class Shape(Halves):
    """Parameters of one build of halves.sv with an adder."""

    ShiftA: int = 0
    ShiftB: int = 0
    SignedB: int = 1

    def operands(self, beats: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return operands (beats, Pe) of their whole range; the first beats hold each pair of ends."""
        rng = np.random.default_rng(seed)
        sides = []
        for width, signed, which in (
            (self.WidthA, self.SignedA, [0, 0, 1, 1]),
            (self.WidthB, self.SignedB, [0, 1, 0, 1]),
        ):
            ends = np.array([-(1 << (width - 1)), (1 << (width - 1)) - 1] if signed else [0, (1 << width) - 1])
            side = rng.integers(ends[0], ends[1] + 1, (beats, self.Pe))
            side[:4] = ends[which][:, None]
            sides.append(side)
        return sides[0], sides[1]

    def results(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        a, b = a << self.ShiftA, b << self.ShiftB
        return np.clip(a + b, -(1 << (self.OutWidth - 1)), (1 << (self.OutWidth - 1)) - 1)


SHAPES = {
    "every_sum_fits": Shape(3, 8, 8, 9),
    "saturated": Shape(2, 8, 8, 8),
    "narrow_result": Shape(2, 9, 5, 2, DepthA=12, DepthB=3, PauseA=100, PauseB=100),
    "wide_result": Shape(1, 4, 7, 12, DepthA=3, DepthB=12, PauseB=150),
    "unsigned_bits": Shape(3, 1, 1, 3, SignedA=0, SignedB=0, PauseA=100),
    "planes_of_counts": Shape(2, 7, 7, 10, ShiftA=1, SignedA=0, SignedB=0),
    "signed_and_unsigned": Shape(2, 6, 9, 11, SignedB=0, PauseB=100),
    "apart": Shape(1, 4, 3, 8, ShiftA=4, SignedB=0, DepthA=9),
    "far_apart": Shape(1, 8, 2, 33, ShiftA=24, ShiftB=3),
    "shifted_and_saturated": Shape(2, 5, 8, 6, ShiftA=3, SignedA=0),
}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    check_results(bench, shape, stall)


@pytest.mark.parametrize("name", ["every_sum_fits", "saturated", "planes_of_counts"])
def test_rate_and_latency(bench, name):
    check_rate_and_latency(bench, SHAPES[name])


def test_goes_on_after_a_pause(bench):
    check_goes_on_after_a_pause(bench, SHAPES["narrow_result"])


def block_frames(frames: int) -> tuple[np.ndarray, StreamSpec, StreamSpec]:
    """Return frames of a block each, and both ports of residual_join.sv."""
    values = np.random.default_rng(5).integers(-128, 128, (frames, BLOCK))
    return values, StreamSpec("in", "INT8", 8, BLOCK, 1), StreamSpec("out", "INT9", 9, BLOCK, 1)


def open_residual(bench, depth: int) -> StreamModel:
    return open_top(
        bench, HERE / "residual_join.sv", ["add", "dwc", "fifo", "fork", "join"], Width=8, Block=BLOCK, Depth=depth
    )


@pytest.mark.parametrize("depth", [BLOCK - 3, BLOCK + 1, BLOCK + 2])
def test_residual_join(bench, depth):
    """The shortcut must hold the block that its branch waits for and two beats more; each missing place is a cycle."""
    values, source, sink = block_frames(30)
    with open_residual(bench, depth) as model:
        got, run = bench.stream(model, values, source, sink)
        stalled, _ = bench.stream(model, values[::-1], source, sink, 0.4)
    np.testing.assert_array_equal(got, 2 * values)
    np.testing.assert_array_equal(stalled, 2 * values[::-1])
    assert set(run.intervals) == {BLOCK + max(0, BLOCK + 2 - depth)}


def test_residual_join_with_too_little_buffer_is_stuck(bench):
    """Beside the FIFO, the fork holds two beats for the shortcut and the adder one; the branch waits for one more."""
    values, source, sink = block_frames(1)
    with (
        open_residual(bench, BLOCK - 4) as model,
        pytest.raises(SimulateError, match=f"input beat {BLOCK - 1} of frame 0 is not accepted"),
    ):
        bench.stream(model, values, source, sink)
