"""Random perceptrons, foldings and stalls through the whole ladder: nothing may differ, and nothing may warn."""

from __future__ import annotations

import pytest

SEEDS = [pytest.param(seed, marks=[pytest.mark.full] if seed >= 6 else []) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(seed, climb_seed):
    climb_seed("perceptrons", seed)
