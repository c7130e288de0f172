from __future__ import annotations

import math
import statistics

import pytest
import torch
from torch.autograd import gradcheck

from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.binarize.scales import (
    AdaBinScale,
    MeanScale,
    RectifiedScale,
    ShiftScale,
    WeightScaling,
    make_scaling,
    standardized,
)
from xnorflow.train.models.config import WeightScale

LINEAR, KERNELS = (3, 8), (3, 2, 3, 3)
FOLDING = [WeightScale.NONE, WeightScale.MEAN, WeightScale.SHIFT, WeightScale.ADABIN_CENTERED,
           WeightScale.RECTIFIED_CHANNEL]  # fmt: skip
EIGHT = [0.5, -0.25, 1.0, -1.0, 0.125, 0.25, -0.5, 0.875]


def weights_of(shape, seed=0):
    """Uniform in [-1, 1] but for a gap around 0, where signs and magnitudes are not smooth."""
    values = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1
    return values + 0.1 * hard_sign(values)


def scaled(scaling, weights):
    return scaling(hard_sign(scaling.latent(weights)), weights)


def per_channel(factor, weights):
    return factor.view(-1, *[1] * (weights.dim() - 1))


def test_standardized_weights_have_mean_0_and_deviation_1():
    result = standardized(torch.tensor([EIGHT, [3 * value + 7 for value in EIGHT]], dtype=torch.float64))
    mean, deviation = statistics.mean(EIGHT), statistics.stdev(EIGHT)
    expected = [(value - mean) / deviation for value in EIGHT]
    assert result[0].tolist() == pytest.approx(expected, rel=1e-12)
    assert result[1].tolist() == pytest.approx(expected, rel=1e-12)  # neither offset nor factor is left


def test_standardizing_takes_each_output_channel_by_itself():
    weights = weights_of(KERNELS)
    assert torch.equal(standardized(weights)[1:2], standardized(weights[1:2]))
    assert standardized(weights).shape == KERNELS


def test_constant_weights_are_no_division_by_0():
    assert standardized(torch.ones(2, 4)).tolist() == [[0] * 4] * 2


def test_no_scale_leaves_the_signs():
    weights = weights_of(KERNELS)
    assert torch.equal(scaled(WeightScaling(), weights), hard_sign(weights))


@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_the_mean_scale_is_the_mean_magnitude(shape):
    weights = weights_of(shape)
    result = scaled(MeanScale(), weights)
    for channel, row in zip(result.flatten(1).tolist(), weights.flatten(1).tolist(), strict=True):
        alpha = sum(abs(value) for value in row) / len(row)
        assert channel == pytest.approx([alpha if value >= 0 else -alpha for value in row], rel=1e-12)


@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_the_mean_scale_s_gradient_is_the_closed_form(shape):
    weights = weights_of(shape).requires_grad_()
    upstream = weights_of(shape, seed=1)
    scaled(MeanScale(), weights).backward(upstream)
    rows = zip(*(value.flatten(1).tolist() for value in (weights, upstream, weights.grad)), strict=True)
    for row, gradient, found in rows:
        signs = [1 if value >= 0 else -1 for value in row]
        to_alpha = sum(part * sign for part, sign in zip(gradient, signs, strict=True))
        assert found == pytest.approx([to_alpha * sign / len(row) for sign in signs], rel=1e-12)


@pytest.mark.parametrize("scale", [MeanScale(), AdaBinScale(centered=True), AdaBinScale(centered=False)])
@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_gradients_through_the_factor_are_those_of_finite_differences(scale, shape):
    binary = hard_sign(weights_of(shape))  # held fixed: what is left is smooth in the weights
    assert gradcheck(lambda weights: scale(binary, weights), (weights_of(shape, seed=1).requires_grad_(),))


def test_gradients_through_the_standardizing_are_those_of_finite_differences():
    assert gradcheck(standardized, (weights_of(KERNELS).requires_grad_(),))


@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_the_shift_scale_is_a_power_of_two_near_the_mean_magnitude(shape):
    weights = weights_of(shape)
    result, factors = scaled(ShiftScale(), weights), ShiftScale().channel_factor(weights).tolist()
    for channel, row, factor in zip(result.flatten(1).tolist(), weights.flatten(1).tolist(), factors, strict=True):
        mean, deviation = statistics.mean(row), statistics.stdev(row)
        centered = [(value - mean) / deviation for value in row]
        expected = 2.0 ** round(math.log2(sum(abs(value) for value in centered) / len(row)))
        assert factor == expected
        assert channel == [expected if value >= 0 else -expected for value in centered]


def test_the_shift_scale_has_powers_other_than_1():
    rows = [[0.0] * 99 + [1.0], [1.0, -1.0] * 50]  # one outlier: a small mean magnitude over its deviation
    assert ShiftScale().channel_factor(torch.tensor(rows)).tolist() == [0.25, 1.0]


