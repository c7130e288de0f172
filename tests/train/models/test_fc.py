from __future__ import annotations

import numpy as np
import pytest
import torch

from xnorflow.train.binarize.layers import BinarizedLinear
from xnorflow.train.models.config import NetworkName, NetworkSettings
from xnorflow.train.models.fc import HIDDEN
from xnorflow.train.models.registry import build_network

PERCEPTRONS = [name for name in NetworkName if name.topology in HIDDEN]


def make(**settings):
    torch.manual_seed(0)
    return build_network(NetworkSettings(**{"network": "TFC_1W1A", **settings}), (1, 8, 8), 10)


def shapes(network):
    return [tuple(layer.weight.shape) for layer in network.features if isinstance(layer, BinarizedLinear)]


@pytest.mark.parametrize("name", PERCEPTRONS)
@pytest.mark.parametrize("input_bits", [1, 8])
def test_logits_are_whole_accumulators_times_a_power_of_two(name, input_bits):
    network = make(network=name, input_bits=input_bits).eval()
    scale = network.features[-1].scale
    with torch.no_grad():
        accumulators = network(torch.rand(50, 1, 8, 8)) / scale
    width = HIDDEN[name.topology][-1]
    assert np.log2(scale) == int(np.log2(scale))
    assert torch.equal(accumulators, accumulators.round())
    if name.weight_bits == name.activation_bits == 1:
        assert set((accumulators % 2).unique().tolist()) == {width % 2}
    assert accumulators.abs().max() <= width
    assert len(accumulators.unique()) > 5
    assert [rows for rows, _ in shapes(network)] == [*HIDDEN[name.topology], 10]


def test_one_bit_inputs_split_at_one_half():
    network = make()
    black, gray, white = (torch.full((1, 1, 8, 8), value) for value in (0.0, 0.5, 1.0))
    just_below = torch.nextafter(gray, black)
    network.eval()
    assert torch.equal(network(gray), network(white))
    assert torch.equal(network(just_below), network(black))


def test_hidden_widths_can_be_given():
    network = make(hidden=(5, 7))
    assert shapes(network) == [(5, 64), (7, 5), (10, 7)]
    assert [(threshold.step, threshold.bound) for threshold in network.thresholds()] == [(1.0, 64.0), (1.0, 5.0)]


def test_eight_bit_pixels_come_in_steps_of_two_to_the_minus_seven():
    network = make(hidden=(5, 7), input_bits=8)
    assert [(threshold.step, threshold.bound) for threshold in network.thresholds()] == [(2.0**-7, 64.0), (1.0, 5.0)]


def test_features_are_what_the_batch_norms_give():
    network = make(hidden=(5, 7))
    layers = dict(network.named_modules())
    assert [layers[tap] for tap in network.taps] == [threshold.batch_norm for threshold in network.thresholds()]
    weighted = list(network.weighted_layers())
    assert [layer.batch_norm for layer in weighted] == [*(layers[tap] for tap in network.taps), None]
    assert all(layers[name] is layer for name, layer, _ in weighted)
