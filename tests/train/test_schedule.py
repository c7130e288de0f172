from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.config import RecipeSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.schedule import clip_adaptively, learning_rate_factor, make_optimizer, make_scheduler


def recipe(**settings):
    return RecipeSettings(network="TFC_1W1A", **settings)


def test_cosine_falls_from_one_to_nothing():
    factor = learning_rate_factor(recipe(epochs=4, scheduler="cosine"), 25)
    assert [factor(done) for done in (0, 50, 100)] == pytest.approx([1, 0.5, 0])
    assert factor(25) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


def test_linear_falls_in_a_straight_line_after_warmup():
    factor = learning_rate_factor(recipe(epochs=5, scheduler="linear", warmup_epochs=1), 10)
    assert [factor(done) for done in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])  # the first step moves already
    assert [factor(done) for done in (10, 30, 50)] == pytest.approx([1, 0.5, 0])


def test_step_multiplies_after_each_milestone():
    factor = learning_rate_factor(recipe(epochs=9, scheduler="step", milestones=(3, 6), gamma=0.5), 10)
    assert [factor(done) for done in (0, 29, 30, 59, 60, 89)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_none_stays():
    assert {learning_rate_factor(recipe(scheduler="none"), 10)(done) for done in range(300)} == {1.0}


def test_the_scheduler_drives_the_optimizer():
    settings = recipe(epochs=2, scheduler="linear", learning_rate=0.5)
    optimizer = make_optimizer(nn.Linear(1, 1), settings)
    scheduler = make_scheduler(optimizer, settings, 2)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([0.5, 0.375, 0.25, 0.125])


def test_sgd_has_momentum_and_weight_decay_arrives():
    group = make_optimizer(nn.Linear(1, 1), recipe(optimizer="sgd", weight_decay=0.01)).param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.9, 0.01)


def test_scales_may_have_a_rate_of_their_own():
    """Weights of binary layers in the first group, all others in the second; both rates fall alike."""
    settings = recipe(epochs=2, scheduler="linear", learning_rate=0.5, scale_learning_rate=0.02)
    network = build_network(settings.network_settings(), (1, 28, 28), 10)
    optimizer = make_optimizer(network, settings)
    scheduler = make_scheduler(optimizer, settings, 1)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    weights, others = ({names[id(one)] for one in group["params"]} for group in optimizer.param_groups)
    binary = {f"{name}.weight" for name, layer in network.named_modules() if isinstance(layer, BinarizedWeights)}
    assert weights == binary and len(binary) == 4
    assert others == set(names.values()) - binary and others
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.02]
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.25, 0.01])


def test_adaptive_clipping_limits_each_unit_by_its_weights():
    weight = nn.Parameter(torch.tensor([[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]))
    weight.grad = torch.tensor([[30.0, 40.0], [3.0, 4.0], [0.03, 0.04]])
    bias = nn.Parameter(torch.ones(3))
    bias.grad = torch.full((3,), 100.0)
    clip_adaptively([weight, bias], 0.1)
    # norms of the rows: weights 5, 0 (counts as 0.001), 5; gradients 50, 5, 0.05; limits 0.5, 0.0001, 0.5
    expected = torch.tensor([[0.3, 0.4], [0.00006, 0.00008], [0.03, 0.04]])
    assert torch.allclose(weight.grad, expected, rtol=1e-6, atol=0)
    assert torch.equal(bias.grad, torch.full((3,), 100.0))
