from __future__ import annotations

import math

import numpy as np
import torch

from xnorflow.train.models.blocks.levels import fixed_point, power_of_two, straight_through, ternary, unit


def grid():
    return torch.linspace(-1.5, 1.5, 3001)


def test_powers_of_two_are_the_nearest_by_logarithm():
    values = grid()
    found = power_of_two(values).double().numpy()
    magnitude = np.clip(np.abs(values.double().numpy()), 0, 1)
    with np.errstate(divide="ignore"):
        exponent = np.round(np.log2(magnitude))
    expected = np.where(exponent >= -6, 2.0**exponent, 0) * np.sign(values.numpy())
    assert np.array_equal(found, expected)
    assert len(np.unique(found)) == 15


def test_bounds_between_powers_belong_to_the_larger_one():
    bound = torch.tensor(2.0**-0.5)
    below = torch.nextafter(bound, torch.tensor(0.0))
    assert power_of_two(torch.stack([below, bound, -bound])).tolist() == [0.5, 1.0, -1.0]


def test_ternary_and_fixed_point_levels():
    assert ternary(torch.tensor([-3, -0.6, -0.5, 0.5, 0.51, 2])).tolist() == [-1, -1, 0, 0, 1, 1]
    values = grid()
    expected = np.clip(np.round(values.double().numpy() * 8), -7, 7) / 8
    assert np.array_equal(fixed_point(values, 1 / 8).double().numpy(), expected)


def test_gradients_pass_inside_the_range_only():
    for function, limit in ((power_of_two, 1), (ternary, 1), (lambda x: fixed_point(x, 1 / 8), 7 / 8)):
        values = grid().requires_grad_()
        function(values).sum().backward()
        assert torch.equal(values.grad, (values.detach().abs() <= limit).float())


def test_straight_through_is_exact_forward_and_the_identity_backward():
    values = torch.randn(1000, requires_grad=True)
    rounded = torch.round(values * 3)
    result = straight_through(rounded, values)
    assert torch.equal(result, rounded)
    result.sum().backward()
    assert torch.equal(values.grad, torch.ones(1000))


def test_a_unit_is_the_power_of_two_near_the_root_of_the_fan_in():
    for fan_in in (9, 72, 288, 576, 4608):
        assert math.log2(unit(fan_in)) == round(math.log2(fan_in) / 2)
