"""Brevitas's own path through the quantizers: what export writes, and equal to what training computes."""

from __future__ import annotations

import pytest
import torch

from xnorflow.train.binarize.layers import BinarizedLinear, Sign
from xnorflow.train.binarize.quantizers import SignedByteInput, activation_quantizer
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.quiet import quiet

with quiet():
    import brevitas.nn as qnn

SETTINGS = {1: NetworkSettings(network="TFC_1W1A"), 2: NetworkSettings(network="TFC_2W2A")}


def test_the_sign_of_zero_is_plus_one_for_weights_and_the_scale_is_one():
    layer = BinarizedLinear(3, 2, SETTINGS[1])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, -0.0, -1e-30], [0.3, -0.7, 1.0]]))
    quantized = layer.quant_weight()
    assert quantized.value.tolist() == [[1, 1, -1], [1, -1, 1]]
    assert quantized.scale.item() == 1.0


def test_the_sign_of_zero_is_plus_one_for_activations():
    values = torch.tensor([-3.0, -1e-30, -0.0, 0.0, 1e-30, 3.0])
    layer = qnn.QuantIdentity(act_quant=activation_quantizer(1))
    assert layer(values).tolist() == [-1, -1, 1, 1, 1, 1]


@pytest.mark.parametrize("bits", [1, 2])
def test_training_computes_what_brevitas_s_quantizers_do(bits):
    torch.manual_seed(0)
    layer, values = BinarizedLinear(40, 30, SETTINGS[bits]), torch.randn(500)
    assert torch.equal(layer.binary_weights(), layer.quant_weight().value)
    assert torch.equal(Sign(SETTINGS[bits])(values), qnn.QuantIdentity(act_quant=activation_quantizer(bits))(values))


def test_byte_input_has_256_levels_and_rounds_halves_to_even():
    layer = qnn.QuantIdentity(act_quant=SignedByteInput)
    values = torch.tensor([-2.0, -1.0, -0.5, 0.5 / 128, 1.5 / 128, 126.6 / 128, 1.0])
    assert (layer(values) * 128).tolist() == [-128, -128, -64, 0, 2, 127, 127]
    ramp = layer(torch.linspace(-1, 1, 4096)) * 128
    assert sorted(set(ramp.tolist())) == list(range(-128, 128))
