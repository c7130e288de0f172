from __future__ import annotations

import copy

import pytest
import torch
from distill_tools import attached, convolution, perceptron, plain_view, probe
from torch.autograd import gradcheck

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.distill.config import KernelRectification, Rbonn, RbonnForm
from xnorflow.train.distill.kernel_rectification import KernelRectificationTerm
from xnorflow.train.distill.rbonn import RbonnTerm, reconstruction, smallest

FORMS = ["code", "paper"]
VIEW = plain_view(torch.zeros(2, 3))


def make(digits, network=perceptron, hidden=(10, 5), **changes):
    sizes = {"hidden": hidden} if network is perceptron else {}
    student = network(weight_scale="rectified_channel", hardware=False, **sizes)
    return student, attached(RbonnTerm(Rbonn(**changes)), student, digits)


def rectified(student):
    layers = [layer for layer in student.modules() if isinstance(layer, BinarizedWeights)]
    return [layer for layer in layers if isinstance(layer.scaling, RectifiedScale)]


def give_gradients(student, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for layer in rectified(student):
        layer.weight.grad = torch.randn(layer.weight.shape, generator=generator, dtype=layer.weight.dtype)


def test_the_loss_is_the_formula():
    weights = torch.tensor([[0.5, -0.25], [-1.0, 0.0]])
    binary, alpha = torch.tensor([[1.0, -1], [-1, 1]]), torch.tensor([[2.0], [0.5]])
    code = (1.5**2 + 1.75**2 + 0.5**2 + 0.5**2) / 2
    paper = 0.75**2 + 0.875**2 + 1 + 1
    assert reconstruction(weights, binary, alpha, RbonnForm.CODE).item() == pytest.approx(code, rel=1e-6)  # float32
    assert reconstruction(weights, binary, alpha, RbonnForm.PAPER).item() == pytest.approx(paper, rel=1e-6)


@pytest.mark.parametrize("network", [perceptron, convolution])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_the_closed_forms(digits, network, form):
    student, term = make(digits, network, form=form)
    with torch.no_grad():
        for layer in rectified(student):
            layer.scaling.matrix.uniform_(0.5, 1.5)
    term(VIEW).backward()
    for layer in rectified(student):
        w, alpha = layer.weight.detach(), layer.scaling.matrix.detach()
        b = torch.where(w >= 0, 1.0, -1.0)
        per_weight = {"code": w - alpha * b, "paper": -2 * (b - w / alpha) / alpha}[form]
        per_channel = {"code": -(w - alpha * b) * b, "paper": 2 * (b - w / alpha) * w / alpha**2}[form]
        total = per_channel.flatten(1).sum(1).view_as(alpha)
        assert torch.allclose(layer.weight.grad, per_weight, atol=1e-5)  # float32
        assert torch.allclose(layer.scaling.matrix.grad, total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_those_of_finite_differences(form):
    generator = torch.Generator().manual_seed(0)
    weights = (torch.rand(3, 2, 3, 3, dtype=torch.float64, generator=generator) + 0.1).requires_grad_()
    alpha = (torch.rand(3, 1, 1, 1, dtype=torch.float64, generator=generator) + 0.5).requires_grad_()
    binary = hard_sign(torch.randn(3, 2, 3, 3, dtype=torch.float64, generator=generator))
    assert gradcheck(lambda w, a: reconstruction(w, binary, a, RbonnForm(form)), (weights, alpha))


def test_the_code_s_loss_is_the_kernel_loss_of_rbcn(digits):
    student, term = make(digits)
    other = attached(KernelRectificationTerm(KernelRectification()), student, digits)
    assert term(VIEW).item() == other(VIEW).item()
    assert Rbonn().weight == KernelRectification().weight == 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_it_is_0_where_weights_are_scaled_signs(digits, form):
    student, term = make(digits, form=form)
    with torch.no_grad():
        for layer in rectified(student):
            layer.scaling.matrix.fill_(0.5)
            layer.weight.copy_(hard_sign(layer.weight) / 2)
    assert term(VIEW).item() == 0


def test_ranks_decide_and_not_indices():
    values = torch.tensor([0.3, 0.1, 0.9, 0.2, 0.5])
    assert smallest(values, 2).tolist() == [0, 1, 0, 1, 0]
    assert smallest(values, 0).tolist() == [0.0] * 5
    assert smallest(torch.tensor([1.0, 1, 1, 0]), 2).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(("threshold", "share"), [(0.6, (4, 2)), (0.0, (10, 5)), (1.0, (0, 0)), (0.9, (1, 0))])
def test_weights_of_the_channels_with_the_smallest_scales_go_back(digits, threshold, share):
    student, term = make(digits, threshold=threshold, strength=0.25)
    with torch.no_grad():
        for layer in rectified(student):
            layer.scaling.matrix.uniform_(0.5, 1.5)
    before = [layer.weight.detach().clone() for layer in rectified(student)]
    term(VIEW)
    give_gradients(student)
    term.after_step(VIEW)
    for layer, weights, count in zip(rectified(student), before, share, strict=True):
        order = layer.scaling.matrix.flatten().tolist()
        for channel, scale in enumerate(order):
            moved = sum(other < scale for other in order) < count
            expected = weights[channel] - 0.25 * layer.weight.grad[channel] * moved
            assert torch.equal(layer.weight[channel], expected)


def test_in_the_paper_s_form_former_weights_come_back_where_they_are_small_too(digits):
    student, term = make(digits, form="paper", strength=0.25)
    layer = rectified(student)[0]
    with torch.no_grad():
        layer.scaling.matrix.copy_(torch.arange(1.0, 11).view(-1, 1))  # dense A: channels 0 to 3
        layer.weight.copy_(hard_sign(layer.weight) * 0.1)
        layer.weight[[1, 3, 7, 8]] *= 5  # dense w
    before = layer.weight.detach().clone()
    term(VIEW)
    give_gradients(student)
    with torch.no_grad():  # the optimizer's step
        layer.weight.add_(0.01)
    term.after_step(VIEW)
    chosen = torch.tensor([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).view(-1, 1)
    assert torch.equal(layer.weight, before + 0.01 + 0.25 * (before * chosen))


def step_of_strengths(term, student, seeds):
    """The strengths of the first layer behind each step."""
    seen = []
    for seed in seeds:
        term(VIEW)
        give_gradients(student, seed)
        term.after_step(VIEW)
        seen.append(term.get_extra_state()["strengths"][0].clone())
    return seen


def test_strengths_follow_the_product_of_two_gradients(digits):
    """Adam's first step is its learning rate against the gradient's sign, -sum g2 g1 for channels that went back."""
    student, term = make(digits, learning_rate=0.01)
    first, second = step_of_strengths(term, student, (0, 1))
    assert first.tolist() == pytest.approx([0.2] * 10)
    give_gradients(student, 0)
    one = rectified(student)[0].weight.grad
    give_gradients(student, 1)
    other = rectified(student)[0].weight.grad
    slopes = -(one * other).sum(1)
    for channel in range(10):  # all scales are 1: the first four channels go back
        expected = 0.2 - 0.01 * (1 if slopes[channel] > 0 else -1) if channel < 4 else 0.2
        assert second[channel].item() == pytest.approx(expected, abs=1e-6)  # float32


@pytest.mark.parametrize("form", FORMS)
def test_that_product_is_the_derivative_of_the_next_loss(digits, form):
    """With a quadratic loss, 1/2 ||w||**2, whose gradient is w: moved by U r, dL/dU is a finite difference."""
    found = {}
    for strength in (0.2, 0.2 + 1e-6, 0.2 - 1e-6):
        student, term = make(digits, form=form, strength=strength)
        student.double()
        term.attach(student, VIEW)
        term(VIEW)
        give_gradients(student)
        term.after_step(VIEW)
        layer = rectified(student)[0]
        found[strength] = (layer.weight.detach().square().sum(1) / 2, layer.weight.detach(), term)
    low, high = (found[0.2 + shift][0] for shift in (-1e-6, 1e-6))
    numeric = (high - low) / 2e-6
    _, weights, term = found[0.2]
    injected = term.get_extra_state()["injected"][0]
    assert torch.allclose((weights * injected).sum(1), numeric, atol=1e-6)
    assert numeric.abs().max() > 0.01


def test_strengths_stay_positive(digits):
    student, term = make(digits, strength=0.001, learning_rate=0.01)
    for values in step_of_strengths(term, student, range(6)):
        assert (values >= 0).all()
    assert values.unique().numel() > 2


def test_a_step_of_batch_norms_alone_leaves_weights_and_strengths(digits):
    student, term = make(digits, learning_rate=0.01)
    step_of_strengths(term, student, (0, 1))
    before, strengths = copy.deepcopy(student.state_dict()), term.get_extra_state()["strengths"][0].clone()
    student.zero_grad()
    term(VIEW)
    term.after_step(VIEW)
    assert all(torch.equal(tensor, before[key]) for key, tensor in student.state_dict().items())
    assert torch.equal(term.get_extra_state()["strengths"][0], strengths)


def test_an_overflown_gradient_moves_nothing(digits):
    student, term = make(digits)
    term(VIEW)
    for layer in rectified(student):
        layer.weight.grad = torch.full_like(layer.weight, torch.inf)
    before = copy.deepcopy(student.state_dict())
    term.after_step(VIEW)
    assert all(torch.equal(tensor, before[key]) for key, tensor in student.state_dict().items())


def test_a_state_can_be_restored_twice(digits):
    student, term = make(digits)
    step_of_strengths(term, student, (0, 1))
    kept = copy.deepcopy(term.get_extra_state())
    another, other = make(digits)
    other.set_extra_state(kept)
    before = copy.deepcopy(kept)
    step_of_strengths(other, another, (2, 3))
    for key in ("strengths", "injected"):
        assert all(torch.equal(*pair) for pair in zip(kept[key], before[key], strict=True))
    moments, those = kept["optimizer"]["state"][0], before["optimizer"]["state"][0]
    assert all(torch.equal(moments[key], those[key]) for key in ("step", "exp_avg", "exp_avg_sq"))
    RbonnTerm(Rbonn()).set_extra_state({})


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"weight_scale": "mean"}, {"weight_scale": "rectified_full", "hardware": False},
        {"network": "TFC_2W2A", "weight_scale": "rectified_channel"},
    ],
)  # fmt: skip
def test_a_network_without_channel_scales_is_refused(digits, changes):
    student = perceptron(**changes)
    with pytest.raises(TrainError) as caught:
        RbonnTerm(Rbonn()).attach(student, probe(student, *digits))
    assert str(caught.value) == (
        "loss rbonn: no layer of the network has one learned scale for each output channel; allowed: weight_scale "
        '"rectified_channel" on weights of 1 bit; set weight_scale, or take the loss out'
    )


@pytest.mark.parametrize("form", [Form.FLOAT, Form.TANH, Form.BINARY_ACTIVATIONS])
def test_real_weights_are_refused(digits, form):
    student = perceptron(form=form, weight_scale="rectified_channel")
    with pytest.raises(TrainError) as caught:
        RbonnTerm(Rbonn()).attach(student, probe(student, *digits))
    assert str(caught.value) == (
        'loss rbonn: the weights are real in this stage; allowed: a stage of form "binary"; move the loss there'
    )
