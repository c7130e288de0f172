"""Latent weights with usage ``in_layer``; the other two are in ``test_latent_weights``."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
import torch
from distill_tools import attached, convolution, look, optimizer_of, perceptron, probe, settings, states
from torch import nn
from torch.nn import functional

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import Activation, FormState, Sign, in_form
from xnorflow.train.distill.config import LatentWeights
from xnorflow.train.distill.latent_weights import LatentWeightsTerm, real_share


def make(digits, network=perceptron, **changes):
    student = network()
    return student, attached(LatentWeightsTerm(LatentWeights(usage="in_layer", **changes)), student, digits)


def test_the_real_share_is_half_a_cosine():
    assert real_share(0.0, 0.8) == 1
    assert real_share(0.4, 0.8) == pytest.approx(0.5, abs=1e-15)
    assert real_share(0.2, 0.8) == pytest.approx((1 + math.sqrt(0.5)) / 2, abs=1e-15)
    assert real_share(0.8, 0.8) == real_share(0.9, 0.8) == 0
    shares = [real_share(step / 100, 0.8) for step in range(81)]
    assert all(after < before for before, after in pairwise(shares))


def test_in_layer_sets_the_mix_before_each_step(digits):
    student, term = make(digits, until=0.5)
    for progress in (0.0, 0.1, 0.25, 0.49):
        term.before_forward(progress)
        assert states(student) == {(False, Activation.BOTH, (1 + math.cos(math.pi * progress / 0.5)) / 2)}
    for progress in (0.5, 0.99):
        term.before_forward(progress)
        assert states(student) == {(False, Activation.SIGN, 0.0)}


def test_in_layer_is_binary_at_the_end_of_the_stage(digits):
    student, term = make(digits, until=1.0)
    term.before_forward(0.9)
    assert Activation.BOTH in {activation for _, activation, _ in states(student)}
    term.end_stage()
    assert states(student) == {(False, Activation.SIGN, 0.0)}


def test_in_layer_begins_as_the_real_network_and_ends_as_the_binary_one(digits):
    student, term = make(digits, until=0.5)
    with in_form(student, FormState(True, Activation.HARDTANH)):
        real = student(digits[0])
    binary = student(digits[0])
    term.before_forward(0.0)
    assert torch.equal(student(digits[0]), real)
    term.before_forward(0.5)
    assert torch.equal(student(digits[0]), binary)


def test_in_layer_has_no_loss_and_no_parameters(digits):
    student, term = make(digits)
    term.before_forward(0.1)
    loss = term(look(student, *digits))
    loss.backward()  # it may be the only term
    assert loss.item() == 0
    assert all(parameter.grad is None or parameter.grad.abs().max() == 0 for parameter in student.parameters())
    assert not list(term.parameters())
    assert not term.state_dict()


@pytest.mark.parametrize("network", [perceptron, convolution])
def test_a_network_trains_while_it_is_mixed(digits, network):
    student, term = make(digits, network, until=0.75)
    optimizer, losses = optimizer_of(student, term), []
    for step in range(40):
        term.before_forward(step / 40)
        loss = functional.cross_entropy(student(digits[0]), digits[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert states(student) == {(False, Activation.SIGN, 0.0)}
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_attaching_leaves_modes_forms_and_statistics(digits):
    student = perceptron()
    student.features[3].eval()
    modes = [layer.training for layer in student.modules()]
    view = probe(perceptron(), *digits)
    before = copy.deepcopy(student.state_dict())
    LatentWeightsTerm(LatentWeights(usage="in_layer")).attach(student, view)
    assert [layer.training for layer in student.modules()] == modes
    assert states(student) == {(False, Activation.SIGN, 0.0)}
    assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())


class TwoFrames(nn.Module):
    """Reads signs together with something of two frames, as a gate does: it cannot take two paths, stacked."""

    def forward(self, signs):
        return signs * torch.ones(2, 1)


@pytest.mark.parametrize("position", ["between", "at the end"])
def test_a_network_that_cannot_mix_is_refused(digits, position):
    student = perceptron()
    if position == "between":
        student.features.insert(5, TwoFrames())
        student.taps = ("features.3",)
    else:
        student.features.append(Sign(settings()))  # runs, and gives the logits of twice the frames
    with pytest.raises(TrainError) as caught:
        attached(LatentWeightsTerm(LatentWeights(usage="in_layer")), student, digits)
    assert str(caught.value) == (
        'loss latent_weights: usage is "in_layer", and a layer of the network reads signs without being able to mix '
        'both paths; allowed: "two_stream" or "binary_twin" with this network; set usage'
    )
