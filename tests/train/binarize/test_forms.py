from __future__ import annotations

import pytest
import torch
from layer_tools import LAYERS, REAL, images, make, network, product, signs
from torch.nn import functional

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import (
    STATES,
    Activation,
    BinarizedWeights,
    FormState,
    Sign,
    in_form,
    set_form,
    set_progress,
)


def states(module):
    return [layer.state for layer in module.modules() if isinstance(layer, Sign | BinarizedWeights)]


@pytest.mark.parametrize("form", list(Form))
def test_all_layers_take_a_form(form):
    student = network()
    set_form(student, form)
    assert states(student) == [STATES[form]] * 5


def test_forms_come_back_bit_for_bit():
    student = network().eval()
    binary = student(images())
    others = []
    for form in (Form.FLOAT, Form.TANH, Form.BINARY_ACTIVATIONS, REAL, FormState(False, Activation.BOTH, 0.5)):
        with in_form(student, form):
            others.append(student(images()))
        assert torch.equal(student(images()), binary)
    assert all(not torch.equal(other, binary) for other in others)


def test_a_form_is_left_on_errors_and_blocks_can_be_nested():
    student = network()
    with in_form(student, Form.FLOAT):
        with pytest.raises(ValueError, match="inside"), in_form(student, Form.TANH):
            assert states(student) == [STATES[Form.TANH]] * 5
            raise ValueError("inside")
        assert states(student) == [STATES[Form.FLOAT]] * 5
    assert states(student) == [STATES[Form.BINARY]] * 5


def test_layers_of_different_forms_get_their_own_back():
    student = network()
    set_form(student.features[4], Form.TANH)
    before = states(student)
    with in_form(student, Form.FLOAT):
        pass
    assert states(student) == before
    assert len({id(state) for state in before}) == 2


def test_a_form_is_no_part_of_the_weights():
    student = network()
    keys = list(student.state_dict())
    set_form(student, REAL)
    assert list(student.state_dict()) == keys


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "changes", [{}, {"weight_scale": "mean", "weight_estimator": "ede", "estimator": "approx_sign"}]
)
@pytest.mark.parametrize(("blend", "alone"), [(0.0, STATES[Form.BINARY]), (1.0, REAL)])
def test_a_blend_at_its_ends_is_one_path_exactly(blend, alone, changes, training):
    results = []
    for state in (FormState(False, Activation.BOTH, blend), alone):
        student = network(**changes).train(training)
        set_form(student, state)
        logits = student(images())
        functional.cross_entropy(logits, torch.arange(9) % 3).backward()
        results.append((logits, {name: parameter.grad for name, parameter in student.named_parameters()}, student))
    (logits, gradients, student), (expected, expected_gradients, other) = results
    assert torch.equal(logits, expected)
    for name, gradient in expected_gradients.items():
        assert torch.equal(gradients[name], gradient), name
    assert all(torch.equal(value, dict(other.named_buffers())[name]) for name, value in student.named_buffers())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("reads_signs", [False, True])
def test_a_blend_mixes_both_products(kind, reads_signs):
    layer, first, second = make(kind), signs(kind), signs(kind, seed=5) * 0.5
    layer.reads_signs = reads_signs
    set_form(layer, FormState(False, Activation.BOTH, 0.25))
    found = layer(torch.cat([first, second]) if reads_signs else first)
    binary = product(kind, first, torch.where(layer.weight >= 0, 1.0, -1.0))
    real = product(kind, second if reads_signs else first, layer.weight)
    torch.testing.assert_close(found, 0.75 * binary + 0.25 * real, rtol=1e-6, atol=1e-6)  # order of float32 sums


def test_a_blend_of_latent_weights_beyond_the_range_can_be_trained():
    student = network()
    with torch.no_grad():
        student.features[2].weight *= 5
    set_form(student, FormState(False, Activation.BOTH, 0.5))
    student(images()).sum().backward()  # clipping in place comes before both products read the weights
    assert student.features[2].weight.abs().max() == 1
    assert student.features[2].weight.grad.abs().max() > 0


def test_progress_reaches_every_layer():
    student = network(estimator="ede", weight_estimator="ede")
    gradients = []
    for progress in (0.0, 0.8):
        set_progress(student, progress)
        assert all(
            layer.progress == progress for layer in student.modules() if isinstance(layer, Sign | BinarizedWeights)
        )
        student.zero_grad()
        student.eval()(images()).sum().backward()
        gradients.append(student.features[2].weight.grad.clone())
    assert not torch.equal(*gradients)
