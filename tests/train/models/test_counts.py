from __future__ import annotations

import math

import pytest
import torch

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import set_form
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.counts import LayerKind, Operations, Totals, count_layers, total
from xnorflow.train.models.registry import build_network

IMAGENET = (3, 224, 224)
CIFAR = (3, 32, 32)
PAPER = {
    "padding": "zero", "slope": "free", "trunk_bits": "real", "downsample": "convolution", "ends": "real",
}  # fmt: skip


def count(shape=CIFAR, classes=10, **settings):
    return count_layers(build_network(NetworkSettings(**settings), shape, classes), shape)


def paper_resnet18(**block):
    return count(IMAGENET, 1000, network="RESNET18_1W1A", hardware=False, block={**PAPER, **block})


def macs_of_3x3(*layers):
    """Products of 3x3 convolutions given as (channels in, channels out, pixels out)."""
    return sum(9 * fan_in * fan_out * pixels for fan_in, fan_out, pixels in layers)


def test_bireal_resnet18_has_its_published_operations():
    totals = total(paper_resnet18(order="bireal"))
    stages = [(64, 56), (128, 28), (256, 14), (512, 7)]
    layers = [(64, 64, 56 * 56)]
    for index, (channels, side) in enumerate(stages):
        before = channels // 2 if index else channels
        layers += [(before, channels, side * side)] if index else []
        layers += [(channels, channels, side * side)] * 3
    assert totals.binary_macs == macs_of_3x3(*layers) == 1_676_279_808
    # Sub-bit Neural Networks (https://arxiv.org/abs/2110.09195) gives 1.677e9 for a binary ResNet-18: the last digit.
    assert totals.binary_macs == pytest.approx(1.677e9, rel=1e-3)
    downsampling = sum(channels // 2 * channels * side * side for channels, side in stages[1:])
    assert totals.real_macs == 147 * 64 * 112 * 112 + downsampling + 512 * 1000
    assert totals.few_bit_macs == 0
    # 1 %: the published number has three digits, and does not say which small layers it holds.
    assert totals.published_flops == pytest.approx(1.63e8, rel=0.01)


def test_real_to_binary_resnet18_is_near_its_published_operations():
    totals = total(paper_resnet18(gate="published", second_norm=False))
    assert totals.binary_macs == 1_676_279_808
    # The published 1.83e8 is 11 % more than all products together, so it must hold element-by-element layers as well
    # (BatchNorm, PReLU, factors, the gates' averages); which, is not known to us. Products alone must be fewer.
    assert 0.88 * 1.83e8 < totals.published_flops < 1.83e8
    plain = total(paper_resnet18(order="bireal"))
    assert totals.published_flops > plain.published_flops


def test_the_published_gate_has_two_times_c_c_over_r_weights():
    layers = {layer.name: layer for layer in paper_resnet18(gate="published", gate_reduction=8)}
    for name, channels in (("stages.0.0.first", 64), ("stages.1.1.second", 128), ("stages.3.1.second", 512)):
        parts = [layers[f"{name}.gate.{part}"] for part in ("reduce", "expand")]
        assert sum(part.weights for part in parts) == 2 * channels * channels // 8
        assert sum(part.real_macs for part in parts) == 2 * channels * channels // 8
    widening = [layers[f"stages.1.0.first.gate.{part}"].weights for part in ("reduce", "expand")]
    assert widening == [64 * 64 // 8, 64 // 8 * 128]


def test_the_hardware_form_has_no_real_products():
    layers = count(IMAGENET, 1000, network="RESNET18_1W1A")
    totals = total(layers)
    assert (totals.binary_macs, totals.real_macs) == (1_676_279_808, 0)
    assert totals.few_bit_macs == 147 * 64 * 112 * 112 + 512 * 1000
    stem, classifier = layers[0], layers[-1]
    assert (stem.name, stem.weight_bits, stem.activation_bits) == ("stem.conv", 1, 8)
    assert (stem.input_shape, stem.output_shape) == ((3, 230, 230), (64, 112, 112))
    assert (classifier.name, classifier.activation_bits) == ("classifier.linear", 8 + math.ceil(math.log2(49)))
    weights = sum(layer.weights for layer in layers if layer.kind in (LayerKind.CONVOLUTION, LayerKind.LINEAR))
    assert totals.weight_bits == weights


def test_resnet20_has_the_operations_of_its_formula():
    layers = count(network="RESNET20_1W1A")
    maps = [(16, 16, 32 * 32)] * 6 + [(16, 32, 256)] + [(32, 32, 256)] * 5 + [(32, 64, 64)] + [(64, 64, 64)] * 5
    assert total(layers).binary_macs == macs_of_3x3(*maps)
    binary = [layer for layer in layers if layer.binary_macs]
    assert len(binary) == 18
    assert [layer.popcount_width for layer in binary] == [9 * fan_in for fan_in, _, _ in maps]
    assert sum(layer.weights for layer in binary) == sum(9 * a * b for a, b, _ in maps)


def test_a_perceptron_is_its_matrices():
    layers = count((1, 28, 28), network="TFC_1W1A")
    linear = [layer for layer in layers if layer.kind is LayerKind.LINEAR]
    assert [layer.binary_macs for layer in linear] == [784 * 64, 64 * 64, 64 * 64, 640]
    assert [layer.weights for layer in linear] == [layer.binary_macs for layer in linear]
    assert total(layers) == Totals(59008, 0, 0, 59008, 2 * 3 * 64)
    assert total(layers).published_flops == 59008 / 64
    gray = count((1, 28, 28), network="TFC_1W1A", input_bits=8)
    assert gray[0].few_bit_macs == 784 * 64 and gray[0].popcount_width == gray[0].binary_macs == 0


def test_bits_follow_the_network():
    layers = [layer for layer in count(network="CNV_2W2A", width=0.125) if layer.kind is LayerKind.CONVOLUTION]
    assert {layer.weight_bits for layer in layers} == {2}
    assert [layer.activation_bits for layer in layers] == [8, 2, 2, 2, 2, 2]
    assert total(layers).weight_bits == 2 * sum(layer.weights for layer in layers)


@pytest.mark.parametrize(("scale", "extra", "real"), [
    ("rectified_full", 9 * 8 * 8, True), ("rectified_kernel", 9, False), ("rectified_channel", 0, False),
])  # fmt: skip
def test_factors_that_do_not_fold_are_counted(scale, extra, real):
    layers = {layer.name: layer for layer in count(
        (3, 16, 16), network="RESNET8_1W1A", width=0.25, weight_scale=scale, hardware=False
    )}  # fmt: skip
    name = "stages.0.0.first.conv"
    assert (layers[name].real_macs > 0) == real and (layers[name].binary_macs == 0) == real
    found = layers.get(f"{name}.scaling")
    assert (found.weights if found else 0) == extra
    assert found is None or found.weight_bits == 32


def test_branches_count_themselves():
    block = {"gate": "power_of_two", "interaction": "streaming", "interaction_branches": 2, "link": True}
    layers = {layer.name: layer for layer in count((3, 16, 16), network="RESNET8_1W1A", block=block)}
    gate, side, link = (layers[f"stages.0.0.first.{part}"] for part in ("gate", "interaction", "link"))
    assert {gate.kind, side.kind, link.kind} == {LayerKind.BRANCH}
    assert (gate.weights, gate.few_bit_macs, gate.weight_bits) == (2 * 32 * 4, 2 * 32 * 4, 4)
    assert (side.weights, side.few_bit_macs) == (2 * (9 + 32), 2 * 64 * (9 + 32))
    assert (link.weights, link.few_bit_macs, link.real_macs) == (32, 0, 0)
    assert Operations() == Operations(binary=0, few_bit=0, real=0)


def test_counting_leaves_the_network_alone():
    network = build_network(NetworkSettings(network="RESNET8_1W1A", width=0.25), (3, 16, 16), 10)
    set_form(network, Form.TANH)
    network.train()
    network.stem.eval()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    first, second = count_layers(network, (3, 16, 16)), count_layers(network, (3, 16, 16))
    assert first == second
    assert all(torch.equal(tensor, network.state_dict()[key]) for key, tensor in before.items())
    assert network.training and network.stages.training and not network.stem.training
    assert network.stages[0][0].first.conv.state.activation == "tanh"
    assert not any(layer._forward_hooks for layer in network.modules())
