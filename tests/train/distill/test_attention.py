from __future__ import annotations

import math

import pytest
import torch
from distill_tools import attached, convolution, perceptron, plain_view
from torch.autograd import gradcheck

from xnorflow.train.binarize.form import Form
from xnorflow.train.distill.attention import AttentionTerm, attention_map
from xnorflow.train.distill.config import Attention, AttentionForm

# One frame, two channels of 2x2. Sums of squares over the channels: student 5 4 2 10, teacher 1 8 5 1.
STUDENT = [[[1.0, 2.0], [1.0, 3.0]], [[2.0, 0.0], [-1.0, 1.0]]]
TEACHER = [[[0.0, 2.0], [1.0, 0.0]], [[1.0, -2.0], [2.0, 1.0]]]
STUDENT_MAP, TEACHER_MAP = [5, 4, 2, 10], [1, 8, 5, 1]

PAPER, LARQ = (AttentionTerm(Attention(form=form)) for form in (AttentionForm.PAPER, AttentionForm.LARQ))


def by_paper(student, teacher):
    first, second = math.sqrt(sum(q * q for q in student)), math.sqrt(sum(q * q for q in teacher))
    return math.sqrt(sum((p / first - q / second) ** 2 for p, q in zip(student, teacher, strict=True)))


def by_larq(student, teacher):
    pairs = zip(student, teacher, strict=True)
    return sum((p / max(student) - q / max(teacher)) ** 2 for p, q in pairs) / len(student)


def double(rows):
    return torch.tensor(rows, dtype=torch.float64)


def value(term, student, teacher):
    return term(plain_view(features=student, teacher_features=teacher)).item()


def test_the_map_is_the_sum_of_squares_over_channels():
    assert attention_map(double([STUDENT])).tolist() == [STUDENT_MAP]
    assert attention_map(double([STUDENT, TEACHER])).tolist() == [STUDENT_MAP, TEACHER_MAP]


def test_neurons_are_the_positions_of_a_map():
    assert attention_map(double([[1, -2, 3]])).tolist() == [[1, 4, 9]]
    assert attention_map(double([[[[1]], [[-2]], [[3]]]])).tolist() == [[1, 4, 9]]  # a 1x1 map has no positions


@pytest.mark.parametrize(("term", "formula"), [(PAPER, by_paper), (LARQ, by_larq)])
def test_one_layer_is_the_formula(term, formula):
    expected = formula(STUDENT_MAP, TEACHER_MAP)
    assert value(term, [double([STUDENT])], [double([TEACHER])]) == pytest.approx(expected, rel=1e-12)


def test_layers_are_summed_in_the_paper_and_averaged_in_larq():
    student, teacher = [double([STUDENT]), double([[1, 2]])], [double([TEACHER]), double([[3, 1]])]
    maps = [(STUDENT_MAP, TEACHER_MAP), ([1, 4], [9, 1])]
    assert value(PAPER, student, teacher) == pytest.approx(sum(by_paper(*pair) for pair in maps), rel=1e-12)
    assert value(LARQ, student, teacher) == pytest.approx(sum(by_larq(*pair) for pair in maps) / 2, rel=1e-12)


@pytest.mark.parametrize(("term", "formula"), [(PAPER, by_paper), (LARQ, by_larq)])
def test_each_frame_is_normalized_by_itself(term, formula):
    student, teacher = double([STUDENT, TEACHER]) * double([1, 100]).view(2, 1, 1, 1), double([TEACHER, STUDENT])
    expected = (formula(STUDENT_MAP, TEACHER_MAP) + formula(TEACHER_MAP, STUDENT_MAP)) / 2
    assert value(term, [student], [teacher]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("term", [PAPER, LARQ])
@pytest.mark.parametrize("factor", [1.0, -4.0, 0.5])  # their squares are exact
def test_equal_and_scaled_maps_give_0_and_no_gradient(term, factor):
    features = double([STUDENT]).requires_grad_()
    loss = term(plain_view(features=[features], teacher_features=[features.detach() * factor]))
    loss.backward()
    assert loss.item() == 0
    assert features.grad.abs().max() == 0


@pytest.mark.parametrize("term", [PAPER, LARQ])
def test_channels_may_stand_in_another_order(term):
    features = double([STUDENT])
    assert value(term, [features], [features.flip(1)]) == 0


@pytest.mark.parametrize("term", [PAPER, LARQ])
def test_an_empty_map_is_no_division_by_0(term):
    features = torch.zeros(1, 2, 3, 3, requires_grad=True)
    loss = term(plain_view(features=[features], teacher_features=[torch.ones(1, 2, 3, 3)]))
    loss.backward()
    assert loss.item() == pytest.approx(1, rel=1e-6)  # float32
    assert features.grad.isfinite().all()


@pytest.mark.parametrize("term", [PAPER, LARQ])
def test_gradients_are_those_of_finite_differences(term):
    generator = torch.Generator().manual_seed(0)
    maps, neurons = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in [(3, 2, 3, 4), (3, 5)])
    teacher = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in [(3, 2, 3, 4), (3, 5)]]

    def loss(first, second):
        return term(plain_view(features=[first, second], teacher_features=teacher))

    assert gradcheck(loss, (maps.requires_grad_(), neurons.requires_grad_()))


def test_no_gradient_reaches_the_teacher():
    student, teacher = double([STUDENT]).requires_grad_(), double([TEACHER]).requires_grad_()
    PAPER(plain_view(features=[student], teacher_features=[teacher])).backward()
    assert teacher.grad is None
    assert student.grad.abs().max() > 0


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("term", [PAPER, LARQ])
def test_either_may_compute_in_any_type(term, kind):
    student, teacher = torch.tensor([STUDENT]), torch.tensor([TEACHER])  # exact in all types
    expected = value(term, [student], [teacher])
    assert value(term, [student], [teacher.to(kind)]) == expected
    if kind is not torch.float64:
        assert value(term, [student.to(kind)], [teacher]) == expected


def test_it_reads_the_maps_of_a_convolution(digits):
    student, teacher = convolution(0), convolution(1, form=Form.FLOAT)
    term = attached(AttentionTerm(Attention()), student, digits, teacher)
    assert term.needs_teacher and term.needs_features
    assert [layer for layer in term.modules() if layer is not term] == []


def test_it_reads_the_neurons_of_a_perceptron(digits, teacher):
    attached(AttentionTerm(Attention()), perceptron(), digits, teacher)
