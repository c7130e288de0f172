from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from distill_tools import attached, convolution, perceptron, plain_view, probe, run_steps
from torch.autograd import gradcheck

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.distill.config import KernelRectification
from xnorflow.train.distill.kernel_rectification import KernelRectificationTerm

SHAPES = ["rectified_channel", "rectified_kernel", "rectified_full"]


def rectified(network):
    layers = [layer for layer in network.modules() if isinstance(layer, BinarizedWeights)]
    return [layer for layer in layers if isinstance(layer.scaling, RectifiedScale)]


def make(digits, scale="rectified_channel", network=perceptron, **changes):
    student = network(weight_scale=scale, hardware=False, **changes)
    return student, attached(KernelRectificationTerm(KernelRectification()), student, digits)


def nested(value, position):
    """The entry of C that a weight's position reads, C's axes of length 1 counting for all."""
    for index in position:
        value = value[index if len(value) > 1 else 0]
    return value


def positions(shape):
    ranges = [range(length) for length in shape]
    found = [()]
    for places in ranges:
        found = [(*position, place) for position in found for place in places]
    return found


def test_two_layers_are_the_formula(digits):
    student, term = make(digits, hidden=(2, 1))
    first, second = rectified(student)
    with torch.no_grad():
        first.weight.zero_()
        first.weight[:, :2] = torch.tensor([[0.5, -0.25], [-1.0, 0.0]])
        first.scaling.matrix.copy_(torch.tensor([[2.0], [0.5]]))
        second.weight.copy_(torch.tensor([[0.75, -0.5]]))
    # All signs of zeros are +1: 62 zeros a row, 63 in the second.
    expected = (1.5**2 + 1.75**2 + 62 * 4 + 0.5**2 + 63 * 0.25 + 0.25**2 + 0.5**2) / 2
    assert term(plain_view(torch.zeros(2, 3))).item() == pytest.approx(expected, rel=1e-6)  # float32


@pytest.mark.parametrize("scale", SHAPES)
@pytest.mark.parametrize("network", [perceptron, convolution])
def test_gradients_are_the_closed_forms(digits, scale, network):
    student, term = make(digits, scale, network)
    layer = rectified(student)[0]
    with torch.no_grad():
        layer.scaling.matrix.uniform_(0.5, 1.5)
    term(plain_view(torch.zeros(2, 3))).backward()
    weights, matrix = layer.weight.tolist(), layer.scaling.matrix.tolist()
    sums = {}
    for position in positions(layer.weight.shape):
        weight, factor, found = (nested(values, position) for values in (weights, matrix, layer.weight.grad.tolist()))
        sign = 1 if weight >= 0 else -1
        assert found == pytest.approx(weight - factor * sign, abs=1e-6)  # float32
        place = tuple(
            index if length > 1 else 0 for index, length in zip(position, layer.scaling.matrix.shape, strict=True)
        )
        sums[place] = sums.get(place, 0.0) - (weight - factor * sign) * sign
    assert len(sums) == layer.scaling.matrix.numel()
    for place, total in sums.items():
        assert nested(layer.scaling.matrix.grad.tolist(), place) == pytest.approx(total, abs=1e-4)  # a sum in float32


@pytest.mark.parametrize("scale", SHAPES)
def test_gradients_are_those_of_finite_differences(digits, scale):
    student, term = make(digits, scale, convolution)
    student.double()
    layer = rectified(student)[0]
    with torch.no_grad():  # away from 0, where the sign jumps
        layer.weight.copy_(torch.where(layer.weight.abs() < 0.01, 0.5, layer.weight))

    def loss(weights, matrix):
        return torch.func.functional_call(Holder(student, term), {"student.layers.1.weight": weights, name: matrix}, ())

    name = "student.layers.1.scaling.matrix"
    assert gradcheck(loss, (layer.weight, layer.scaling.matrix))


class Holder(torch.nn.Module):
    def __init__(self, student, term):
        super().__init__()
        self.student, self.term = student, term

    def forward(self):
        return self.term(plain_view(torch.zeros(2, 3)))


def test_it_is_0_where_weights_are_their_scaled_signs(digits):
    student, term = make(digits)
    with torch.no_grad():
        for layer in rectified(student):
            layer.scaling.matrix.fill_(0.5)
            layer.weight.copy_(torch.where(layer.weight >= 0, 0.5, -0.5))
    loss = term(plain_view(torch.zeros(2, 3)))
    loss.backward()
    assert loss.item() == 0
    assert all(layer.weight.grad.abs().max() == 0 for layer in rectified(student))


def test_the_best_channel_factor_is_xnor_net_s(digits):
    student, term = make(digits)
    with torch.no_grad():
        for layer in rectified(student):
            layer.scaling.matrix.copy_(layer.weight.abs().mean(1, keepdim=True))
    term(plain_view(torch.zeros(2, 3))).backward()
    for layer in rectified(student):
        assert layer.scaling.matrix.grad.abs().max() < 1e-4  # a sum of 64 terms in float32


def test_the_classifier_has_no_part_in_it(digits):
    student, term = make(digits)
    term(plain_view(torch.zeros(2, 3))).backward()
    assert student.features[-2].weight.grad is None
    assert not list(term.parameters())
    assert not term.state_dict()


def test_it_falls_in_training(digits):
    student, term = make(digits)
    parameters = [parameter for layer in rectified(student) for parameter in layer.parameters()]
    losses = run_steps(student, term, torch.optim.Adam(parameters, 0.01), digits)
    assert losses[-1] < 0.5 * losses[0]
    assert all(after < before for before, after in pairwise(losses))


@pytest.mark.parametrize(
    "changes", [{}, {"weight_scale": "mean"}, {"network": "TFC_2W2A", "weight_scale": "rectified_channel"}]
)
def test_a_network_without_learned_scales_is_refused(digits, changes):
    student = perceptron(**changes)
    with pytest.raises(TrainError) as caught:
        KernelRectificationTerm(KernelRectification()).attach(student, probe(student, *digits))
    assert str(caught.value) == (
        "loss kernel_rectification: no layer of the network has a learned scale; allowed: "
        'weight_scale "rectified_channel", "rectified_kernel" or "rectified_full" on weights of 1 bit; '
        "set weight_scale, or take the loss out"
    )
