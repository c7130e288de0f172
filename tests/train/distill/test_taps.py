from __future__ import annotations

import pytest
import torch
from distill_tools import convolution, perceptron

from xnorflow.train.distill.taps import Taps


def hooks(network):
    return sum(len(layer._forward_hooks) for layer in network.modules())


def test_features_are_the_outputs_of_the_tapped_layers_in_order(digits):
    network = perceptron().eval()
    with Taps(network) as taps:
        logits = network(digits[0])
    assert list(taps.features) == ["features.3", "features.7"]
    values = 2 * digits[0].flatten(1) - 1
    for layer in list(network.features)[:4]:
        values = layer(values)
    assert torch.equal(taps.features["features.3"], values)
    assert torch.equal(logits, network(digits[0]))


def test_gradients_flow_through_features(digits):
    network = perceptron()
    with Taps(network) as taps:
        network(digits[0])
    taps.features["features.3"].square().sum().backward()
    assert network.features[2].weight.grad is not None
    assert network.features[6].weight.grad is None


def test_maps_keep_their_shape(digits):
    network = convolution()
    with Taps(network) as taps:
        network(digits[0][:5])
    assert [tuple(value.shape) for value in taps.features.values()] == [(5, 4, 6, 6), (5, 6, 4, 4)]


def test_the_order_is_the_network_s_not_that_of_computation(digits):
    network = perceptron()
    network.taps = ("features.7", "features.3")
    with Taps(network) as taps:
        network(digits[0])
    assert list(taps.features) == ["features.7", "features.3"]


def test_hooks_are_there_inside_the_block_only(digits):
    network = perceptron()
    before = hooks(network)
    with Taps(network) as taps:
        assert hooks(network) == before + 2
        network(digits[0])
    assert hooks(network) == before
    kept = taps.features["features.3"]
    network(digits[0] * 0.5)
    assert taps.features["features.3"] is kept


def test_an_error_in_the_block_takes_the_hooks_off(digits):
    network = perceptron()
    before = hooks(network)
    with pytest.raises(RuntimeError), Taps(network):
        network(digits[0][:, :, :4])
    assert hooks(network) == before


def test_an_unknown_tap_leaves_no_hook():
    network = perceptron()
    network.taps = ("features.3", "features.99")
    before = hooks(network)
    with pytest.raises(AttributeError), Taps(network):
        pass
    assert hooks(network) == before


def test_taps_can_be_used_again_and_nested(digits):
    network = perceptron().eval()
    outer = Taps(network)
    with outer:
        network(digits[0])
        with Taps(network) as inner:
            network(digits[0][:3])
    assert len(inner.features["features.3"]) == 3
    with outer:
        network(digits[0][:7])
    assert len(outer.features["features.3"]) == 7


def test_features_before_a_pass_are_an_error():
    with Taps(perceptron()) as taps, pytest.raises(KeyError):
        _ = taps.features
