"""The bench of modules that join two streams: halves.sv, whose beats hold both operands, each at a pace of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path

import numpy as np

from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4}


@dataclass(frozen=True)
class Halves:
    """Parameters of one build of halves.sv; the depths and pauses are those of the FIFOs before the join."""

    Pe: int
    WidthA: int
    WidthB: int
    OutWidth: int
    _: KW_ONLY
    DepthA: int = 2
    DepthB: int = 2
    PauseA: int = 0
    PauseB: int = 0
    SignedA: int = 1

    @property
    def source(self) -> StreamSpec:
        """Both operands of all lanes as one element of a beat."""
        bits = self.Pe * (self.WidthA + self.WidthB)
        return StreamSpec("in", f"UINT{bits}", bits, 1, 1)

    @property
    def sink(self) -> StreamSpec:
        return StreamSpec("out", f"INT{self.OutWidth}", self.OutWidth, self.Pe, self.Pe)

    def words(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the beats (beats, 1) of operands (beats, Pe)."""
        word, low = np.zeros(len(a), np.int64), 0
        for side, width in ((a, self.WidthA), (b, self.WidthB)):
            for lane in side.T:
                word |= (lane & ((1 << width) - 1)) << low
                low += width
        return word[:, None]

    def operands(self, beats: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return operands (beats, Pe) of their whole range; the first beats hold each pair of ends."""
        raise NotImplementedError

    def results(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return what the join makes of operands."""
        raise NotImplementedError


def open_top(bench, top: Path, parts: Sequence[str], **parameters: int) -> StreamModel:
    """Return a model of a test design on these modules of the library."""
    library = [bench.folder / f"xnorflow_{part}.sv" for part in parts]
    sources = (*library, HERE / "hiccup.sv", top)
    built = compile_design(top.stem, sources, bench.work_dir, ports=PortNames.library(), parameters=parameters)
    return StreamModel(built)


def open_halves(bench, shape: Halves) -> StreamModel:
    return open_top(bench, HERE / "halves.sv", ["add", "fifo", "gate", "join"], **asdict(shape))


def check_results(bench, shape: Halves, stall: float | tuple[float, float]) -> None:
    a, b = shape.operands(500, seed=1)
    with open_halves(bench, shape) as model:
        got, _ = bench.stream(model, shape.words(a, b), shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got, shape.results(a, b))


def check_rate_and_latency(bench, shape: Halves) -> None:
    """A pair a cycle; the join adds two cycles to the one of the FIFOs before it."""
    with open_halves(bench, shape) as model:
        _, run = bench.stream(model, shape.words(*shape.operands(50, seed=2)), shape.source, shape.sink)
    assert set(run.intervals) == set(np.diff(run.frame_starts)) == {1}
    assert run.latency == 1 + 2


def check_goes_on_after_a_pause(bench, shape: Halves) -> None:
    """Pairs do not see those before them."""
    with open_halves(bench, shape) as model:
        for seed in (3, 4):
            a, b = shape.operands(100, seed)
            got, _ = bench.stream(model, shape.words(a, b), shape.source, shape.sink, 0.3, seed)
            assert model.idle(30) == 0
            np.testing.assert_array_equal(got, shape.results(a, b))
