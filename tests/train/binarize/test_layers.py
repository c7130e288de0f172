"""Activations, weights and the two ends of a network, layer by layer; forms are in ``test_forms``."""

from __future__ import annotations

import pytest
import torch
from layer_tools import LAYERS, REAL, linear, make, product, settings, signs

from xnorflow.train.binarize.estimators import approx_sign_slope, ede_slope, hard_sign
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import (
    STATES,
    Activation,
    BinarizedLinear,
    FormState,
    Sign,
    input_quantizer,
    set_form,
    set_progress,
    trunk_integer,
)

# activations -----------------------------------------------------------------------------------------------------

POINTS = [-1.75, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.75]


@pytest.mark.parametrize(
    ("state", "function"),
    [
        (STATES[Form.BINARY], lambda x: 1.0 if x >= 0 else -1.0),
        (STATES[Form.BINARY_ACTIVATIONS], lambda x: 1.0 if x >= 0 else -1.0),
        (STATES[Form.FLOAT], lambda x: max(x, 0.0)),
        (REAL, lambda x: max(-1.0, min(1.0, x))),
    ],
)
def test_an_activation_is_its_form_s_function(state, function):
    layer = Sign(settings())
    set_form(layer, state)
    assert layer(torch.tensor(POINTS)).tolist() == [function(x) for x in POINTS]


def test_the_tanh_form_has_tanh():
    layer = Sign(settings())
    set_form(layer, Form.TANH)
    assert torch.equal(layer(torch.tensor(POINTS)), torch.tanh(torch.tensor(POINTS)))


def test_both_activations_are_stacked_along_the_frames():
    layer, values = Sign(settings()), torch.tensor([POINTS, POINTS[::-1]])
    set_form(layer, FormState(False, Activation.BOTH, 0.5))
    result = layer(values)
    assert torch.equal(result[:2], hard_sign(values))
    assert torch.equal(result[2:], values.clamp(-1, 1))


@pytest.mark.parametrize(
    ("estimator", "slope"),
    [
        ("ste", lambda x: (x.abs() <= 1).float()),
        ("approx_sign", approx_sign_slope),
        ("ede", lambda x: ede_slope(x, 0.7)),
    ],
)
def test_the_activation_s_gradient_is_the_chosen_estimator_s(estimator, slope):
    layer, values = Sign(settings(estimator=estimator)), torch.tensor(POINTS, requires_grad=True)
    set_progress(layer, 0.7)
    upstream = torch.linspace(-1, 2, len(POINTS))
    layer(values).backward(upstream)
    assert torch.equal(values.grad, upstream * slope(values.detach()))


@pytest.mark.parametrize("estimator", ["ste", "approx_sign", "ede"])
def test_two_bit_activations_have_the_levels_of_their_integers(estimator):
    layer = Sign(settings(2, estimator=estimator))
    values = torch.tensor([-3.0, -0.75, -0.5, -0.25, 0.0, 0.5, 0.51, 1.0, 9.0], requires_grad=True)
    result = layer(values)
    assert result.tolist() == [-1, -1, 0, 0, 0, 0, 1, 1, 1]  # halves to the even neighbor
    result.sum().backward()
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]


# weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LAYERS)
def test_the_binary_form_multiplies_by_the_signs(kind):
    layer, values = make(kind), signs(kind)
    with torch.no_grad():
        layer.weight.view(-1)[:2] = torch.tensor([0.0, -0.0])
    expected = product(kind, values, torch.where(layer.weight >= 0, 1.0, -1.0))
    assert torch.equal(layer(values), expected)
    assert torch.equal(layer(values), layer(values).round())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("form", [Form.FLOAT, Form.TANH, Form.BINARY_ACTIVATIONS])
def test_the_other_forms_multiply_by_the_latent_weights(kind, form):
    layer, values = make(kind), signs(kind)
    with torch.no_grad():
        layer.weight *= 3  # not clipped: these weights are used as they are
    before = layer.weight.detach().clone()
    set_form(layer, form)
    assert torch.equal(layer(values), product(kind, values, before))
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"weight_estimator": "approx_sign"},
        {"weight_scale": "mean"},
        {"weight_scale": "rectified_full"},
    ],
)
def test_latent_weights_are_clipped_in_place(kind, changes):
    layer = make(kind, **changes)
    with torch.no_grad():
        layer.weight.view(-1)[:4] = torch.tensor([-7.0, 1.5, 0.5, -1.0])
    layer(signs(kind)).sum().backward()
    assert layer.weight.view(-1)[:4].tolist() == [-1, 1, 0.5, -1]
    assert layer.weight.abs().max() <= 1


@pytest.mark.parametrize("kind", LAYERS)
def test_the_plain_weight_s_gradient_goes_straight_through(kind):
    layer, values = make(kind), signs(kind)
    with torch.no_grad():
        layer.weight.view(-1)[:2] = torch.tensor([-7.0, 1.0])  # at the ends of the range as well
    result = layer(values)
    upstream = torch.randn(result.shape, generator=torch.Generator().manual_seed(3))
    result.backward(upstream)
    reference = torch.where(layer.weight >= 0, 1.0, -1.0).requires_grad_()
    product(kind, values, reference).backward(upstream)
    torch.testing.assert_close(layer.weight.grad, reference.grad, rtol=1e-6, atol=1e-6)  # order of float32 sums


