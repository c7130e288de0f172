"""xnorflow_mvau against numpy, over its folding and its number formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec

FRAMES = 40


@dataclass(frozen=True)
class Shape:
    """Parameters of one build; synthesis: with the summing body that synthesis takes."""

    Mw: int
    Mh: int
    Simd: int
    Pe: int
    InputWidth: int = 1
    WeightWidth: int = 1
    AccWidth: int = 16
    Thresholded: int = 1
    OutputWidth: int = 16
    synthesis: bool = False

    @property
    def sf(self) -> int:
        return self.Mw // self.Simd

    @property
    def nf(self) -> int:
        return self.Mh // self.Pe

    @property
    def source(self) -> StreamSpec:
        datatype = "BIPOLAR" if self.InputWidth == 1 else f"INT{self.InputWidth}"
        return StreamSpec("in", datatype, self.InputWidth, self.Mw, self.Simd)

    @property
    def sink(self) -> StreamSpec:
        if self.Thresholded:
            return StreamSpec("out", "BINARY", 1, self.Mh, self.Pe)
        return StreamSpec("out", f"INT{self.OutputWidth}", self.OutputWidth, self.Mh, self.Pe)

    @property
    def parameters(self) -> dict[str, int]:
        return {key: value for key, value in asdict(self).items() if key != "synthesis"}

    @property
    def latency(self) -> int:
        """Cycles from the last beat of the first neuron fold to its result, as the module's head states."""
        levels = {True: -(-self.Simd // 32), False: self.Simd}[self.InputWidth == 1]
        bits = int(np.ceil(np.ceil(np.log2(self.WeightWidth)) / 2))  # the sum of the trees of few-bit weights
        return 5 + (self.InputWidth == 1) + int(np.ceil(np.log2(levels) / 2)) + bits


SHAPES = {
    # Bipolar inputs
    "odd": Shape(21, 6, 7, 3, AccWidth=6),
    "simd_1_pe_1": Shape(8, 4, 1, 1),
    "one_synapse_fold": Shape(16, 12, 16, 4),
    "one_neuron_fold": Shape(64, 8, 16, 8),
    "one_beat_a_frame": Shape(40, 10, 40, 10, AccWidth=7, Thresholded=0, OutputWidth=7),
    "smallest": Shape(1, 1, 1, 1, AccWidth=3),
    "wide_pipelined": Shape(300, 8, 150, 4, AccWidth=10),
    "low_bits_only": Shape(66, 6, 33, 2, AccWidth=8, Thresholded=0, OutputWidth=3),
    # Signed inputs
    "first_layer": Shape(21, 6, 7, 3, 8),
    "first_layer_tree": Shape(21, 6, 7, 3, 8, synthesis=True),
    "signed_simd_1": Shape(12, 4, 1, 1, 8, Thresholded=0, OutputWidth=20),
    "signed_simd_1_tree": Shape(12, 4, 1, 1, 8, Thresholded=0, OutputWidth=20, synthesis=True),
    "signed_one_beat": Shape(5, 3, 5, 3, 2, AccWidth=5),
    "signed_wide": Shape(34, 4, 17, 2, 8, AccWidth=18, Thresholded=0, OutputWidth=18),
    "signed_wide_tree": Shape(34, 4, 17, 2, 8, AccWidth=18, Thresholded=0, OutputWidth=18, synthesis=True),
    # Weights of a few bits
    "ternary": Shape(27, 6, 9, 3, 8, 2, AccWidth=16),
    "ternary_sums": Shape(27, 6, 9, 3, 8, 2, Thresholded=0),
    "weights_simd_1": Shape(6, 4, 1, 1, 4, 3, AccWidth=10, Thresholded=0, OutputWidth=10),
    "weights_of_eight_bits": Shape(10, 4, 5, 2, 8, 8, AccWidth=20, Thresholded=0, OutputWidth=20),
    "weights_of_five_bits": Shape(34, 2, 17, 2, 3, 5, AccWidth=14, Thresholded=0, OutputWidth=14),
    "weights_one_beat": Shape(4, 3, 4, 3, 2, 4, AccWidth=8),
    "weights_narrow_accumulator": Shape(12, 4, 4, 2, 3, 3, AccWidth=3, Thresholded=0, OutputWidth=2),
    "narrow_accumulator": Shape(16, 4, 4, 4, 3, AccWidth=2, Thresholded=0, OutputWidth=2),
}
STALLS = {"none": 0.0, "in": (0.4, 0.0), "out": (0.0, 0.4), "both": 0.3}


def hex_words(bits: np.ndarray) -> str:
    """Return one hexadecimal word a row of bits (words, width), bit 0 first."""
    packed = np.packbits(bits.astype(np.uint8), axis=1, bitorder="little")
    return "".join(f"{row[::-1].tobytes().hex()}\n" for row in packed)


def write_memories(shape: Shape, weights: np.ndarray, starts: np.ndarray, folder: Path) -> None:
    """Write weights (Mh, Mw), -1/+1 if of one bit, and start values (Mh,) as the module's head lays them out."""
    stored = (weights + 1) // 2 if shape.WeightWidth == 1 else weights
    folds = stored.reshape(shape.nf, shape.Pe, shape.sf, shape.Simd).transpose(0, 2, 1, 3)
    folds = (folds[..., None] >> np.arange(shape.WeightWidth)) & 1
    (folder / "weights.mem").write_text(hex_words(folds.reshape(shape.nf * shape.sf, -1)), encoding="utf-8")
    planes = (starts[:, None] >> np.arange(shape.AccWidth)) & 1
    (folder / "starts.mem").write_text(hex_words(planes.reshape(shape.nf, -1)), encoding="utf-8")


def extremes(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Return frames of the format's whole range; the first ones are all lowest, all highest, lowest and highest."""
    if shape.InputWidth == 1:
        frames = rng.choice([-1, 1], (FRAMES, shape.Mw))
        low, high = -1, 1
    else:
        low, high = -(1 << (shape.InputWidth - 1)), (1 << (shape.InputWidth - 1)) - 1
        frames = rng.integers(low, high + 1, (FRAMES, shape.Mw))
    frames[0], frames[1], frames[2] = low, high, np.where(np.arange(shape.Mw) % 2, low, high)
    return frames


def wrap(values: np.ndarray, bits: int) -> np.ndarray:
    """Return the two's complement value of the low bits."""
    low = values & ((1 << bits) - 1)
    return low - ((low >> (bits - 1)) << bits)


class Case:
    """Random weights, thresholds and inputs of a shape, and what must come out.

    ``dot`` is the plain dot product; a thresholded neuron fires when it is at least its threshold, else the result is
    popcount (bipolar inputs) or dot product (signed ones).
    """

    def __init__(self, shape: Shape, folder: Path, seed: int) -> None:
        rng = np.random.default_rng(seed)
        weights = rng.choice([-1, 1], (shape.Mh, shape.Mw))
        weights[0], weights[-1] = 1, -1
        if shape.WeightWidth > 1:
            reach = 1 << (shape.WeightWidth - 1)
            weights = rng.integers(-reach, reach, weights.shape)
            weights[0], weights[-1] = reach - 1, -reach
        self.frames = extremes(shape, rng)
        dot = self.frames @ weights.T
        popcount = (dot + shape.Mw) // 2
        value = popcount if shape.InputWidth == 1 else dot
        one_bit = shape.InputWidth > 1 == shape.WeightWidth
        correction = (weights < 0).sum(axis=1) if one_bit else np.zeros(shape.Mh, np.int64)
        if shape.Thresholded:
            thresholds = np.median(value, axis=0).astype(np.int64) + rng.integers(-1, 2, shape.Mh)
            # The first neuron always fires, the last one never: beyond what any input can reach.
            if shape.Mh > 1:
                thresholds[0] = 0 if shape.InputWidth == 1 else value[:, 0].min()
                thresholds[-1] = value[:, -1].max() + 1
            self.expected = (value >= thresholds).astype(np.int64)
            starts = correction - thresholds
        else:
            self.expected = wrap(wrap(value, shape.AccWidth), shape.OutputWidth)
            starts = np.broadcast_to(correction, (shape.Mh,)).astype(np.int64)
        write_memories(shape, weights, starts, folder)


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, tmp_path, shape, stall):
    case = Case(shape, tmp_path, seed=7)
    with bench.open("mvau", tmp_path, shape.synthesis, **shape.parameters) as model:
        got, _ = bench.stream(model, case.frames, shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got, case.expected)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, tmp_path, shape):
    case = Case(shape, tmp_path, seed=8)
    with bench.open("mvau", tmp_path, shape.synthesis, **shape.parameters) as model:
        _, run = bench.stream(model, case.frames, shape.source, shape.sink)
    assert set(run.intervals) == {shape.sf * shape.nf}
    assert set(np.diff(run.frame_starts)) == {shape.sf * shape.nf}
    assert run.first_output - run.frame_starts[0] == shape.sf - 1 + shape.latency
    assert run.latency == shape.sf * shape.nf - 1 + shape.latency


@pytest.mark.parametrize("name", ["odd", "one_beat_a_frame", "first_layer", "ternary"])
def test_frames_do_not_see_one_another(bench, tmp_path, name):
    """A frame's result is the same first, last, alone or after others, and after a pause."""
    shape = SHAPES[name]
    case = Case(shape, tmp_path, seed=9)
    order = np.random.default_rng(9).permutation(FRAMES)
    with bench.open("mvau", tmp_path, **shape.parameters) as model:
        shuffled, _ = bench.stream(model, case.frames[order], shape.source, shape.sink, 0.3)
        assert model.idle(50) == 0
        again, _ = bench.stream(model, case.frames[::-1], shape.source, shape.sink)
    np.testing.assert_array_equal(shuffled, case.expected[order])
    np.testing.assert_array_equal(again, case.expected[::-1])


@pytest.mark.parametrize("name", ["odd", "first_layer"])
@pytest.mark.parametrize("fires", [True, False])
def test_thresholds_at_the_end_of_the_range(bench, tmp_path, name, fires):
    """Start values beyond what any input can reach make every neuron fire never or always."""
    shape = SHAPES[name]
    rng = np.random.default_rng(10)
    reach = shape.Mw << (shape.InputWidth - 1)
    start = ((1 << (shape.AccWidth - 1)) - 1 - reach) if fires else -reach - 1
    weights = rng.choice([-1, 1], (shape.Mh, shape.Mw))
    write_memories(shape, weights, np.full(shape.Mh, start), tmp_path)
    with bench.open("mvau", tmp_path, **shape.parameters) as model:
        got, _ = bench.stream(model, extremes(shape, rng), shape.source, shape.sink)
    assert np.all(got == int(fires))


@pytest.mark.parametrize("start", [-3, 0, 5])
def test_start_value_is_added_without_thresholds(bench, tmp_path, start):
    shape = SHAPES["signed_simd_1"]
    frames = extremes(shape, np.random.default_rng(11))
    write_memories(shape, np.ones((shape.Mh, shape.Mw), np.int64), np.full(shape.Mh, start), tmp_path)
    with bench.open("mvau", tmp_path, **shape.parameters) as model:
        got, _ = bench.stream(model, frames, shape.source, shape.sink)
    np.testing.assert_array_equal(got, np.repeat(frames.sum(axis=1, keepdims=True), shape.Mh, axis=1) + start)


def test_output_stalls_are_absorbed(bench, tmp_path):
    """Results wait in the output FIFO: pauses of the taker cost a folded unit next to nothing."""
    shape = SHAPES["simd_1_pe_1"]
    case = Case(shape, tmp_path, seed=12)
    with bench.open("mvau", tmp_path, **shape.parameters) as model:
        _, free = bench.stream(model, case.frames, shape.source, shape.sink)
        _, stalled = bench.stream(model, case.frames, shape.source, shape.sink, (0.0, 0.5))
    assert stalled.frame_starts[-1] == free.frame_starts[-1]
