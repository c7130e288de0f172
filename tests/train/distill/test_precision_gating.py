from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from distill_tools import convolution, plain_view, probe
from torch.autograd import gradcheck

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.fractional import PrecisionGate
from xnorflow.train.distill.config import CrossEntropy, PrecisionGating
from xnorflow.train.distill.precision_gating import PrecisionGatingTerm
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.trainee import Trainee


def network(seed=0):
    torch.manual_seed(seed)
    return build_network(NetworkSettings(network="CNV_1W1A", width=0.125, activation="fractional"), (3, 32, 32), 10)


@pytest.fixture(scope="module")
def large_digits(digits):
    """64 digits of 32x32 pixels in three equal colors."""
    images, labels = digits
    return images[:64].repeat_interleave(4, 2).repeat_interleave(4, 3).repeat(1, 3, 1, 1), labels[:64]


def make(**changes):
    student, term = network(), PrecisionGatingTerm(PrecisionGating(**changes))
    term.attach(student, plain_view(torch.zeros(2, 3)))
    return student, term


def gates(student):
    return [layer for layer in student.modules() if isinstance(layer, PrecisionGate)]


def test_the_loss_is_half_the_squared_distance_from_the_target():
    student, term = make(target=0.5)
    assert [gate.delta.numel() for gate in gates(student)] == [8, 16, 16, 32, 32]
    assert term(plain_view(torch.zeros(2, 3))).item() == 104 * 1.5**2 / 2
    with torch.no_grad():
        gates(student)[0].delta[0] = 2.5
    loss = term(plain_view(torch.zeros(2, 3)))
    assert loss.item() == (103 * 1.5**2 + 2**2) / 2
    loss.backward()
    assert gates(student)[0].delta.grad.tolist() == [2.0] + [-1.5] * 7


def test_gradients_are_those_of_finite_differences():
    student, term = make()
    student.double()
    assert gradcheck(lambda *deltas: term(plain_view(torch.zeros(2, 3))), [gate.delta for gate in gates(student)])


def test_published_values_are_the_defaults():
    assert (PrecisionGating().weight, PrecisionGating().target) == (1e-5, 0)


def test_it_falls_in_training_and_fewer_lower_bits_pass(large_digits):
    student = network()
    trainee = Trainee(student, [PrecisionGating(weight=1, target=30)], None, "binary")
    trainee.attach(*large_digits)
    optimizer = torch.optim.Adam(trainee.parameters(), 0.5)
    losses, shares = [], []
    for _ in range(12):
        loss, _, parts = trainee(*large_digits, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        shares.append(parts["precision_gating.lower_bits"].item())
    assert all(after < before for before, after in pairwise(losses))
    assert shares[-1] < 0.8 * shares[0]


def test_the_share_is_counted_over_all_layers(large_digits):
    student, term = make()
    seen = []
    for gate in gates(student):
        gate.register_forward_hook(lambda made, inputs, output: seen.append((made.delta, *inputs[:1])))
    student(large_digits[0])
    passed = sum((2 * upper > 3 * delta.view(1, -1, 1, 1)).sum().item() for delta, upper in seen)
    number = sum(upper.numel() for _, upper in seen)
    observed = term.observe()
    assert list(observed) == ["precision_gating.lower_bits"]
    assert observed["precision_gating.lower_bits"].item() == pytest.approx(passed / number, rel=1e-6)  # float32
    assert 0 < passed < number


def test_what_is_observed_is_no_part_of_the_loss(large_digits):
    trainee = Trainee(network(), [CrossEntropy(), PrecisionGating(weight=0.5)], None, "binary")
    trainee.attach(*large_digits)
    loss, _, parts = trainee(*large_digits, 0.0)
    assert list(parts) == ["cross_entropy", "precision_gating", "precision_gating.lower_bits"]
    assert loss.item() == pytest.approx((parts["cross_entropy"] + parts["precision_gating"]).item())
    assert not parts["precision_gating.lower_bits"].requires_grad


def test_nothing_is_observed_before_the_first_pass():
    student, term = make()
    for gate in gates(student):
        gate.passed = None
    assert not term.observe()


def test_a_network_without_fractional_activations_is_refused(digits):
    student = convolution()
    with pytest.raises(TrainError) as caught:
        PrecisionGatingTerm(PrecisionGating()).attach(student, probe(student, *digits))
    assert str(caught.value) == (
        "loss precision_gating: no layer of the network reads fractional activations; allowed: activation "
        '"fractional"; set activation, or take the loss out'
    )
