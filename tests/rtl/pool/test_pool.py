"""xnorflow_pool: maxima and sums against numpy, in each of its places in a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.7), "both": 0.4}


def port(name: str, width: int, signed: bool, elements: int, per_beat: int) -> StreamSpec:
    """Return a port whose elements are what the stream rules say of their width."""
    kind = f"{'INT' if signed else 'UINT'}{width}" if width > 1 or not signed else "BIPOLAR"
    return StreamSpec(name, kind, width, elements, per_beat)


def numbers(spec: StreamSpec, frames: int, seed: int) -> np.ndarray:
    """Return frames (frames, elements) of the whole range; the first ones hold one end of it each and nothing else."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1 << spec.bits, (frames, spec.elements))
    codes[0], codes[1] = 0, (1 << spec.bits) - 1
    codes[2] //= 2  # maxima that are not near the upper end
    if spec.datatype == "BIPOLAR":
        return 2 * codes - 1
    return codes - (1 << (spec.bits - 1) if spec.signed else 0)


@dataclass(frozen=True)
class Shape:
    """Parameters of one build; a window is a frame."""

    Positions: int
    Folds: int
    Pe: int
    InWidth: int
    OutWidth: int
    Mode: str = "max"
    Signed: int = 1

    @property
    def source(self) -> StreamSpec:
        return port("in", self.InWidth, bool(self.Signed), self.Positions * self.Folds * self.Pe, self.Pe)

    @property
    def sink(self) -> StreamSpec:
        return port("out", self.OutWidth, bool(self.Signed), self.Folds * self.Pe, self.Pe)

    def reduced(self, values: np.ndarray) -> np.ndarray:
        positions = values.reshape(len(values), self.Positions, -1)
        return positions.max(axis=1) if self.Mode == "max" else positions.sum(axis=1)


SHAPES = {
    "bits": Shape(4, 3, 5, 1, 1),
    "signed": Shape(9, 4, 3, 8, 8),
    "signed_of_one_fold": Shape(3, 1, 2, 8, 8),
    "unsigned": Shape(4, 2, 2, 7, 7, Signed=0),
    "one_position": Shape(1, 3, 2, 6, 6),
    "one_of_one": Shape(1, 1, 1, 2, 2),
    "sum": Shape(9, 4, 3, 4, 8, "sum"),
    "sum_of_one_fold": Shape(5, 1, 2, 4, 7, "sum"),
    "sum_of_signs": Shape(4, 2, 5, 1, 4, "sum"),
    "sum_of_bits": Shape(7, 2, 5, 1, 3, "sum", Signed=0),
    "sum_unsigned": Shape(5, 3, 2, 4, 7, "sum", Signed=0),
    "whole_map": Shape(49, 4, 2, 8, 14, "sum"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape):
    values = numbers(shape.source, 40, seed=1)
    with bench.open("pool", **asdict(shape)) as model:
        for seed, stall in enumerate(STALLS.values()):
            got, _ = bench.stream(model, values, shape.source, shape.sink, stall, seed)
            np.testing.assert_array_equal(got, shape.reduced(values))
        assert model.idle(30) == 0


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, shape):
    with bench.open("pool", **asdict(shape)) as model:
        _, run = bench.stream(model, numbers(shape.source, 20, seed=2), shape.source, shape.sink)
    beats = shape.Positions * shape.Folds
    assert set(run.intervals) == set(np.diff(run.frame_starts)) == {beats}
    assert run.first_output == beats - shape.Folds + 2
    assert run.latency == beats - 1 + 2


@pytest.mark.parametrize("name", ["signed", "signed_of_one_fold", "one_position"])
def test_holds_three_results(bench, name):
    """While nobody takes, it goes on until three results wait, two of them in the output buffer."""
    shape = SHAPES[name]
    values = numbers(shape.source, 6, seed=3)
    beats = pack(values, shape.source)
    results = np.arange(len(beats)) % shape.source.beats >= shape.source.beats - shape.Folds
    held = int(np.flatnonzero(results)[2]) + 1
    with bench.open("pool", **asdict(shape)) as model:
        assert len(model.run(beats[:held], 0, timeout_cycles=50).beats) == 0
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(beats[held : held + 1], 0, timeout_cycles=50)
        rest = model.run(beats[held:], 6 * shape.sink.beats).beats
    np.testing.assert_array_equal(unpack(rest, shape.sink), shape.reduced(values))


