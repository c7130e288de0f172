"""Functions as clipped lines: exactly the table, with as few pieces as it takes, or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.ops.affine_fit import MOST_SHIFT, fit_affine


def table_of(rng, integers, low, channels, slopes, out_width=8):
    """Return what factor, offset, PReLU and rounding make of integers, as hardware-legal networks have them."""
    x = np.arange(low, low + integers)[:, None]
    values = x * rng.uniform(-0.9, 0.9, channels) + rng.normal(0, 20, channels)
    if slopes == 2:
        values = np.where(values < 0, values * rng.uniform(0, 1, channels), values)
    return np.clip(np.rint(values), -(2 ** (out_width - 1)), 2 ** (out_width - 1) - 1).astype(np.int64)


@pytest.mark.parametrize("slopes", [1, 2])
@pytest.mark.parametrize(("integers", "low"), [(145, -72), (577, 0), (1153, 0), (256, -128)])
@pytest.mark.parametrize("seed", range(3))
def test_gives_the_table(slopes, integers, low, seed):
    rng = np.random.default_rng(seed)
    table = table_of(rng, integers, low, 16, slopes)
    fit = fit_affine(table, low, 8)
    assert fit is not None and fit.pieces <= slopes and 0 <= fit.shift <= MOST_SHIFT
    assert np.array_equal(fit(np.arange(low, low + integers), -128, 127), table)
    if slopes == 1:
        assert fit.pieces == 1


def test_the_identity_needs_no_shift():
    table = np.repeat(np.arange(-16, 16)[:, None], 3, axis=1)
    fit = fit_affine(table, -16, 6)
    assert (fit.pieces, fit.shift, fit.factors.tolist(), fit.offsets.tolist()) == (1, 0, [[1, 1, 1]], [[0, 0, 0]])


def test_constants():
    table = np.repeat(np.asarray([[3, -4, 0, 7, -8]]), 40, axis=0)
    fit = fit_affine(table, -20, 4)
    assert fit.pieces == 1 and (fit.factors == 0).all()
    assert np.array_equal(fit(np.arange(-20, 20), -8, 7), table)


def test_one_integer():
    fit = fit_affine(np.asarray([[5, -3]]), 9, 8)
    assert np.array_equal(fit(np.asarray([9]), -128, 127), [[5, -3]])


def test_no_line_through_a_zigzag():
    table = np.tile([0, 5, 1, 6, 0, 5], 10)[:, None]
    assert fit_affine(table, 0, 8) is None


def test_a_parabola_has_more_than_two_pieces():
    x = np.arange(-40, 41)
    assert fit_affine((x * x // 16)[:, None], -40, 8) is None
