"""xnorflow_requantize against numpy, for every input value of every channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec, pack
from xnorflow.simulate.model import StreamModel


@dataclass(frozen=True)
class Shape:
    """Parameters of one build; ``latency`` and ``places`` are what the head of the module and its FIFO come to."""

    Mode: str
    Channels: int
    Pe: int
    InWidth: int
    OutWidth: int
    latency: int
    places: int = 9
    more: dict[str, int] = field(default_factory=dict)

    @property
    def folds(self) -> int:
        return self.Channels // self.Pe

    @property
    def source(self) -> StreamSpec:
        return StreamSpec("in", f"INT{self.InWidth}", self.InWidth, self.Channels, self.Pe)

    @property
    def sink(self) -> StreamSpec:
        unsigned = self.Mode == "thresholds" and self.more.get("Base", 0) >= 0
        kind = "BIPOLAR" if self.OutWidth == 1 else f"{'UINT' if unsigned else 'INT'}{self.OutWidth}"
        return StreamSpec("out", kind, self.OutWidth, self.Channels, self.Pe)

    @property
    def parameters(self) -> dict[str, int | str]:
        names = ("Mode", "Channels", "Pe", "InWidth", "OutWidth")
        return {name: getattr(self, name) for name in names} | self.more

    def pixels(self, seed: int) -> np.ndarray:
        """Return pixels (2**InWidth, Channels) that hold each value once in each channel."""
        rng = np.random.default_rng(seed)
        low, high = ends(self.InWidth)
        return np.stack([rng.permutation(np.arange(low, high + 1)) for _ in range(self.Channels)], axis=1)


SHAPES = {
    "sign": Shape("thresholds", 12, 3, 8, 1, latency=5),
    "sign_rising_or_falling": Shape("thresholds", 4, 4, 5, 1, latency=5, more={"Falling": 1}),
    "three_steps": Shape("thresholds", 6, 2, 7, 2, latency=6, more={"Steps": 3, "Base": -2}),
    "many_steps": Shape("thresholds", 3, 1, 7, 6, latency=7, more={"Steps": 40, "Base": 23, "Falling": 1}),
    "line": Shape("affine", 8, 4, 8, 8, latency=7, more={"Shift": 5}),
    "two_lines": Shape(
        "affine", 6, 3, 9, 4, latency=8, more={"Slopes": 2, "FactorWidth": 5, "OffsetWidth": 11, "Shift": 8}
    ),
    "no_clip": Shape("affine", 3, 3, 4, 8, latency=7, more={"FactorWidth": 3, "OffsetWidth": 10, "Shift": 6}),
    "table": Shape("table", 6, 2, 8, 8, latency=4, places=5),
    "table_odd_lanes": Shape("table", 15, 5, 4, 7, latency=4, places=5),
    "table_of_bits": Shape("table", 2, 1, 6, 1, latency=4, places=5),
    "table_of_one_bit_coming_in": Shape("table", 6, 3, 1, 5, latency=4, places=5),
}
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4}


def ends(width: int) -> tuple[int, int]:
    """Return the range of a two's complement number."""
    return -(1 << (width - 1)), (1 << (width - 1)) - 1


def bits(values: np.ndarray, width: int) -> np.ndarray:
    """Return the low bits of numbers (...), lowest first (..., width)."""
    return (np.asarray(values)[..., None] >> np.arange(width)) & 1


def write_words(words: np.ndarray, path: Path) -> None:
    """Write bits (words, width), bit 0 first, as one hexadecimal word a row."""
    packed = np.packbits(words.astype(np.uint8), axis=1, bitorder="little")
    path.write_text("".join(f"{row[::-1].tobytes().hex()}\n" for row in packed), encoding="utf-8")


class Thresholds:
    """Random thresholds in no order; the first channel has one that every x reaches and one that none does."""

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        low, high = ends(shape.InWidth)
        steps = shape.more.get("Steps", 1)
        self.base = shape.more.get("Base", 0)
        self.thresholds = rng.integers(low, high + 2, (shape.Channels, steps))
        self.thresholds[0, 0] = high + 1
        self.thresholds[1, 0] = low
        self.thresholds[2, -1] = 2 * low  # the lowest of a bit more
        self.falls = rng.permutation(np.arange(shape.Channels) % 2 == 1) & bool(shape.more.get("Falling", 0))

    def write(self, shape: Shape, folder: Path) -> None:
        words = bits(self.thresholds, shape.InWidth + 1).reshape(shape.folds, -1)
        if "Falling" in shape.more:
            words = np.concatenate([words, self.falls.reshape(shape.folds, shape.Pe)], axis=1)
        write_words(words, folder / "parameters.mem")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        reached = (x[..., None] >= self.thresholds) ^ self.falls[:, None]
        return self.base + reached.sum(axis=-1)


