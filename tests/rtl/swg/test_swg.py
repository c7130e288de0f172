"""xnorflow_swg against windows cut out of numpy's padded map."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec, pack, unpack


@dataclass(frozen=True)
class Shape:
    """Parameters of one build."""

    Rows: int
    Columns: int
    Channels: int
    Simd: int
    Bits: int = 1
    KernelRows: int = 3
    KernelColumns: int = 3
    StrideRows: int = 1
    StrideColumns: int = 1
    PadTop: int = 0
    PadBottom: int = 0
    PadLeft: int = 0
    PadRight: int = 0
    PadValue: int = 0

    @property
    def out_rows(self) -> int:
        return (self.Rows + self.PadTop + self.PadBottom - self.KernelRows) // self.StrideRows + 1

    @property
    def out_columns(self) -> int:
        return (self.Columns + self.PadLeft + self.PadRight - self.KernelColumns) // self.StrideColumns + 1

    @property
    def source(self) -> StreamSpec:
        return StreamSpec("in", f"UINT{self.Bits}", self.Bits, self.Rows * self.Columns * self.Channels, self.Simd)

    @property
    def sink(self) -> StreamSpec:
        window = self.KernelRows * self.KernelColumns * self.Channels
        return StreamSpec("out", f"UINT{self.Bits}", self.Bits, self.out_rows * self.out_columns * window, self.Simd)

    @property
    def interval(self) -> int:
        return max(self.source.beats, self.sink.beats)

    def maps(self, frames: int, seed: int) -> np.ndarray:
        """Return maps (frames, elements) of the whole range."""
        return np.random.default_rng(seed).integers(0, 1 << self.Bits, (frames, self.source.elements))

    def windows(self, maps: np.ndarray) -> np.ndarray:
        """Return what comes out (frames, elements): for each window its rows, columns and channels in order."""
        cube = maps.reshape(len(maps), self.Rows, self.Columns, self.Channels)
        rows, columns = (self.PadTop, self.PadBottom), (self.PadLeft, self.PadRight)
        padded = np.pad(cube, ((0, 0), rows, columns, (0, 0)), constant_values=self.PadValue)
        found = np.lib.stride_tricks.sliding_window_view(padded, (self.KernelRows, self.KernelColumns), (1, 2))
        found = found[:, :: self.StrideRows, :: self.StrideColumns]
        return found.transpose(0, 1, 2, 4, 5, 3).reshape(len(maps), -1)


def square(size: int, kernel: int, stride: int, pad: int, **others: int) -> Shape:
    """Return a shape that is the same for rows and columns; one channel of 8 bits unless told otherwise."""
    settings = {"Channels": 1, "Simd": 1, "Bits": 8} | others
    return Shape(
        *(size, size, settings.pop("Channels"), settings.pop("Simd"), settings.pop("Bits")),
        *(kernel, kernel, stride, stride, pad, pad, pad, pad),
        **settings,
    )


SHAPES = {
    "same": square(8, 3, 1, 1, Channels=8, Simd=4, Bits=1),
    "valid": square(7, 3, 1, 0, Channels=4, Simd=2, Bits=3),
    "same_of_stride_2": square(8, 3, 2, 1, PadValue=0x5A),
    "tiles": square(8, 2, 2, 0, Channels=3, Simd=1),
    "one_pixel": square(5, 1, 1, 0, Channels=6, Simd=3),
    "every_other_pixel": square(7, 1, 2, 0, Channels=2, Simd=1),
    "whole_map": square(3, 3, 1, 0, Channels=2, Simd=2),
    "single_window_of_padding": square(1, 3, 1, 1, PadValue=0xFF),
    "trailing": Shape(8, 7, 2, 1, 2, 3, 2, 3, 4),
    "lopsided": Shape(5, 4, 2, 2, 2, 4, 3, 2, 1, 3, 3, 2, 0, 2),
    "one_row": Shape(1, 9, 1, 1, 4, 1, 4, 1, 3, 0, 0, 1, 3, 9),
    "one_column": Shape(9, 1, 2, 1, 4, 4, 1, 3, 1, 1, 3, 0, 0, 9),
    # One word less than the ring has to have would be half as many, and too few.
    "more_in": Shape(6, 7, 1, 1, 2, 4, 3, 3, 4, 0, 0, 0, 1, 2),
    "more_out": Shape(6, 6, 4, 2, 1, 4, 2, 1, 2, 0, 0, 1, 0),
}
STALLS = {"none": 0.0, "in": (0.6, 0.0), "out": (0.0, 0.6), "both": 0.4}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape):
    maps = shape.maps(5, seed=1)
    with bench.open("swg", **asdict(shape)) as model:
        for seed, stall in enumerate(STALLS.values()):
            got, _ = bench.stream(model, maps, shape.source, shape.sink, stall, seed)
            np.testing.assert_array_equal(got, shape.windows(maps))
        assert model.idle(30) == 0  # padding of the next frame waits for it


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, shape):
    with bench.open("swg", **asdict(shape)) as model:
        _, run = bench.stream(model, shape.maps(8, seed=2), shape.source, shape.sink)
    assert run.first_output - run.frame_starts[0] == 2
    assert set(run.intervals) == {shape.interval}


@pytest.mark.parametrize("name", ["same_of_stride_2", "trailing"])
def test_frames_do_not_see_one_another(bench, name):
    """A frame's windows are the same first, last, alone or after others, and after a pause."""
    shape = SHAPES[name]
    maps = shape.maps(6, seed=3)
    with bench.open("swg", **asdict(shape)) as model:
        first, _ = bench.stream(model, maps, shape.source, shape.sink, 0.3)
        assert model.idle(30) == 0
        second, _ = bench.stream(model, maps[::-1], shape.source, shape.sink)
    with bench.open("swg", **asdict(shape)) as model:
        alone, _ = bench.stream(model, maps[2:3], shape.source, shape.sink)
    np.testing.assert_array_equal(first, shape.windows(maps))
    np.testing.assert_array_equal(second, first[::-1])
    np.testing.assert_array_equal(alone, first[2:3])


@pytest.mark.parametrize(("name", "held"), [("same", 64 - 18), ("tiles", 64)])
def test_takes_in_what_the_ring_holds(bench, name, held):
    """While nobody takes, the ring fills: all of its words but those of padding, not a beat more; then it goes on."""
    shape = SHAPES[name]
    maps = shape.maps(4, seed=4)
    beats = pack(maps, shape.source)
    with bench.open("swg", **asdict(shape)) as model:
        assert len(model.run(beats[:held], 0, timeout_cycles=50).beats) == 0
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(beats[held : held + 1], 0, timeout_cycles=50)
        rest = model.run(beats[held:], 4 * shape.sink.beats).beats
    np.testing.assert_array_equal(unpack(rest, shape.sink), shape.windows(maps))
