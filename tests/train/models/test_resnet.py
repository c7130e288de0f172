from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d, FormState, in_form, set_form
from xnorflow.train.deploy import deploy
from xnorflow.train.models.blocks.trunk import Trunk
from xnorflow.train.models.config import NetworkSettings, Order
from xnorflow.train.models.registry import build_network

PAPER = {
    "padding": "zero", "slope": "free", "trunk_bits": "real", "downsample": "convolution", "ends": "real",
}  # fmt: skip
SMALL = (3, 16, 16)
MIXED = {"both": FormState(False, Activation.BOTH, 0.5), "hardtanh": FormState(True, Activation.HARDTANH)}


def make(shape=SMALL, form=Form.BINARY, classes=10, **settings):
    torch.manual_seed(0)
    chosen = NetworkSettings(**{"network": "RESNET8_1W1A", "width": 0.25, **settings})
    return build_network(chosen, shape, classes, form)


def features(network, images):
    found = {}
    handles = [
        network.get_submodule(name).register_forward_hook(lambda *call, name=name: found.update({name: call[-1]}))
        for name in network.taps
    ]
    logits = network(images)
    for handle in handles:
        handle.remove()
    assert tuple(found) == network.taps
    return logits, found


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("form", [*Form, *MIXED])
@pytest.mark.parametrize("paper", [False, True])
def test_every_order_trains_in_every_form_with_the_same_feature_shapes(order, form, paper):
    block = {**PAPER, "gate": "published"} if paper else {"link": True, "interaction": "streaming"}
    network = make(hardware=not paper, block={"order": order, **block})
    set_form(network, MIXED.get(form, form))
    logits, found = features(network, torch.rand(4, *SMALL))
    assert [tuple(feature.shape) for feature in found.values()] == [(4, 8, 8, 8), (4, 16, 4, 4), (4, 32, 2, 2)]
    assert logits.shape == (4, 10) and logits.std() > 0
    logits.square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
    latent = [layer.weight.grad.abs().sum() for layer in network.modules() if isinstance(layer, BinarizedConv2d)]
    assert len(latent) == (6 if paper else 7) and min(latent) > 0


@pytest.mark.parametrize(("network", "blocks", "channels"), [
    ("RESNET8_1W1A", (1, 1, 1), 32), ("RESNET18_1W1A", (2, 2, 2, 2), 64), ("RESNET20_1W1A", (3, 3, 3), 16),
    ("RESNET34_1W1A", (3, 4, 6, 3), 64),
])  # fmt: skip
def test_topologies(network, blocks, channels):
    made = make((3, 32, 32), network=network, width=1.0, classes=7)
    assert made.taps == tuple(f"stages.{i}.{j}" for i, number in enumerate(blocks) for j in range(number))
    widths = [layer.layer.weight.shape[0] for layer in made.weighted_layers()]
    stages = [channels * 2**stage for stage, number in enumerate(blocks) for _ in range(2 * number)]
    assert widths == [channels, *stages, 7]


@pytest.mark.parametrize(("width", "expected"), [(0.25, 16), (0.3, 16), (0.01, 8), (1.5, 96)])
def test_width_rounds_the_first_stage_and_the_others_double_it(width, expected):
    network = make((3, 32, 32), network="RESNET18_1W1A", width=width)
    firsts = [network.stages[stage][0].second.conv.weight.shape[0] for stage in range(4)]
    assert firsts == [expected * 2**stage for stage in range(4)]


def test_large_images_get_the_stem_of_imagenet():
    network = make((3, 96, 128), network="RESNET18_1W1A", width=0.125).eval()
    assert network.stem.conv.weight.shape == (8, 3, 7, 7) and network.stem.conv.stride == (2, 2)
    state = network.stages[0][0].first.conv.state
    images = torch.rand(1, 3, 96, 128)
    trunk = network.stem(images, state) * 32
    assert trunk.shape == (1, 8, 24, 32)
    assert torch.equal(trunk, trunk.round())
    small = make((3, 64, 64), network="RESNET18_1W1A", width=0.125)
    assert small.stem.conv.weight.shape == (8, 3, 3, 3) and small.stem.pool is None
    cifar = make((3, 128, 128), network="RESNET20_1W1A", width=0.5)
    assert cifar.stem.conv.weight.shape == (8, 3, 3, 3) and cifar.stem.pool is None


@pytest.mark.parametrize("form", [Form.BINARY, Form.BINARY_ACTIVATIONS])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("bits", [4, 8])
def test_the_trunk_is_integers_everywhere(form, training, bits):
    network, seen = make(form=form, block={"trunk_bits": bits}).train(training), []
    for layer in network.modules():
        if isinstance(layer, Trunk):
            layer.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    _, found = features(network, torch.rand(8, *SMALL))
    step, limit = 4 / 2 ** (bits - 1), 2 ** (bits - 1)
    assert len(seen) == 1 + 6 * 2 + 2
    for values in (*seen, *found.values()):
        levels = values / step
        assert torch.equal(levels, levels.round())
        assert levels.min() >= -limit and levels.max() <= limit - 1
        assert len(levels.unique()) > 4


def test_convolutions_see_nothing_but_signs():
    network, seen = make(), []
    for layer in network.modules():
        if isinstance(layer, BinarizedConv2d) and layer.reads_signs:
            layer.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    network(torch.rand(4, *SMALL))
    assert len(seen) == 6
    for values in seen:
        assert set(values.unique().tolist()) == {-1, 1}
        assert set(values[:, :, 0].unique().tolist()) == {-1}


