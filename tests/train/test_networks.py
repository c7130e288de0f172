from __future__ import annotations

import numpy as np
import pytest
import torch

from xnorflow.train.augment import random_shift
from xnorflow.train.binarize import BinaryWeight, binary_linear, binary_sign, byte_input
from xnorflow.train.config import LossName, NetworkName, TrainSettings
from xnorflow.train.losses import make_loss
from xnorflow.train.models.fc import HIDDEN
from xnorflow.train.models.registry import build_network


def make(**settings):
    torch.manual_seed(0)
    return build_network(TrainSettings(**{"network": "TFC_1W1A", **settings}), (1, 8, 8), 10)


def test_sign_of_zero_is_plus_one_for_activations():
    values = torch.tensor([-3.0, -1e-30, -0.0, 0.0, 1e-30, 3.0])
    assert binary_sign()(values).tolist() == [-1, -1, 1, 1, 1, 1]


def test_sign_of_zero_is_plus_one_for_weights_and_the_scale_is_one():
    layer = binary_linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, -0.0, -1e-30], [0.3, -0.7, 1.0]]))
    quantized = layer.quant_weight()
    assert quantized.value.tolist() == [[1, 1, -1], [1, -1, 1]]
    assert quantized.scale.item() == 1.0


def test_gradients_pass_straight_through_inside_the_range_only():
    values = torch.tensor([-1.5, -0.5, 0.5, 1.5], requires_grad=True)
    binary_sign()(values).sum().backward()
    assert values.grad.tolist() == [0, 1, 1, 0]


def test_latent_weights_are_clipped_in_place():
    layer = binary_linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-7.0, 0.5]]))
    layer(torch.ones(1, 2)).sum().backward()
    assert layer.weight.tolist() == [[-1.0, 0.5]]
    assert layer.weight.grad.tolist() == [[1, 1]]
    assert BinaryWeight.scaling_const == 1.0


def test_byte_input_has_256_levels_and_rounds_halves_to_even():
    values = torch.tensor([-2.0, -1.0, -0.5, 0.5 / 128, 1.5 / 128, 126.6 / 128, 1.0])
    assert (byte_input()(values) * 128).tolist() == [-128, -128, -64, 0, 2, 127, 127]
    ramp = byte_input()(torch.linspace(-1, 1, 4096)) * 128
    assert sorted(set(ramp.tolist())) == list(range(-128, 128))


@pytest.mark.parametrize("name", list(NetworkName))
@pytest.mark.parametrize("input_bits", [1, 8])
def test_logits_are_whole_accumulators_times_a_power_of_two(name, input_bits):
    network = make(network=name, input_bits=input_bits).eval()
    scale = network.features[-1].scale
    with torch.no_grad():
        accumulators = network(torch.rand(50, 1, 8, 8)) / scale
    width = HIDDEN[name][-1]
    assert np.log2(scale) == int(np.log2(scale))
    assert torch.equal(accumulators, accumulators.round())
    assert set((accumulators % 2).unique().tolist()) == {width % 2}
    assert accumulators.abs().max() <= width
    assert [layer.weight.shape[0] for layer in network.features if hasattr(layer, "quant_weight")] == [
        *HIDDEN[name],
        10,
    ]


def test_one_bit_inputs_split_at_one_half():
    network = make()
    black, gray, white = (torch.full((1, 1, 8, 8), value) for value in (0.0, 0.5, 1.0))
    just_below = torch.nextafter(gray, black)
    network.eval()
    assert torch.equal(network(gray), network(white))
    assert torch.equal(network(just_below), network(black))


def test_hidden_widths_can_be_given():
    network = make(hidden=(5, 7))
    assert [tuple(layer.weight.shape) for layer in network.features if hasattr(layer, "quant_weight")] == [
        (5, 64), (7, 5), (10, 7)
    ]  # fmt: skip
    assert [(threshold.step, threshold.bound) for threshold in network.thresholds()] == [(1.0, 64.0), (1.0, 5.0)]


def test_squared_hinge_is_the_formula():
    logits = torch.tensor([[2.0, -3.0, 0.5], [0.0, 0.0, -0.5]])
    expected = ((0 + 0 + 1.5**2) + (1 + 1 + 1.5**2)) / 6
    assert make_loss(LossName.SQUARED_HINGE)(logits, torch.tensor([0, 2])).item() == pytest.approx(expected, rel=1e-6)


def test_shift_moves_every_image_by_its_own_step_and_nothing_else():
    images = torch.zeros(64, 1, 9, 9)
    images[:, 0, 4, 4] = 1
    moved = random_shift(images, 2, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    places = moved[:, 0].flatten(1).argmax(1)
    rows, columns = places // 9, places % 9
    assert moved.sum((1, 2, 3)).tolist() == [1.0] * 64
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}
    assert random_shift(images, 0, torch.Generator()) is images
