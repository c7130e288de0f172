from __future__ import annotations

import copy
import math

import pytest
import torch
from distill_tools import attached, convolution, look, optimizer_of, perceptron, run_steps, states
from torch.nn import functional

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import Activation, BinarizedWeights, FormState, in_form
from xnorflow.train.distill.config import LatentWeights
from xnorflow.train.distill.latent_weights import LatentWeightsTerm

PASSES = ["two_stream", "binary_twin"]
ACTIVATIONS = {"two_stream": torch.nn.functional.hardtanh, "binary_twin": lambda x: torch.where(x >= 0, 1.0, -1.0)}


def make(digits, usage="two_stream", network=perceptron, seed=0, **changes):
    student = network(seed=seed)
    return student, attached(LatentWeightsTerm(LatentWeights(usage=usage, **changes)), student, digits)


def real_path(student, norms, images, activation):
    """The second pass of a perceptron layer by layer: logits and the normalized sums, each one's batch statistics."""
    values, features = torch.where(2 * images.flatten(1) - 1 >= 0, 1.0, -1.0), []
    linears = [layer for layer in student.features if isinstance(layer, BinarizedWeights)]
    for linear, norm in zip(linears, norms, strict=False):
        sums = values @ linear.weight.T
        spread = ((sums - sums.mean(0)) ** 2).mean(0)
        features.append((sums - sums.mean(0)) / (spread + norm.eps) ** 0.5 * norm.weight + norm.bias)
        values = activation(features[-1])
    return values @ linears[-1].weight.T * student.features[-1].scale, features


def probabilities(rows):
    powers = [[math.exp(value) for value in row] for row in rows.tolist()]
    return [[power / sum(row) for power in row] for row in powers]


@pytest.mark.parametrize("usage", PASSES)
def test_the_term_is_the_formula(digits, usage):
    student, term = make(digits, usage, own_labels=0.5, teaching=2.0, attention=3.0)
    with torch.no_grad():  # no longer equal to the student's
        for norm in term.norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
    view = look(student, *digits)
    found = term(view).item()
    with torch.no_grad():
        logits, features = real_path(student, term.norms, digits[0], ACTIVATIONS[usage])
    real, binary = probabilities(logits.double()), probabilities(view.logits.double())
    frames = range(len(real))
    own = -sum(math.log(real[frame][digits[1][frame]]) for frame in frames) / len(real)
    teaching = sum(p * math.log(p / q) for frame in frames for p, q in zip(real[frame], binary[frame], strict=True))
    attention = 0.0
    for mine, its in zip(view.features.values(), features, strict=True):
        for first, second in zip(mine.double().tolist(), its.double().tolist(), strict=True):
            squares = [[value**2 for value in row] for row in (first, second)]
            norms = [math.sqrt(sum(value**2 for value in row)) for row in squares]
            pairs = zip(*squares, strict=True)
            attention += math.sqrt(sum((p / norms[0] - q / norms[1]) ** 2 for p, q in pairs)) / len(real)
    expected = 0.5 * own + 2.0 * teaching / len(real) + 3.0 * attention
    assert found == pytest.approx(expected, rel=1e-5)  # float32


@pytest.mark.parametrize("usage", PASSES)
def test_the_student_s_statistics_stay_and_the_copies_move(digits, usage):
    student, term = make(digits, usage)
    view = look(student, *digits)
    before = {name: value.clone() for name, value in student.named_buffers()}
    copies = {name: value.clone() for name, value in term.named_buffers()}
    term(view)
    assert all(torch.equal(before[name], value) for name, value in student.named_buffers())
    moved = {name: value for name, value in term.named_buffers() if not torch.equal(copies[name], value)}
    assert set(moved) == set(copies)
    sums = torch.where(2 * digits[0].flatten(1) - 1 >= 0, 1.0, -1.0) @ student.features[2].weight.T
    expected = 0.1 * sums.mean(0)  # momentum, from a mean of 0
    torch.testing.assert_close(term.norms[0].running_mean, expected, rtol=1e-5, atol=1e-6)  # float32
    assert term.norms[0].num_batches_tracked == student.features[3].num_batches_tracked


def test_the_copies_begin_as_the_student_s_and_are_trained_on_their_own(digits):
    student = perceptron()
    with torch.no_grad():
        student.features[3].weight.uniform_(0.5, 1.5)
    term = attached(LatentWeightsTerm(LatentWeights()), student, digits)
    assert torch.equal(term.norms[0].weight, student.features[3].weight)
    assert [tuple(parameter.shape) for parameter in term.parameters()] == [(32,)] * 4
    assert not {id(parameter) for parameter in term.parameters()} & {
        id(parameter) for parameter in student.parameters()
    }
    term(look(student, *digits)).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in term.parameters())


@pytest.mark.parametrize("usage", PASSES)
def test_the_form_is_the_student_s_again_after_the_pass(digits, usage):
    student, term = make(digits, usage)
    term.before_forward(0.0)
    view = look(student, *digits)
    before, modes = states(student), [layer.training for layer in student.modules()]
    term(view)
    assert states(student) == before == {(False, Activation.SIGN, 0.0)}
    assert [layer.training for layer in student.modules()] == modes
    assert sum(len(layer._forward_hooks) for layer in student.modules()) == 0
    assert student.features[3] not in set(term.modules())