@pytest.mark.parametrize("name", ["signed", "sum", "sum_of_one_fold"])
def test_windows_do_not_see_one_another(bench, name):
    """A window's result is the same first, last, alone or after others, and after a pause."""
    shape = SHAPES[name]
    values = numbers(shape.source, 20, seed=4)
    with bench.open("pool", **asdict(shape)) as model:
        first, _ = bench.stream(model, values, shape.source, shape.sink, 0.3)
        assert model.idle(30) == 0
        second, _ = bench.stream(model, values[::-1], shape.source, shape.sink)
    with bench.open("pool", **asdict(shape)) as model:
        alone, _ = bench.stream(model, values[5:6], shape.source, shape.sink)
    np.testing.assert_array_equal(first, shape.reduced(values))
    np.testing.assert_array_equal(second, first[::-1])
    np.testing.assert_array_equal(alone, first[5:6])


def open_top(bench, top: str, parts: tuple[str, ...], **parameters: int | str) -> StreamModel:
    sources = (*(bench.folder / f"xnorflow_{part}.sv" for part in parts), HERE / f"{top}.sv")
    built = compile_design(top, sources, bench.work_dir, ports=PortNames.library(), parameters=parameters)
    return StreamModel(built)


# Rows, columns, folds, elements of a beat, rows and columns of a window, bits.
@pytest.mark.parametrize("case", [
    (4, 6, 2, 3, 2, 2, 1), (6, 6, 1, 2, 3, 2, 8), (2, 9, 3, 1, 1, 3, 4),
])  # fmt: skip
def test_two_pools_are_a_max_pool(bench, case):
    """Windows side by side: maxima of columns, then of rows, at one beat a cycle."""
    rows, columns, folds, pe, kernel_rows, kernel_columns, width = case
    source = port("in", width, True, rows * columns * folds * pe, pe)
    out_rows, out_columns = rows // kernel_rows, columns // kernel_columns
    sink = port("out", width, True, out_rows * out_columns * folds * pe, pe)
    maps = numbers(source, 12, seed=5)
    tiles = maps.reshape(-1, out_rows, kernel_rows, out_columns, kernel_columns, folds * pe)
    expected = tiles.max(axis=(2, 4)).reshape(len(maps), -1)
    settings = {"KernelRows": kernel_rows, "KernelColumns": kernel_columns, "Pe": pe, "Width": width}
    with open_top(bench, "two_pools", ("pool", "fifo"), Columns=columns, Folds=folds, **settings) as model:
        for seed, stall in enumerate(STALLS.values()):
            got, run = bench.stream(model, maps, source, sink, stall, seed)
            np.testing.assert_array_equal(got, expected)
            if stall == 0.0:
                assert set(run.intervals) == set(np.diff(run.frame_starts)) == {source.beats}
                assert run.latency == source.beats - 1 + 2 + 2


# Mode, channels, elements of a beat, bits in and out, value of padding.
@pytest.mark.parametrize("case", [
    ("max", 4, 2, 1, 1, -1), ("max", 2, 2, 8, 8, -128), ("sum", 6, 3, 1, 5, 1),
])  # fmt: skip
def test_windows_that_overlap(bench, case):
    """Behind xnorflow_swg, of a padded map with 3 x 3 windows and a stride of 2."""
    mode, channels, pe, width, out_width, pad = case
    size, kernel, stride = 6, 3, 2
    out_size = (size + 2 - kernel) // stride + 1
    source = port("in", width, True, size * size * channels, pe)
    sink = port("out", out_width, True, out_size**2 * channels, pe)
    maps = numbers(source, 6, seed=6)
    padded = np.pad(maps.reshape(-1, size, size, channels), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=pad)
    found = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
    expected = (found.max(axis=(4, 5)) if mode == "max" else found.sum(axis=(4, 5))).reshape(len(maps), -1)
    code = (pad + 1) // 2 if width == 1 else pad % (1 << width)
    widths = {"InWidth": width, "OutWidth": out_width, "PadValue": code, "Channels": channels, "Pe": pe}
    parts = ("swg", "swg_ring", "pool", "fifo")
    with open_top(bench, "windows", parts, Size=size, Kernel=kernel, Stride=stride, Mode=mode, **widths) as model:
        for seed, stall in enumerate(STALLS.values()):
            got, run = bench.stream(model, maps, source, sink, stall, seed)
            np.testing.assert_array_equal(got, expected)
            if stall == 0.0:
                assert set(run.intervals) == {out_size**2 * kernel**2 * channels // pe}