class Affine:
    """Random factors, offsets and knees; the first channels have those at the ends of their ranges."""

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        def choose(width: int) -> np.ndarray:
            low, high = ends(width)
            values = rng.integers(low, high + 1, (2, shape.Channels))
            values[:, :2] = [[low, high], [high, low]]
            return values

        self.factor_bits, self.offset_bits = shape.more.get("FactorWidth", 8), shape.more.get("OffsetWidth", 16)
        self.factors, self.offsets = choose(self.factor_bits), choose(self.offset_bits)
        self.offsets[:, 2:] //= 4  # so that most channels are clipped at neither or both ends
        self.shift, self.out_range = shape.more.get("Shift", 0), ends(shape.OutWidth)
        low, high = ends(shape.InWidth)
        knees = rng.integers(low // 2, high // 2, shape.Channels)
        knees[:2] = low, high + 1
        self.knees = knees if shape.more.get("Slopes", 1) == 2 else None

    def write(self, shape: Shape, folder: Path) -> None:
        pieces = 1 if self.knees is None else 2
        fields = [
            bits(values[piece], width)
            for piece in range(pieces)
            for values, width in ((self.factors, self.factor_bits), (self.offsets, self.offset_bits))
        ]
        if self.knees is not None:
            fields.append(bits(self.knees, shape.InWidth + 1))
        write_words(np.concatenate(fields, axis=1).reshape(shape.folds, -1), folder / "parameters.mem")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        lines = (self.factors[:, None] * x + self.offsets[:, None]) >> self.shift
        chosen = lines[0] if self.knees is None else np.where(x < self.knees, lines[1], lines[0])
        return np.clip(chosen, *self.out_range)


class Table:
    """Random functions."""

    def __init__(self, shape: Shape, rng: np.random.Generator) -> None:
        low, high = (0, 1) if shape.OutWidth == 1 else ends(shape.OutWidth)
        self.values = rng.integers(low, high + 1, (shape.Channels, 1 << shape.InWidth))  # by the bits of x

    def write(self, shape: Shape, folder: Path) -> None:
        lanes = self.values.reshape(shape.folds, shape.Pe, -1)
        for memory in range(-(-shape.Pe // 2)):
            words = bits(lanes[:, 2 * memory : 2 * memory + 2].reshape(-1), shape.OutWidth)
            write_words(words, folder / f"table_{memory}.mem")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.values[np.arange(len(self.values)), x % self.values.shape[1]]


class Case:
    """Random parameters of a shape, every input, and what must come out."""

    def __init__(self, shape: Shape, folder: Path, seed: int) -> None:
        kind = {"thresholds": Thresholds, "affine": Affine, "table": Table}[shape.Mode]
        function = kind(shape, np.random.default_rng(seed))
        function.write(shape, folder)
        self.pixels = shape.pixels(seed)
        value = function(self.pixels)
        self.expected = 2 * value - 1 if shape.OutWidth == 1 else value


def open_shape(bench, shape: Shape, folder: Path) -> StreamModel:
    return bench.open("requantize", folder, **shape.parameters)


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, tmp_path, shape, stall):
    case = Case(shape, tmp_path, seed=1)
    with open_shape(bench, shape, tmp_path) as model:
        got, _ = bench.stream(model, case.pixels, shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got, case.expected)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, tmp_path, shape):
    case = Case(shape, tmp_path, seed=2)
    with open_shape(bench, shape, tmp_path) as model:
        _, run = bench.stream(model, case.pixels, shape.source, shape.sink)
    assert set(run.intervals) == set(np.diff(run.frame_starts)) == {shape.folds}
    assert run.first_output == shape.latency
    assert run.latency == shape.folds - 1 + shape.latency


@pytest.mark.parametrize("name", ["sign", "line", "table"])
def test_holds_exactly_its_places(bench, tmp_path, name):
    """While nobody takes, as many beats start as there are places for results, and not one more."""
    shape = SHAPES[name]
    case = Case(shape, tmp_path, seed=3)
    beats = pack(case.pixels, shape.source)
    with open_shape(bench, shape, tmp_path) as model:
        assert len(model.run(beats[: shape.places], 0, timeout_cycles=50).beats) == 0
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(beats[:1], 0, timeout_cycles=50)
        held = model.run(beats[:0], shape.places).beats
    expected = pack(case.expected, shape.sink)
    np.testing.assert_array_equal(held, expected[: shape.places])


@pytest.mark.parametrize("name", ["three_steps", "two_lines", "table_odd_lanes"])
def test_pixels_do_not_see_one_another(bench, tmp_path, name):
    """A pixel's result is the same first, last, alone or after others, and after a pause."""
    shape = SHAPES[name]
    case = Case(shape, tmp_path, seed=4)
    with open_shape(bench, shape, tmp_path) as model:
        first, _ = bench.stream(model, case.pixels, shape.source, shape.sink, 0.3)
        assert model.idle(30) == 0
        second, _ = bench.stream(model, case.pixels[::-1], shape.source, shape.sink)
        alone, _ = bench.stream(model, case.pixels[7:8], shape.source, shape.sink)
    np.testing.assert_array_equal(first, case.expected)
    np.testing.assert_array_equal(second, case.expected[::-1])
    np.testing.assert_array_equal(alone, case.expected[7:8])


@pytest.mark.parametrize("name", ["line", "two_lines"])
def test_cases_reach_both_ends_and_what_lies_between(tmp_path, name):
    """What test_equals_numpy compares is not all clipped."""
    expected = Case(SHAPES[name], tmp_path, seed=1).expected
    low, high = ends(SHAPES[name].OutWidth)
    inside = np.mean((expected > low) & (expected < high))
    assert expected.min() == low and expected.max() == high and inside > 0.2
