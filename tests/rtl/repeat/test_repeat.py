"""xnorflow_repeat: copies of each pixel, rate and latency."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec, pack
from xnorflow.simulate.model import StreamModel

WIDTH = 9
# Beats of a pixel, copies.
SHAPES = {
    "one_beat": (1, 2),
    "twice": (4, 2),
    "odd": (3, 3),
    "many_copies": (2, 5),
    "long_pixel": (21, 2),
}
STALLS = {"none": 0.0, "in": (0.5, 0.0), "out": (0.0, 0.5), "both": 0.4}


def open_repeat(bench, shape: tuple[int, int]) -> StreamModel:
    return bench.open("repeat", Width=WIDTH, Beats=shape[0], Times=shape[1])


def specs(shape: tuple[int, int]) -> tuple[StreamSpec, StreamSpec]:
    """Return both ports, a pixel being a frame."""
    beats, times = shape
    source, sink = (StreamSpec("s", f"UINT{WIDTH}", WIDTH, elements, 1) for elements in (beats, beats * times))
    return source, sink


def pixels(shape: tuple[int, int], count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << WIDTH, (count, shape[0]))


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    values = pixels(shape, 100)
    with open_repeat(bench, shape) as model:
        got, _ = bench.stream(model, values, *specs(shape), stall)
    np.testing.assert_array_equal(got, np.tile(values, shape[1]))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_interval_and_latency_are_exact(bench, shape):
    beats, times = shape
    with open_repeat(bench, shape) as model:
        _, run = bench.stream(model, pixels(shape, 40), *specs(shape))
    assert set(run.intervals) == {beats * times}
    assert run.first_output == 2
    assert run.latency == 2 + beats * times - 1
    # Two pixels are taken in at once; any other one follows the last copy of the one before the last.
    freed = 2 + (times - 1) * beats + beats * times * np.arange(38)
    freed[0] = max(freed[0], 2 * beats)
    np.testing.assert_array_equal(run.frame_starts, [0, beats, *freed])


def test_a_pixel_for_the_largest_map(bench):
    """65,536 copies, which takes all bits of the counter of copies."""
    shape = (2, 65536)
    values = pixels(shape, 3)
    with open_repeat(bench, shape) as model:
        got, run = bench.stream(model, values, *specs(shape))
    assert set(run.intervals) == {2 * 65536}
    np.testing.assert_array_equal(got, np.tile(values, shape[1]))


def test_slow_source_costs_nothing(bench):
    """While a pixel is repeated, the next one comes in: pauses of the source are hidden behind the copies."""
    shape = SHAPES["many_copies"]
    with open_repeat(bench, shape) as model:
        _, run = bench.stream(model, pixels(shape, 60), *specs(shape), (0.3, 0.0))
    assert run.frame_ends[-1] - run.frame_ends[5] == 54 * shape[0] * shape[1]


def test_holds_two_pixels(bench):
    """While nobody takes, two pixels are accepted and not a beat more."""
    shape = SHAPES["odd"]
    source, sink = specs(shape)
    values = pixels(shape, 2)
    with open_repeat(bench, shape) as model:
        assert len(model.run(pack(values, source), 0, timeout_cycles=50).beats) == 0
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(pack(values[:1, :1], StreamSpec("s", f"UINT{WIDTH}", WIDTH, 1, 1)), 0, timeout_cycles=50)
        held = model.run(np.zeros((0, 2), np.uint8), 2 * sink.beats).beats
    np.testing.assert_array_equal(held, pack(np.tile(values, shape[1]), sink))


def test_pixels_do_not_see_one_another(bench):
    """A pixel gives the same first, last, alone or after others, and after a pause."""
    shape = SHAPES["odd"]
    values = pixels(shape, 50, seed=2)
    with open_repeat(bench, shape) as model:
        first, _ = bench.stream(model, values, *specs(shape), 0.3)
        assert model.idle(30) == 0
        second, _ = bench.stream(model, values[::-1], *specs(shape))
    np.testing.assert_array_equal(first, np.tile(values, shape[1]))
    np.testing.assert_array_equal(second, np.tile(values[::-1], shape[1]))
