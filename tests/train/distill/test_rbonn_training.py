"""Training with RBONN's term: it falls, goes on after an interruption, and leaves nothing behind."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from distill_tools import attached, convolution, optimizer_of, perceptron, run_steps

from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.deploy import deploy
from xnorflow.train.distill.config import CrossEntropy, Rbonn
from xnorflow.train.distill.rbonn import RbonnTerm
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.trainee import Trainee

FORMS = ["code", "paper"]


def rectified(student):
    layers = [layer for layer in student.modules() if isinstance(layer, BinarizedWeights)]
    return [layer for layer in layers if isinstance(layer.scaling, RectifiedScale)]


@pytest.mark.parametrize("network", [perceptron, convolution])
@pytest.mark.parametrize("form", FORMS)
def test_it_falls_in_training(digits, network, form):
    student = network(weight_scale="rectified_channel")
    term = attached(RbonnTerm(Rbonn(form=form, strength=0.01)), student, digits)
    parameters = [parameter for layer in rectified(student) for parameter in layer.parameters()]
    losses = run_steps(student, term, torch.optim.Adam(parameters, 0.01), digits)
    assert losses[-1] < 0.6 * losses[0]
    assert sum(after < before for before, after in pairwise(losses)) > 30


@pytest.mark.parametrize(("form", "strength"), [("code", 0.2), ("paper", 0.01)])
def test_a_network_learns_the_digits_with_it(digits, form, strength):
    student = perceptron(weight_scale="rectified_channel")
    trainee = Trainee(student, [CrossEntropy(), Rbonn(form=form, strength=strength)], None, "binary")
    trainee.attach(*digits)
    optimizer = torch.optim.Adam(trainee.parameters(), 0.01)
    for _ in range(120):
        loss, logits, _ = trainee(*digits, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        trainee.after_step()
    assert (logits.argmax(1) == digits[1]).float().mean() > 0.9


@pytest.mark.parametrize("form", FORMS)
def test_it_goes_on_bit_for_bit(digits, form, tmp_path):
    def start(seed):
        student = perceptron(seed=seed, weight_scale="rectified_channel")
        trainee = Trainee(student, [CrossEntropy(), Rbonn(form=form, weight=0.01)], None, "binary")
        trainee.attach(*digits)
        return trainee, torch.optim.Adam(trainee.parameters(), 0.01)

    def steps(trainee, optimizer, count):
        for _ in range(count):
            loss, _, _ = trainee(*digits, 0.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            trainee.after_step()

    one, optimizer = start(0)
    steps(one, optimizer, 4)
    torch.save([one.state_dict(), optimizer.state_dict()], tmp_path / "state.pt")
    steps(one, optimizer, 4)
    other, others = start(1)
    state, moments = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(state)
    others.load_state_dict(moments)
    steps(other, others, 4)
    assert_same(one.state_dict(), other.state_dict())


def assert_same(one, other):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        [assert_same(one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        [assert_same(*pair) for pair in zip(one, other, strict=True)]
    else:
        assert one == other


def test_nothing_of_it_is_deployed(digits):
    settings = NetworkSettings(network="TFC_1W1A", hidden=(16, 8), dropout=0, weight_scale="rectified_channel")
    torch.manual_seed(0)
    student = build_network(settings, (1, 8, 8), 10)
    term = attached(RbonnTerm(Rbonn(weight=1.0)), student, digits)
    run_steps(student, term, optimizer_of(student, term), digits, steps=range(5))
    assert not list(term.parameters())
    shipped, plain = deploy(student.eval(), settings, (1, 8, 8), 10)
    fresh = build_network(NetworkSettings(network="TFC_1W1A", hidden=(16, 8), dropout=0), (1, 8, 8), 10)
    assert shipped.state_dict().keys() == fresh.state_dict().keys()
    assert plain.weight_scale == "none"
    with torch.no_grad():
        assert torch.equal(shipped(digits[0]), student(digits[0]))
