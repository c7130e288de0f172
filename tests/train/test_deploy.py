from __future__ import annotations

import pytest
import torch
from torch import nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.deploy import deploy, deployed_settings
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPES = {"TFC_1W1A": (1, 8, 8), "CNV_1W1A": (3, 32, 32)}
FOLDING = ["mean", "shift", "adabin_centered", "rectified_channel"]


def make(network="TFC_1W1A", **settings):
    """A network whose scales and BatchNorms are away from where they begin."""
    torch.manual_seed(0)
    sizes = {"hidden": (24, 16)} if network == "TFC_1W1A" else {"width": 0.125}
    chosen = NetworkSettings(network=network, **sizes, **settings)
    made = build_network(chosen, SHAPES[network], 10)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "scaling" in name:
                parameter.copy_(torch.rand_like(parameter) + 0.2)
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.weight.copy_(torch.randn_like(layer.weight))
                layer.bias.copy_(torch.randn_like(layer.bias))
        for _ in range(20):  # statistics that fit the accumulators
            made(torch.rand(32, *SHAPES[network]))
    return made.eval(), chosen


@pytest.mark.parametrize("network", SHAPES)
@pytest.mark.parametrize("scale", FOLDING)
@pytest.mark.parametrize("estimator", ["ste", "approx_sign", "ede"])
def test_scales_fold_into_the_batch_norm_behind_them(network, scale, estimator):
    trained, settings = make(network, weight_scale=scale, weight_estimator=estimator)
    shipped, plain = deploy(trained, settings, SHAPES[network], 10)
    images = torch.rand(200, *SHAPES[network])
    with torch.no_grad():
        assert torch.equal(shipped(images), trained(images))
    assert (plain.weight_scale, plain.weight_estimator, plain.estimator, plain.dropout) == ("none", "ste", "ste", 0)


def test_nothing_of_the_method_is_left():
    trained, settings = make(weight_scale="rectified_channel", estimator="ede")
    shipped, plain = deploy(trained, settings, (1, 8, 8), 10)
    fresh = build_network(NetworkSettings(network="TFC_1W1A", hidden=(24, 16), dropout=0.0), (1, 8, 8), 10)
    assert shipped.state_dict().keys() == fresh.state_dict().keys()
    assert plain == NetworkSettings(network="TFC_1W1A", hidden=(24, 16), dropout=0.0)
    weights = shipped.state_dict()["features.2.weight"]
    assert set(weights.unique().tolist()) == {-1, 1}


def test_a_plain_network_keeps_its_latent_weights():
    trained, settings = make(dropout=0.3)
    shipped, plain = deploy(trained, settings, (1, 8, 8), 10)
    assert all(torch.equal(tensor, shipped.state_dict()[key]) for key, tensor in trained.state_dict().items())
    assert plain.dropout == 0


def test_deploying_leaves_the_trained_network_alone():
    trained, settings = make(weight_scale="shift")
    before = {key: tensor.clone() for key, tensor in trained.state_dict().items()}
    deploy(trained, settings, (1, 8, 8), 10)
    assert all(torch.equal(tensor, before[key]) for key, tensor in trained.state_dict().items())


@pytest.mark.parametrize("scale", ["rectified_kernel", "rectified_full", "adabin"])
def test_scales_that_do_not_fold_are_refused_for_hardware_and_kept_otherwise(scale):
    with pytest.raises(TrainError) as caught:
        make(weight_scale=scale)
    layer = "features.2"
    assert str(caught.value) == (
        f"network TFC_1W1A, layer {layer}: weight_scale = '{scale}' does not fold into the BatchNorm behind it; "
        "allowed: none, mean, shift, adabin_centered, rectified_channel; choose one of these, or set hardware = false"
    )
    trained, settings = make(weight_scale=scale, hardware=False)
    shipped, kept = deploy(trained, settings, (1, 8, 8), 10)
    assert kept == settings
    images = torch.rand(50, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(shipped(images), trained(images))


def test_deployed_settings_keep_what_inference_needs():
    settings = NetworkSettings(network="CNV_1W2A", width=0.25, estimator="ede", weight_scale="mean", dropout=0.1)
    assert deployed_settings(settings) == NetworkSettings(network="CNV_1W2A", width=0.25, dropout=0.0)
