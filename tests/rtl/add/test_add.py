"""xnorflow_add: sums of two streams that come at their own pace, and the residual block that it closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4}
BLOCK = 8


@dataclass(frozen=True)
class Shape:
    """Parameters of one build of halves.sv; the depths and pauses are those of the FIFOs before the adder."""

    Pe: int
    WidthA: int
    WidthB: int
    OutWidth: int
    DepthA: int = 2
    DepthB: int = 2
    PauseA: int = 0
    PauseB: int = 0
    ShiftA: int = 0
    ShiftB: int = 0
    SignedA: int = 1
    SignedB: int = 1

    @property
    def source(self) -> StreamSpec:
        """Both operands of all lanes as one element of a beat."""
        bits = self.Pe * (self.WidthA + self.WidthB)
        return StreamSpec("in", f"UINT{bits}", bits, 1, 1)

    @property
    def sink(self) -> StreamSpec:
        return StreamSpec("out", f"INT{self.OutWidth}", self.OutWidth, self.Pe, self.Pe)

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

    def words(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the beats (beats, 1) of halves.sv."""
        word, low = np.zeros(len(a), np.int64), 0
        for side, width in ((a, self.WidthA), (b, self.WidthB)):
            for lane in side.T:
                word |= (lane & ((1 << width) - 1)) << low
                low += width
        return word[:, None]

    def sums(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
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


def open_top(bench, top: str, parts: Sequence[str], **parameters: int) -> StreamModel:
    library = [bench.folder / f"xnorflow_{part}.sv" for part in parts]
    sources = (*library, HERE.parent / "hiccup.sv", HERE / f"{top}.sv")
    built = compile_design(top, sources, bench.work_dir, ports=PortNames.library(), parameters=parameters)
    return StreamModel(built)


def open_halves(bench, shape: Shape) -> StreamModel:
    return open_top(bench, "halves", ["add", "fifo", "gate", "join"], **asdict(shape))


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    a, b = shape.operands(500, seed=1)
    with open_halves(bench, shape) as model:
        got, _ = bench.stream(model, shape.words(a, b), shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got, shape.sums(a, b))


@pytest.mark.parametrize("name", ["every_sum_fits", "saturated", "planes_of_counts"])
def test_rate_and_latency(bench, name):
    """A pair a cycle; the adder adds two cycles to the one of the FIFOs before it."""
    shape = SHAPES[name]
    with open_halves(bench, shape) as model:
        _, run = bench.stream(model, shape.words(*shape.operands(50, seed=2)), shape.source, shape.sink)
    assert set(run.intervals) == set(np.diff(run.frame_starts)) == {1}
    assert run.latency == 1 + 2


def test_goes_on_after_a_pause(bench):
    """Pairs do not see those before them."""
    shape = SHAPES["narrow_result"]
    with open_halves(bench, shape) as model:
        for seed in (3, 4):
            a, b = shape.operands(100, seed)
            got, _ = bench.stream(model, shape.words(a, b), shape.source, shape.sink, 0.3, seed)
            assert model.idle(30) == 0
            np.testing.assert_array_equal(got, shape.sums(a, b))


def block_frames(frames: int) -> tuple[np.ndarray, StreamSpec, StreamSpec]:
    """Return frames of a block each, and both ports of residual_join.sv."""
    values = np.random.default_rng(5).integers(-128, 128, (frames, BLOCK))
    return values, StreamSpec("in", "INT8", 8, BLOCK, 1), StreamSpec("out", "INT9", 9, BLOCK, 1)


def open_residual(bench, depth: int) -> StreamModel:
    return open_top(bench, "residual_join", ["add", "dwc", "fifo", "fork", "join"], Width=8, Block=BLOCK, Depth=depth)


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
