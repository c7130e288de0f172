"""Random convolutional and residual networks, foldings and stalls through the whole ladder: nothing may differ."""

from __future__ import annotations

import pytest


def seeds(count, quick):
    return [pytest.param(seed, marks=[pytest.mark.full] if seed >= quick else []) for seed in range(count)]


@pytest.mark.parametrize("kind", ["maps", "residual"])
@pytest.mark.parametrize("seed", seeds(110, quick=2))
def test_random_network(kind, seed, climb_seed):
    climb_seed(kind, seed)


@pytest.mark.parametrize("seed", seeds(60, quick=1))
def test_random_windows_together(seed, climb_seed):
    """Convolutions whose windows and pixels come several in a beat, weights in LUTs or block RAM, multipliers."""
    climb_seed("together", seed)


@pytest.mark.parametrize("seed", seeds(60, quick=1))
def test_random_branches(seed, climb_seed):
    """Residual blocks with gates and side branches."""
    climb_seed("branches", seed)
