from __future__ import annotations

import numpy as np
import pytest
import torch
from block_tools import BINARY, BOTH, FORMS, TANH, settings, signs
from torch.nn import functional

from xnorflow.train.models.blocks.scaled import MagnitudeConv2d, StandardizedConv2d

KINDS = [MagnitudeConv2d, StandardizedConv2d]


def make(kind, state=BINARY, **changes):
    torch.manual_seed(0)
    layer = kind(8, 4, 3, settings(**changes))
    with torch.no_grad():
        layer.weight.add_(0.1)  # a mean that standardization must remove
        if layer.gain is not None:
            layer.gain.copy_(torch.tensor([1.0, 2.0, -1.0, 0.5]))
    layer.state = state
    return layer


def standardized(weights):
    flat = weights.detach().double().numpy().reshape(len(weights), -1)
    result = (flat - flat.mean(1, keepdims=True)) / (flat.std(1, keepdims=True) + 1e-5) / np.sqrt(flat.shape[1])
    return torch.tensor(result.reshape(weights.shape))


def test_the_latent_weights_of_the_order_without_norm_are_standardized():
    layer = make(StandardizedConv2d)
    torch.testing.assert_close(layer.latent().double(), standardized(layer.weight), rtol=1e-4, atol=1e-7)
    flat = layer.latent().flatten(1)
    assert flat.mean(1).abs().max() < 1e-6
    assert flat.std(1, unbiased=False).tolist() == pytest.approx([72**-0.5] * 4, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("estimator", ["ste", "approx_sign", "ede"])
def test_the_binary_form_is_whole_numbers_times_a_constant_of_each_channel(kind, estimator):
    layer, values = make(kind, weight_estimator=estimator), signs(2, 8, 5, 5)
    latent = layer.weight if kind is MagnitudeConv2d else standardized(layer.weight)
    ones = torch.where(latent >= 0, 1.0, -1.0)
    whole = functional.conv2d(values, ones)
    factor = latent.abs().flatten(1).mean(1).float()
    factor = factor if layer.gain is None else factor * layer.gain
    torch.testing.assert_close(layer(values), whole * factor.view(1, -1, 1, 1))  # alpha summed in another order
    ratio = layer(values) / (layer.channel_factor() * (1.0 if layer.gain is None else layer.gain)).view(1, -1, 1, 1)
    assert (ratio - whole).abs().max() < 1e-4
    torch.testing.assert_close(layer.binary_weights(), ones * factor.view(-1, 1, 1, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_real_weights_have_no_alpha(kind):
    layer, values = make(kind, TANH), torch.randn(2, 8, 5, 5)
    weights = layer.weight if kind is MagnitudeConv2d else layer.latent() * layer.gain.view(-1, 1, 1, 1)
    torch.testing.assert_close(layer(values), functional.conv2d(values, weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_both_paths_mix(kind):
    binary, real, both = make(kind, BINARY), make(kind, FORMS["binary_activations"]), make(kind, BOTH)
    first, second = signs(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    expected = 0.75 * binary(first) + 0.25 * real(second)
    torch.testing.assert_close(both(torch.cat([first, second])), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_latent_weights_and_gain(kind):
    layer = make(kind)
    layer(signs(2, 8, 5, 5)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())
    torch.manual_seed(0)
    outputs = kind(64, 64, 3, settings())(signs(4, 64, 8, 8))
    assert 0.5 < outputs.std() < 2  # the trunk's range is 4
