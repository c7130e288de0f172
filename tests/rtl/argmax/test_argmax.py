"""xnorflow_argmax against numpy.argmax."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec


@dataclass(frozen=True)
class Shape:
    """Parameters of one build."""

    Labels: int
    Pe: int
    Width: int
    Signed: int
    LabelWidth: int

    @property
    def source(self) -> StreamSpec:
        return StreamSpec("in", f"{'INT' if self.Signed else 'UINT'}{self.Width}", self.Width, self.Labels, self.Pe)

    @property
    def sink(self) -> StreamSpec:
        return StreamSpec("out", f"UINT{self.LabelWidth}", self.LabelWidth, 1, 1)

    def scores(self, frames: int, seed: int) -> np.ndarray:
        """Return scores (frames, Labels) of the whole range, half of the frames full of ties."""
        low = -(1 << (self.Width - 1)) if self.Signed else 0
        high = low + (1 << self.Width) - 1
        rng = np.random.default_rng(seed)
        scores = rng.integers(low, high + 1, (frames, self.Labels))
        scores[::2] = rng.choice([low, high, (low + high) // 2], (len(scores[::2]), self.Labels))
        scores[0], scores[1] = low, high
        return scores


SHAPES = {
    "one_a_beat": Shape(10, 1, 11, 1, 4),
    "all_in_a_beat": Shape(10, 10, 9, 1, 8),
    "unsigned_odd": Shape(9, 3, 7, 0, 4),
    "five_a_beat": Shape(10, 5, 8, 1, 4),
    "one_label_of_one_bit": Shape(1, 1, 1, 0, 1),
    "two_in_a_beat_one_bit": Shape(2, 2, 1, 1, 1),
}
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.7), "both": 0.4}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    """The first of several maxima wins, as in numpy."""
    scores = shape.scores(300, seed=3)
    with bench.open("argmax", **asdict(shape)) as model:
        got, _ = bench.stream(model, scores, shape.source, shape.sink, stall)
    np.testing.assert_array_equal(got[:, 0], scores.argmax(axis=1))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, shape):
    beats = shape.Labels // shape.Pe
    with bench.open("argmax", **asdict(shape)) as model:
        _, run = bench.stream(model, shape.scores(40, seed=4), shape.source, shape.sink)
    assert set(run.intervals) == {beats}
    assert set(np.diff(run.frame_starts)) == {beats}
    assert run.latency == beats - 1 + int(np.ceil(np.log2(shape.Pe))) + 3


def test_frames_do_not_see_one_another(bench):
    shape = SHAPES["one_a_beat"]
    scores = shape.scores(100, seed=5)
    with bench.open("argmax", **asdict(shape)) as model:
        first, _ = bench.stream(model, scores, shape.source, shape.sink, 0.3)
        assert model.idle(30) == 0
        second, _ = bench.stream(model, scores[::-1], shape.source, shape.sink)
    np.testing.assert_array_equal(first[:, 0], scores.argmax(axis=1))
    np.testing.assert_array_equal(second[:, 0], scores[::-1].argmax(axis=1))