def test_the_shift_scale_s_factor_has_no_gradient():
    weights = weights_of(LINEAR).requires_grad_()
    result = ShiftScale()(hard_sign(weights.detach()), weights)
    assert not result.requires_grad


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_adabin_has_two_levels_around_the_mean(centered, shape):
    weights = weights_of(shape)
    result = scaled(AdaBinScale(centered=centered), weights)
    for channel, row in zip(result.flatten(1).tolist(), weights.flatten(1).tolist(), strict=True):
        mean, deviation = statistics.mean(row), statistics.stdev(row)
        center = 0 if centered else mean
        expected = [center + deviation if value >= mean else center - deviation for value in row]
        assert channel == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("scale", "shape", "matrix"),
    [
        (WeightScale.RECTIFIED_CHANNEL, LINEAR, (3, 1)),
        (WeightScale.RECTIFIED_CHANNEL, KERNELS, (3, 1, 1, 1)),
        (WeightScale.RECTIFIED_KERNEL, LINEAR, (1, 1)),
        (WeightScale.RECTIFIED_KERNEL, KERNELS, (1, 1, 3, 3)),
        (WeightScale.RECTIFIED_FULL, LINEAR, LINEAR),
        (WeightScale.RECTIFIED_FULL, KERNELS, KERNELS),
    ],
)
def test_rectified_scales_have_their_shapes_and_begin_as_the_signs(scale, shape, matrix):
    scaling, weights = make_scaling(scale, shape), weights_of(shape).float()
    assert tuple(scaling.matrix.shape) == matrix
    assert torch.equal(scaled(scaling, weights), hard_sign(weights))
    with torch.no_grad():
        scaling.matrix.uniform_(0.5, 2)
    assert torch.equal(scaled(scaling, weights), scaling.matrix.expand(shape) * hard_sign(weights))


def test_a_rectified_scale_s_gradient_is_the_sum_over_its_weights():
    weights, upstream = weights_of(KERNELS).float(), weights_of(KERNELS, seed=1).float()
    for scale, over in ((WeightScale.RECTIFIED_CHANNEL, (1, 2, 3)), (WeightScale.RECTIFIED_KERNEL, (0, 1))):
        scaling = make_scaling(scale, KERNELS)
        scaled(scaling, weights).backward(upstream)
        expected = (upstream.double() * hard_sign(weights).double()).sum(over, keepdim=True)
        torch.testing.assert_close(scaling.matrix.grad.double(), expected, rtol=0, atol=1e-5)  # sums in float32


def test_a_channel_s_learned_factor_stays_positive():
    scaling = RectifiedScale((3, 1), per_channel=True)
    with torch.no_grad():
        scaling.matrix.copy_(torch.tensor([[-2.0], [0.0], [0.5]]))
    expected = torch.tensor([[1e-3], [1e-3], [0.5]])
    assert torch.equal(scaled(scaling, torch.ones(3, 1)), expected)
    assert torch.equal(scaling.channel_factor(torch.ones(3, 1)), expected.flatten())


def test_other_learned_factors_may_change_sign():
    scaling = RectifiedScale((1, 2), per_channel=False)
    with torch.no_grad():
        scaling.matrix.copy_(torch.tensor([[-2.0, 0.0]]))
    assert scaled(scaling, torch.ones(1, 2)).tolist() == [[-2, 0]]


@pytest.mark.parametrize("scale", FOLDING)
@pytest.mark.parametrize("shape", [LINEAR, KERNELS])
def test_a_scale_that_folds_is_its_channel_factor_times_the_signs(scale, shape):
    scaling, weights = make_scaling(scale, shape).double(), weights_of(shape)
    if isinstance(scaling, RectifiedScale):
        with torch.no_grad():
            scaling.matrix.uniform_(0.5, 2)
    factor = scaling.channel_factor(weights)
    assert scaling.folds
    assert factor.shape == (3,)
    assert factor.min() > 0
    assert not factor.requires_grad
    assert torch.equal(scaled(scaling, weights), per_channel(factor, weights) * hard_sign(scaling.latent(weights)))


@pytest.mark.parametrize("scale", [scale for scale in WeightScale if scale not in FOLDING])
def test_the_others_do_not_fold(scale):
    if scale is WeightScale.SPATIAL:  # it scales outputs, not weights
        assert type(make_scaling(scale, KERNELS)) is WeightScaling
    else:
        assert not make_scaling(scale, KERNELS).folds


@pytest.mark.parametrize("scale", [scale for scale in FOLDING if scale is not WeightScale.RECTIFIED_CHANNEL])
def test_channels_of_zeros_keep_a_positive_factor(scale):
    assert make_scaling(scale, LINEAR).channel_factor(torch.zeros(LINEAR)).min() > 0


@pytest.mark.parametrize("scale", list(WeightScale))
def test_only_rectified_scales_have_parameters(scale):
    count = len(list(make_scaling(scale, KERNELS).parameters()))
    assert count == scale.value.startswith("rectified_")
