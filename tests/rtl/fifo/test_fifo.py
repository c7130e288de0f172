"""xnorflow_fifo: order, capacity, rate and latency."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.streams import StreamSpec

WIDTH = 13
DEPTHS = [1, 2, 3, 4, 7]
BEAT = StreamSpec("beat", f"UINT{WIDTH}", WIDTH, 1, 1)


def numbers(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 1 << WIDTH, (count, 1))


@pytest.mark.parametrize("stall", [0.0, (0.5, 0.0), (0.0, 0.5), 0.5, (0.9, 0.1), (0.1, 0.9)])
@pytest.mark.parametrize("depth", DEPTHS)
def test_keeps_order_and_data(bench, depth, stall):
    with bench.open("fifo", Width=WIDTH, Depth=depth) as model:
        got, _ = bench.stream(model, numbers(500), BEAT, BEAT, stall)
    np.testing.assert_array_equal(got, numbers(500))


@pytest.mark.parametrize("depth", DEPTHS)
def test_rate_and_latency(bench, depth):
    with bench.open("fifo", Width=WIDTH, Depth=depth) as model:
        _, run = bench.stream(model, numbers(50), BEAT, BEAT)
    assert set(run.intervals) == {2 if depth == 1 else 1}
    assert run.latency == (1 if depth <= 2 else 2)


@pytest.mark.parametrize("depth", DEPTHS)
def test_holds_exactly_depth_beats(bench, depth):
    """While nobody takes, Depth beats are accepted and not one more; then they come out and it goes on."""
    with bench.open("fifo", Width=WIDTH, Depth=depth) as model:
        beats = np.zeros((depth, 2), np.uint8)
        beats[:, 0] = np.arange(depth)
        assert len(model.run(beats, 0, timeout_cycles=50).beats) == 0
        with pytest.raises(SimulateError, match="input beat 0 of frame 0 is not accepted"):
            model.run(np.full((1, 2), 1, np.uint8), 0, timeout_cycles=50)
        held = model.run(np.zeros((0, 2), np.uint8), depth).beats
    np.testing.assert_array_equal(held, beats)