@pytest.mark.parametrize("scale", ["mean", "rectified_channel"])
def test_a_clipped_weight_of_a_scaled_layer_can_come_back(scale):
    layer = linear(weight_scale=scale)
    with torch.no_grad():
        layer.weight[0, 0] = 1.0
        layer.weight[1, 0] = -1.0
    layer(torch.eye(12)[:1]).sum().backward()  # only the first column has an input
    assert layer.weight.grad[0, 0] > 0
    assert layer.weight.grad[1, 0] != 0


@pytest.mark.parametrize(
    ("estimator", "slope"), [("approx_sign", approx_sign_slope), ("ede", lambda x: ede_slope(x, 0.7))]
)
def test_the_weight_s_gradient_is_the_chosen_estimator_s(estimator, slope):
    plain, layer = linear(), linear(weight_estimator=estimator)
    set_progress(layer, 0.7)
    values = signs("linear")
    upstream = torch.randn(7, 5, generator=torch.Generator().manual_seed(3))
    for each in (plain, layer):
        each(values).backward(upstream)
    assert torch.equal(layer.weight.grad, plain.weight.grad * slope(layer.weight.detach()))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scale", ["rectified_channel", "rectified_kernel", "rectified_full"])
def test_a_rectified_layer_with_factors_of_1_is_the_plain_binary_one(kind, scale):
    plain = make(kind, weight_estimator="approx_sign")
    rectified = make(kind, weight_estimator="approx_sign", weight_scale=scale)
    assert torch.equal(plain.weight, rectified.weight)
    values, results = signs(kind), []
    for layer in (plain, rectified):
        inputs = values.clone().requires_grad_()
        result = layer(inputs)
        result.backward(torch.randn(result.shape, generator=torch.Generator().manual_seed(3)))
        results.append((result, inputs.grad, layer.weight.grad))
    assert all(torch.equal(first, second) for first, second in zip(*results, strict=True))
    assert rectified.scaling.matrix.grad.abs().max() > 0


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scale", ["none", "mean", "shift", "adabin_centered", "rectified_channel"])
def test_a_scale_that_folds_is_a_factor_on_the_plain_output(kind, scale):
    layer, plain, values = make(kind, weight_scale=scale), make(kind), signs(kind)
    with torch.no_grad():
        if scale == "rectified_channel":
            layer.scaling.matrix.uniform_(0.5, 2)
        plain.weight.copy_(layer.scaling.latent(layer.weight).clamp(-1, 1))
        factor = layer.scaling.channel_factor(layer.weight)
        expected = factor.view(1, -1, *[1] * (values.dim() - 2)) * plain(values)
        found = layer(values)
    # The factor times whole numbers, against a sum of factors, each rounded to float32.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    if scale in ("none", "shift"):  # powers of two: no rounding
        assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("changes", [{}, {"weight_scale": "mean", "weight_estimator": "ede"}])
def test_two_bit_weights_have_the_levels_of_their_integers(kind, changes):
    layer = make(kind, bits=2, **changes)
    with torch.no_grad():
        layer.weight.view(-1)[:8] = torch.tensor([-3.0, -0.75, -0.5, -0.25, 0.0, 0.5, 0.51, 9.0])
    levels = layer.binary_weights()
    assert levels.flatten()[:8].tolist() == [-1, -1, 0, 0, 0, 0, 1, 1]  # halves to the even neighbor
    assert torch.equal(layer(signs(kind)), product(kind, signs(kind), levels))
    levels.sum().backward()
    assert torch.equal(layer.weight.grad, torch.ones_like(layer.weight))


def test_a_layer_that_is_not_to_be_scaled_is_plain():
    torch.manual_seed(0)
    layer = BinarizedLinear(12, 5, settings(weight_scale="mean"), scaled=False)
    assert torch.equal(layer(signs("linear")), linear()(signs("linear")))
    assert layer.plain
    assert not linear(weight_scale="mean").plain


# inputs and trunks -----------------------------------------------------------------------------------------------


def test_inputs_of_one_bit_are_signs_and_of_eight_bits_are_bytes():
    values = torch.tensor([-2.0, -0.5 / 128, 0.0, 1.5 / 128, 0.75, 1.0])
    assert input_quantizer(1)(values).tolist() == [-1, -1, 1, 1, 1, 1]
    assert (input_quantizer(8)(values) * 128).tolist() == [-128, 0, 0, 2, 96, 127]


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("floor", [False, True])
def test_a_trunk_has_the_integers_of_its_bits(bits, floor):
    step = 4 / 2 ** (bits - 1)
    steps = [-(2.0**bits), -1.5, -0.5, -0.25, 0.5, 0.75, 1.5, 2.0**bits]
    values = torch.tensor([value * step for value in steps], requires_grad=True)
    result = trunk_integer(bits, floor=floor)(values)
    inner = [-2, -1, -1, 0, 0, 1] if floor else [-2, 0, 0, 0, 1, 2]
    assert (result / step).tolist() == [-(2 ** (bits - 1)), *inner, 2 ** (bits - 1) - 1]
    result.sum().backward()
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 0]
