from __future__ import annotations

import copy

import pytest
import torch

from xnorflow.artifact.errors import ExportError
from xnorflow.export.settle import check_numbers, settle_thresholds
from xnorflow.train.evaluate import compute_logits


def fires(layer: torch.nn.BatchNorm1d, accumulators: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return layer(accumulators[:, None].expand(-1, layer.num_features)) >= 0


@pytest.mark.parametrize("input_bits", [1, 8])
def test_no_accumulator_changes_sides(random_network, input_bits):
    network = random_network(input_bits)
    settled = copy.deepcopy(network)
    settle_thresholds(settled)
    for (before, step, bound), (after, _, _) in zip(network.thresholds(), settled.thresholds(), strict=True):
        levels = torch.arange(-bound, bound + step, step)
        assert torch.equal(fires(before, levels), fires(after, levels))
        moved = before.weight != 0
        assert torch.equal((after.running_mean[moved] / step) % 1, torch.full((int(moved.sum()),), 0.5))
        assert not after.bias[moved].any()
    images = torch.rand(300, 1, 8, 8)
    assert torch.equal(compute_logits(network, images), compute_logits(settled, images))


def test_maps_are_settled_channel_by_channel(random_network):
    network = random_network(8, name="CNV_1W1A")
    settled = copy.deepcopy(network)
    settle_thresholds(settled)
    assert not torch.equal(network.conv_features[2].running_mean, settled.conv_features[2].running_mean)
    images = torch.rand(40, 3, 32, 32)
    logits = compute_logits(network, images)
    assert torch.equal(logits, compute_logits(settled, images)) and len(logits.unique()) > 5


@pytest.mark.parametrize("name", ["TFC_1W2A", "TFC_2W2A"])
def test_activations_of_two_bits_keep_their_two_thresholds(random_network, name):
    network = random_network(1, name=name)
    before = copy.deepcopy(network.state_dict())
    settle_thresholds(network)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_settling_twice_changes_nothing_more(random_network):
    network = random_network(8)
    settle_thresholds(network)
    once = copy.deepcopy(network.state_dict())
    settle_thresholds(network)
    assert all(torch.equal(once[key], value) for key, value in network.state_dict().items())


@pytest.mark.parametrize(("gamma", "mean"), [(0.7, 2.5), (-0.7, 3.5)])
def test_a_threshold_on_an_accumulator_counts_as_plus_one(random_network, gamma, mean):
    """gamma > 0 fires from 3 up, gamma < 0 from 3 down; the middle lies on the other side of 3."""
    network = random_network(1)
    layer = next(network.thresholds()).batch_norm
    with torch.no_grad():
        layer.weight.fill_(gamma)
        layer.bias.zero_()
        layer.running_mean.fill_(3.0)
    settle_thresholds(network)
    assert layer.running_mean.unique().tolist() == [mean]
    assert fires(layer, torch.tensor([3.0])).all()


def test_a_threshold_out_of_reach_stays_out_of_reach(random_network):
    network = random_network(8)
    layer, step, bound = next(network.thresholds())
    with torch.no_grad():
        layer.weight.fill_(1e-6)
        layer.bias.fill_(-1.0)
    settle_thresholds(network)
    assert layer.running_mean.unique().tolist() == [bound + step / 2]
    assert not fires(layer, torch.tensor([-bound, bound])).any()


@pytest.mark.parametrize(
    ("tensor", "value", "found"),
    [
        ("features.2.weight", float("nan"), "1 values like nan"),
        ("features.3.bias", float("inf"), "1 values like inf"),
        ("features.7.running_var", 0.0, "1 values like 0.0"),
        ("features.7.running_var", -2.0, "1 values like -2.0"),
    ],
)
def test_numbers_without_hardware_form_are_refused(random_network, tensor, value, found):
    network = random_network(1)
    check_numbers(network)
    with torch.no_grad():
        network.state_dict()[tensor].flatten()[3] = value
    with pytest.raises(ExportError, match=rf"^checkpoint, tensor {tensor}: {found}; allowed: finite numbers, and var"):
        check_numbers(network)