def test_an_error_in_the_pass_leaves_the_student_binary(digits):
    student, term = make(digits)
    view = look(student, digits[0], digits[1])
    broken = copy.copy(view)
    object.__setattr__(broken, "images", digits[0][:, :, :4])
    weights = student.features[3].weight
    with pytest.raises(RuntimeError):
        term(broken)
    assert states(student) == {(False, Activation.SIGN, 0.0)}
    assert student.features[3].weight is weights


@pytest.mark.parametrize("usage", PASSES)
def test_the_binary_path_s_gradient_is_the_teaching_alone(digits, usage):
    """The real path is not drawn to the binary one, and the labels' part does not reach the binary path's norms."""
    student, term = make(digits, usage, own_labels=1.0, teaching=0.0)
    term(look(student, *digits)).backward()
    # The binary path's logits are in it with a factor of 0.
    assert all(student.features[index].weight.grad.abs().max() == 0 for index in (3, 7))
    student, term = make(digits, usage, own_labels=0.0, teaching=1.0, attention=1.0)
    term(look(student, *digits)).backward()
    assert all(parameter.grad is None or parameter.grad.abs().max() == 0 for parameter in term.parameters())
    assert student.features[3].weight.grad.abs().max() > 0


def test_latent_weights_get_gradients_from_both_paths(digits):
    gradients = []
    for factors in ({"own_labels": 1.0, "teaching": 0.0}, {"own_labels": 0.0, "teaching": 1.0}, {}):
        student, term = make(digits, **factors)
        term(look(student, *digits)).backward()
        gradients.append(student.features[2].weight.grad)
    assert all(gradient.abs().max() > 0 for gradient in gradients[:2])
    torch.testing.assert_close(gradients[0] + gradients[1], gradients[2], rtol=1e-4, atol=1e-7)  # order of float32 sums


def test_the_labels_part_is_the_real_network_s_own_gradient(digits):
    student, term = make(digits, teaching=0.0)
    reference = perceptron()
    term(look(student, *digits)).backward()
    with in_form(reference, FormState(True, Activation.HARDTANH)):
        functional.cross_entropy(reference(digits[0]), digits[1]).backward()
    for index in (2, 6, 10):
        assert torch.equal(student.features[index].weight.grad, reference.features[index].weight.grad)


@pytest.mark.parametrize("usage", PASSES)
@pytest.mark.parametrize("network", [perceptron, convolution])
def test_it_falls_in_training(digits, usage, network):
    student, term = make(digits, usage, network, attention=0.1)
    losses = run_steps(student, term, optimizer_of(student, term), digits)
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def continued(digits, usage, path=None):
    """Train for 10 steps; with a path, as two processes would, the second loading what the first saved after 5."""
    student, term = make(digits, usage, attention=0.1)
    optimizer = optimizer_of(student, term)
    losses = run_steps(student, term, optimizer, digits, steps=range(5), total=10)
    if path is not None:
        torch.save([part.state_dict() for part in (student, term, optimizer)], path)
        student, term = make(digits, usage, attention=0.1, seed=5)
        optimizer = optimizer_of(student, term)
        for part, state in zip((student, term, optimizer), torch.load(path, weights_only=True), strict=True):
            part.load_state_dict(state)
    losses += run_steps(student, term, optimizer, digits, steps=range(5, 10), total=10)
    return losses, {**student.state_dict(), **term.state_dict()}


@pytest.mark.parametrize("usage", PASSES)
def test_a_resumed_training_continues_bit_for_bit(digits, usage, tmp_path):
    losses, weights = continued(digits, usage)
    resumed_losses, resumed = continued(digits, usage, tmp_path / "state.pt")
    assert resumed_losses == losses
    assert list(resumed) == list(weights)
    assert all(torch.equal(resumed[name], value) for name, value in weights.items())
    assert sum(name.startswith("norms.") for name in weights) == 10


def test_attention_alone_needs_features(digits):
    assert not LatentWeightsTerm(LatentWeights()).needs_features
    assert LatentWeightsTerm(LatentWeights(attention=0.5)).needs_features
    assert not LatentWeightsTerm(LatentWeights(attention=0.5, usage="in_layer")).needs_features
    assert not LatentWeightsTerm(LatentWeights()).needs_teacher


# refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", PASSES)
def test_factors_that_are_all_0_are_refused(usage):
    with pytest.raises(TrainError) as caught:
        LatentWeightsTerm(LatentWeights(usage=usage, own_labels=0, teaching=0, attention=0))
    assert str(caught.value) == (
        "loss latent_weights: own_labels, teaching and attention are all 0; allowed: at least one above 0; "
        "set own_labels or teaching to 1, or take the loss out"
    )


@pytest.mark.parametrize("usage", [*PASSES, "in_layer"])
@pytest.mark.parametrize("form", [Form.FLOAT, Form.TANH, Form.BINARY_ACTIVATIONS])
def test_a_stage_that_is_not_binary_is_refused(digits, usage, form):
    student = perceptron(form=form)
    with pytest.raises(TrainError) as caught:
        attached(LatentWeightsTerm(LatentWeights(usage=usage)), student, digits)
    assert str(caught.value) == (
        "loss latent_weights: the network is not in its binary form in this stage; "
        'allowed: a stage of form "binary"; move the loss there'
    )