def test_pixels_are_eight_bits_and_black_stands_around_them():
    network, seen = make(), []
    network.stem.conv.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0] * 128))
    network(torch.rand(2, *SMALL))
    network(torch.zeros(2, *SMALL))
    levels, black = seen
    assert torch.equal(levels, levels.round()) and levels.shape == (2, 3, 18, 18)
    assert levels[:, :, 1:-1, 1:-1].max() > 100 and set(levels[:, :, -1].unique().tolist()) == {-128}
    assert set(black.unique().tolist()) == {-128}


def test_logits_are_whole_sums_times_a_power_of_two():
    network = make((3, 32, 32)).eval()
    classifier, trunks = network.classifier, []
    classifier.register_forward_pre_hook(lambda layer, inputs: trunks.append(inputs[0]))
    with torch.no_grad():
        logits = network(torch.rand(16, 3, 32, 32))
    sums = (trunks[0].numpy() * 32).astype(np.int64).sum((2, 3))
    weights = np.where(classifier.linear.weight.detach().numpy() >= 0, 1, -1)
    expected = sums @ weights.T / 32 * classifier.factor * classifier.scale.scale
    assert np.array_equal(logits.numpy(), expected)
    assert np.log2(classifier.factor) == -4 and len(np.unique(expected)) > 20


def test_thresholds_stand_between_the_trunk_and_a_sign():
    network = make()
    thresholds = list(network.thresholds())
    halves = [half for name in network.taps for half in network.get_submodule(name).children()]
    assert [threshold.batch_norm for threshold in thresholds] == [half.before for half in halves]
    assert {(threshold.step, threshold.bound) for threshold in thresholds} == {(2.0**-5, 4.0)}
    assert {threshold.step for threshold in make(block={"trunk_bits": 4}).thresholds()} == {0.5}


@pytest.mark.parametrize("block", [
    {"order": "react"}, {"order": "bireal"}, {"order": "bbcu"}, {"order": "norm_free"}, {"trunk_bits": "real"},
    {"gate": "published"},
])  # fmt: skip
def test_there_are_no_thresholds_where_the_norm_is_more_or_missing(block):
    assert not list(make(hardware=False, block=block).thresholds())


@pytest.mark.parametrize("order", list(Order))
def test_weighted_layers_name_the_norm_behind_them(order):
    network = make(block={"order": order})
    modules, bare = dict(network.named_modules()), order in (Order.BBCU, Order.NORM_FREE)
    weighted = list(network.weighted_layers())
    convolutions = [f"stages.{i}.0.{half}.conv" for i in range(3) for half in ("first", "second")]
    assert [name for name, _, _ in weighted] == ["stem.conv", *convolutions, "classifier.linear"]
    for name, layer, norm in weighted:
        assert modules[name] is layer
        expected = None if bare or name == "classifier.linear" else modules[name.removesuffix("conv") + "norm"]
        assert norm is expected
    assert (not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())) == bare


def test_real_ends_are_no_binary_layers():
    network = make(hardware=False, block=PAPER)
    assert next(name for name, _, _ in network.weighted_layers()) == "stages.0.0.first.conv"
    assert type(network.stem.conv) is nn.Conv2d and type(network.classifier.linear) is nn.Linear


@pytest.mark.parametrize(("order", "scale"), [
    ("real_to_binary", "none"), ("real_to_binary", "shift"), ("bbcu", "none"), ("norm_free", "none"),
])  # fmt: skip
@pytest.mark.parametrize("estimator", ["ste", "ede"])
def test_a_deployed_network_computes_the_same(order, scale, estimator):
    block = {"order": order, "link": True, "interaction": "streaming"}
    network = make(weight_scale=scale, weight_estimator=estimator, block=block)
    for _ in range(5):
        network(torch.rand(16, *SMALL))
    settings = NetworkSettings(
        network="RESNET8_1W1A", width=0.25, weight_scale=scale, weight_estimator=estimator, block=block
    )  # fmt: skip
    shipped, plain = deploy(network.eval(), settings, SMALL, 10)
    images = torch.rand(64, *SMALL)
    with torch.no_grad():  # the scale is a power of two: folding it rounds nothing
        assert torch.equal(shipped(images), network(images))
    assert (plain.weight_scale, plain.weight_estimator) == ("none", "ste")


@pytest.mark.parametrize("network", ["RESNET8_1W1A", "RESNET18_1W1A", "RESNET20_1W1A", "RESNET34_1W1A"])
@pytest.mark.parametrize(("interaction", "part"), [("streaming", "interaction"), ("published", "side")])
def test_interaction_adds_at_most_a_tenth_to_every_layer(network, interaction, part):
    block = {"interaction": interaction, "interaction_branches": 2}
    made = make((3, 32, 32), network=network, width=0.5, hardware=False, block=block)
    halves = [half for name in made.taps for half in made.get_submodule(name).children()]
    for half in halves:
        weights = sum(parameter.numel() for parameter in getattr(half, part).parameters())
        assert 0 < weights <= 0.1 * half.conv.weight.numel()
    assert len(halves) == 2 * len(made.taps)


def test_forms_share_their_weights():
    network = make(form=Form.FLOAT)
    binary = make()
    binary.load_state_dict(network.state_dict())
    images = torch.rand(4, *SMALL)
    with in_form(network, Form.BINARY), torch.no_grad():
        assert torch.equal(network.eval()(images), binary.eval()(images))


def test_a_network_learns():
    network = make(width=0.5, initial_range=0.1)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    images, labels = torch.rand(40, *SMALL), torch.arange(40) % 10
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
    assert loss < 0.5  # what chance gives is 2.3
