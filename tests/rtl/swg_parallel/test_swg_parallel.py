"""xnorflow_swg_parallel against windows cut out of numpy's map."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec
from xnorflow.artifact.windows import Window

FRAMES = 6
STALLS = {"none": 0.0, "in": (0.4, 0.0), "out": (0.0, 0.4), "both": 0.3}


@dataclass(frozen=True)
class Shape:
    """Parameters of one build."""

    Rows: int
    Columns: int
    Width: int = 3
    KernelRows: int = 3
    KernelColumns: int = 3
    StrideRows: int = 1
    StrideColumns: int = 1
    Windows: int = 1

    @property
    def window(self) -> Window:
        kernel, stride = (self.KernelRows, self.KernelColumns), (self.StrideRows, self.StrideColumns)
        return Window(self.Rows, self.Columns, self.Width, kernel, stride)

    @property
    def source(self) -> StreamSpec:
        return StreamSpec("in", "BINARY", 1, self.Rows * self.Columns * self.Width, self.Width)

    @property
    def sink(self) -> StreamSpec:
        size = self.window.positions * self.Width
        return StreamSpec("out", "BINARY", 1, self.window.count * size, self.Windows * size)

    def maps(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 2, (FRAMES, self.source.elements))

    def windows(self, maps: np.ndarray) -> np.ndarray:
        return self.window.cut(maps.reshape(len(maps), self.Rows, self.Columns, self.Width)).reshape(len(maps), -1)


SHAPES = {
    "square": Shape(6, 6),
    "wide": Shape(4, 9, Width=5),
    "whole": Shape(3, 3),
    "tiles": Shape(6, 4, 2, 2, 2, 2, 2),
    "strides": Shape(9, 8, 1, 3, 2, 2, 3),
    "stride_beyond_the_kernel": Shape(7, 9, 2, 2, 2, 3, 4),
    "one_row": Shape(3, 7, 4, 1, 3),
    "one_column": Shape(7, 3, 4, 3, 1),
    "column_maps": Shape(5, 1, 2, 2, 1),
    "row_maps": Shape(1, 5, 2, 1, 2),
    "two_together": Shape(5, 6, Windows=2),
    "a_row_together": Shape(4, 7, 2, 2, 3, Windows=5),
    "whole_row_of_one_column": Shape(5, 4, 2, 3, 1, Windows=4),
    "three_together_and_a_rest": Shape(5, 8, 1, 2, 3, 2, 1, Windows=3),
    "strides_together": Shape(9, 11, 1, 3, 2, 2, 3, Windows=2),
    "strides_beyond_the_kernel_together": Shape(7, 10, 2, 2, 2, 3, 4, Windows=3),
    "overlap_of_strides_together": Shape(6, 9, 3, 3, 3, 1, 2, Windows=2),
    "tiles_together": Shape(4, 8, 2, 2, 2, 2, 2, Windows=4),
}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    maps = shape.maps(seed=1)
    with bench.open("swg_parallel", **asdict(shape)) as model:
        got, _ = bench.stream(model, maps, shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got, shape.windows(maps))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, shape):
    with bench.open("swg_parallel", **asdict(shape)) as model:
        _, run = bench.stream(model, shape.maps(seed=2), shape.source, shape.sink)
    assert set(run.intervals) == {shape.source.beats}
    columns = shape.KernelColumns + (shape.Windows - 1) * shape.StrideColumns
    first = (shape.KernelRows - 1) * shape.Columns + columns - 1  # pixel that ends the windows of the first beat
    assert run.first_output - run.frame_starts[0] == first + 2


def test_frames_do_not_see_one_another(bench):
    """A frame's windows are the same first, last, alone or after others, and after a pause."""
    shape = SHAPES["strides"]
    maps = shape.maps(seed=3)
    order = np.random.default_rng(3).permutation(FRAMES)
    with bench.open("swg_parallel", **asdict(shape)) as model:
        shuffled, _ = bench.stream(model, maps[order], shape.source, shape.sink, 0.3)
        assert model.idle(50) == 0
        again, _ = bench.stream(model, maps[::-1], shape.source, shape.sink)
    np.testing.assert_array_equal(shuffled, shape.windows(maps)[order])
    np.testing.assert_array_equal(again, shape.windows(maps)[::-1])
