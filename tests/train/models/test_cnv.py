from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import BinarizedConv2d, BinarizedLinear, BinarizedWeights, set_form
from xnorflow.train.distill.taps import Taps
from xnorflow.train.models.cnv import scaled_width
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network


def make(network="CNV_1W1A", width=0.125, shape=(3, 32, 32), **settings):
    torch.manual_seed(0)
    return build_network(NetworkSettings(network=network, width=width, **settings), shape, 10)


def test_the_layers_are_those_of_brevitas():
    network = make(width=1.0)
    shapes = [tuple(weighted.layer.weight.shape) for weighted in network.weighted_layers()]
    assert shapes == [
        (64, 3, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3), (256, 128, 3, 3), (256, 256, 3, 3),
        (512, 256), (512, 512), (10, 512),
    ]  # fmt: skip
    kinds = [type(layer).__name__ for layer in network.conv_features]
    block = ["BinarizedConv2d", "BatchNorm2d", "Sign"]
    assert kinds == ["QuantIdentity", *block, *block, "MaxPool2d", *block, *block, "MaxPool2d", *block, *block]
    assert sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, BinarizedWeights)) == 1_542_848


def test_widths_scale_to_multiples_of_eight():
    assert [scaled_width(64, factor) for factor in (1.0, 0.25, 0.5, 0.01, 2.0, 0.3)] == [64, 16, 32, 8, 128, 16]
    assert [tuple(weighted.layer.weight.shape[:2]) for weighted in make(width=0.25).weighted_layers()] == [
        (16, 3), (16, 16), (32, 16), (32, 32), (64, 32), (64, 64), (128, 64), (128, 128), (10, 128)
    ]  # fmt: skip


def test_every_accumulator_behind_a_sign_is_an_integer_in_its_bound():
    network = make().eval()
    seen = []
    layers = {
        weighted.layer: threshold
        for weighted, threshold in zip(network.weighted_layers(), network.thresholds(), strict=False)
    }
    for layer, threshold in layers.items():
        layer.register_forward_hook(lambda _, __, output, threshold=threshold: seen.append((output, threshold)))
    with torch.no_grad():
        network(torch.rand(4, 3, 32, 32))
    assert len(seen) == 8
    for output, threshold in seen:
        assert torch.equal((output / threshold.step).round() * threshold.step, output)
        assert output.abs().max() <= threshold.bound
    assert [threshold.bound for _, threshold in seen] == [27, 72, 72, 144, 144, 288, 32, 64]


def test_features_have_the_same_shapes_in_every_form():
    network, images = make(), torch.rand(2, 3, 32, 32)
    shapes = []
    for form in Form:
        set_form(network, form)
        with Taps(network) as taps:
            network(images).sum().backward()
        shapes.append([features.shape for features in taps.features.values()])
    assert shapes == [shapes[0]] * 4
    assert len(shapes[0]) == 8
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())


@pytest.mark.parametrize(
    ("network", "weights", "activations"),
    [("CNV_1W1A", {-1, 1}, {-1, 1}), ("CNV_1W2A", {-1, 1}, {-1, 0, 1}), ("CNV_2W2A", {-1, 0, 1}, {-1, 0, 1})],
)
def test_bits_are_those_of_the_name(network, weights, activations):
    made = make(network).eval()
    seen = {}
    made.conv_features[3].register_forward_hook(lambda *arguments: seen.update(out=arguments[2]))
    with torch.no_grad():
        made(torch.rand(8, 3, 32, 32))
    assert set(seen["out"].unique().tolist()) == activations
    assert set(made.conv_features[4].binary_weights().unique().tolist()) == weights


def test_other_images_are_refused():
    with pytest.raises(TrainError) as caught:
        make(shape=(1, 28, 28))
    assert str(caught.value) == (
        "network CNV_1W1A, layer conv_features.0: images of 28x28 pixels; allowed: 32x32; choose TFC, SFC or LFC, or "
        "another data set"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "CNV_1W1A", "hidden": (64,)}, "hidden is for TFC, SFC and LFC; CNV_1W1A takes width"),
        ({"network": "TFC_1W1A", "width": 0.5}, "width is for CNV and residual networks; TFC_1W1A takes hidden"),
        (
            {"network": "CNV_1W1A", "input_bits": 1},
            "input_bits = 1 is for TFC, SFC and LFC; CNV_1W1A takes pixels of 8",
        ),
        ({"network": "CNV_1W1A", "weight_scale": "spatial"}, "'spatial' is for residual networks, not CNV_1W1A"),
        (
            {"network": "TFC_1W1A", "block": {"padding": "zero"}},
            "block is for residual networks; TFC_1W1A has no shortcuts",
        ),
    ],
)
def test_settings_of_other_networks_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        NetworkSettings(**settings)


def test_the_first_layer_alone_reads_pixels():
    layers = [module for module in make().modules() if isinstance(module, BinarizedConv2d | BinarizedLinear)]
    assert [layer.reads_signs for layer in layers] == [False] + [True] * 8
    assert isinstance(layers[0], nn.Conv2d)
