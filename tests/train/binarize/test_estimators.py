from __future__ import annotations

import math

import pytest
import torch

from xnorflow.train.binarize.estimators import (
    approx_sign_slope,
    ede_slope,
    hard_sign,
    sign,
    ste_slope,
    straight_sign,
)
from xnorflow.train.models.config import Estimator

GRID = [step / 16 for step in range(-32, 33)]  # exact in every float type; holds 0, both ends of [-1, 1] and beyond
KINDS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def ste(x):
    return 1.0 if -1 <= x <= 1 else 0.0


def triangle(x):
    """2 + 2x in [-1, 0), 2 - 2x in [0, 1), else 0."""
    if -1 <= x < 0:
        return 2 + 2 * x
    return 2 - 2 * x if 0 <= x < 1 else 0.0


def ede(x, progress):
    sharpness = 10 ** (-3 + 4 * progress)
    return max(1 / sharpness, 1) * sharpness * (1 - math.tanh(sharpness * x) ** 2)


def slope_of(estimator, x, progress=0.0):
    values = torch.tensor([x], dtype=torch.float64, requires_grad=True)
    sign(values, estimator, progress).backward(torch.ones(1, dtype=torch.float64))
    return values.grad.item()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("binary", [hard_sign, straight_sign, *(lambda x, e=e: sign(x, e) for e in Estimator)])
def test_the_sign_of_zero_is_plus_one(binary, kind):
    values = torch.tensor([-3.0, -(2.0**-14), -0.0, 0.0, 2.0**-14, 3.0], dtype=kind)
    result = binary(values)
    assert result.tolist() == [-1, -1, 1, 1, 1, 1]
    assert result.dtype == kind


def test_forward_is_the_same_for_all_and_keeps_the_shape():
    values = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    for progress in (0.0, 0.5, 1.0):
        for estimator in Estimator:
            assert torch.equal(sign(values, estimator, progress), hard_sign(values))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("function", "formula"), [(ste_slope, ste), (approx_sign_slope, triangle)])
def test_slopes_are_the_closed_forms_exactly(function, formula, kind):
    assert function(torch.tensor(GRID, dtype=kind)).tolist() == [formula(x) for x in GRID]


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.5, 0.75, 0.9, 1.0])
def test_the_decaying_slope_is_the_closed_form(progress):
    found = ede_slope(torch.tensor(GRID, dtype=torch.float64), progress).tolist()
    # 1 - tanh**2 loses digits where tanh is nearly 1.
    assert found == pytest.approx([ede(x, progress) for x in GRID], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("formula", [(Estimator.STE, ste), (Estimator.APPROX_SIGN, triangle)], ids=lambda pair: pair[0])
def test_backward_is_the_gradient_times_the_slope_exactly(formula, kind):
    estimator, slope = formula
    values = torch.tensor(GRID, dtype=kind, requires_grad=True)
    upstream = torch.tensor([(-1) ** index * (index % 8) / 4 for index in range(len(GRID))], dtype=kind)
    sign(values, estimator).backward(upstream)
    assert values.grad.tolist() == [gradient * slope(x) for gradient, x in zip(upstream.tolist(), GRID, strict=True)]


def test_backward_of_the_decaying_estimator_is_the_gradient_times_the_slope_exactly():
    values = torch.tensor(GRID, dtype=torch.float64, requires_grad=True)
    upstream = torch.linspace(-1, 2, len(GRID), dtype=torch.float64)
    sign(values, Estimator.EDE, 0.6).backward(upstream)
    assert torch.equal(values.grad, upstream * ede_slope(values.detach(), 0.6))


@pytest.mark.parametrize("kind", KINDS)
def test_the_straight_through_interval_is_closed(kind):
    """A latent weight clipped to 1 must still be able to come back."""
    edge = torch.ones((), dtype=kind)
    above, below = torch.nextafter(edge, edge + 1), torch.nextafter(edge, edge - 1)
    values = torch.stack([-above, -edge, -below, below, edge, above]).requires_grad_()
    sign(values, Estimator.STE).sum().backward()
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_straight_sign_passes_every_gradient():
    values = torch.tensor([-70.0, -1.0, 0.0, 1.5], requires_grad=True)
    upstream = torch.tensor([1.0, -2.0, 3.0, math.inf])
    straight_sign(values).backward(upstream)
    assert torch.equal(values.grad, upstream)


def test_the_decaying_estimator_begins_as_the_identity():
    slopes = ede_slope(torch.tensor(GRID, dtype=torch.float64), 0.0)
    assert ede_slope(torch.zeros(1, dtype=torch.float64), 0.0).item() == 1
    assert (1 - slopes).abs().max() < 4.1e-6  # tanh(0.001 * 2)**2


def test_the_decaying_estimator_ends_near_the_sign():
    assert ede_slope(torch.zeros(1, dtype=torch.float64), 1.0).item() == 10
    assert ede_slope(torch.tensor([1.0], dtype=torch.float64), 1.0).item() < 1e-7
    # The jump of the sign is 2: so is the area under the slope.
    fine = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    assert torch.trapezoid(ede_slope(fine, 1.0), fine).item() == pytest.approx(2, abs=1e-6)


def test_the_area_under_the_triangle_is_the_sign_s_jump():
    points = torch.tensor(GRID, dtype=torch.float64)
    assert torch.trapezoid(approx_sign_slope(points), points).item() == 2


def test_the_decaying_estimator_sharpens_without_a_jump():
    at_zero = [slope_of(Estimator.EDE, 0.0, step / 100) for step in range(101)]
    assert at_zero[:76] == pytest.approx([1.0] * 76, rel=1e-12)  # k t = 1 until t = 1
    assert all(at_zero[index] < at_zero[index + 1] < 1.1 * at_zero[index] for index in range(75, 100))
    aside = [slope_of(Estimator.EDE, 1.0, step / 100) for step in range(101)]
    assert max(aside) <= 1
    assert all(aside[index] > aside[index + 1] for index in range(100))


def test_slopes_are_even_and_nowhere_negative():
    points = torch.tensor(GRID, dtype=torch.float64)
    for function in (ste_slope, approx_sign_slope, lambda x: ede_slope(x, 0.3), lambda x: ede_slope(x, 1.0)):
        assert torch.equal(function(points), function(-points))
        assert function(points).min() >= 0


@pytest.mark.parametrize("progress", [-0.01, 1.01, math.nan])
def test_progress_outside_of_0_to_1_is_a_fault(progress):
    with pytest.raises(AssertionError):
        sign(torch.zeros(1), Estimator.EDE, progress)
