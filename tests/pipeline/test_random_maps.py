"""Random convolutional and residual networks, foldings and stalls through the whole ladder: nothing may differ."""

from __future__ import annotations

import pytest

SEEDS = [pytest.param(seed, marks=[pytest.mark.full] if seed >= 5 else []) for seed in range(110)]


@pytest.mark.parametrize("kind", ["maps", "residual"])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(kind, seed, climb_seed):
    climb_seed(kind, seed)
