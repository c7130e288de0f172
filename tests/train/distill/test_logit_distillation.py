"""Distillation on logits: Hinton's and ReActNet's."""

from __future__ import annotations

import math

import pytest
import torch
from distill_tools import plain_view
from torch.autograd import gradcheck

from xnorflow.artifact.errors import TrainError
from xnorflow.train.distill.config import Distillation, Distributional
from xnorflow.train.distill.distributional import DistributionalTerm
from xnorflow.train.distill.hinton import DistillationTerm, divergence

STUDENT = [[2.0, -1.0, 0.5], [0.0, 1.0, -0.5]]
TEACHER = [[1.0, 1.5, -2.0], [3.0, 0.0, 0.25]]


def softmax(row, temperature=1.0):
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def double(rows, **options):
    return torch.tensor(rows, dtype=torch.float64, **options)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_distillation_is_the_formula(temperature):
    expected = 0.0
    for mine, its in zip(STUDENT, TEACHER, strict=True):
        pairs = zip(softmax(its, temperature), softmax(mine, temperature), strict=True)
        expected += temperature**2 * sum(p * (math.log(p) - math.log(q)) for p, q in pairs) / 2
    term = DistillationTerm(Distillation(temperature=temperature))
    view = plain_view(logits=double(STUDENT), teacher_logits=double(TEACHER))
    assert term(view).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_distillation_s_gradient_is_the_closed_form(temperature):
    logits = double(STUDENT, requires_grad=True)
    divergence(double(TEACHER), logits, temperature).backward()
    for row, mine, its in zip(logits.grad.tolist(), STUDENT, TEACHER, strict=True):
        pairs = zip(softmax(mine, temperature), softmax(its, temperature), strict=True)
        assert row == pytest.approx([temperature * (q - p) / 2 for q, p in pairs], rel=1e-12)


def test_distillation_is_least_where_student_and_teacher_agree():
    logits = double(STUDENT, requires_grad=True)
    loss = divergence(double(STUDENT) + 3, logits, 2.0)  # the same probabilities
    loss.backward()
    assert abs(loss.item()) < 1e-15  # rounding of a softmax in float64
    assert logits.grad.abs().max() < 1e-15


def test_distributional_is_the_formula():
    expected = 0.0
    for mine, its in zip(STUDENT, TEACHER, strict=True):
        pairs = zip(softmax(its), softmax(mine), strict=True)
        expected -= sum(p * math.log(q) for p, q in pairs) / 2
    term = DistributionalTerm(Distributional())
    view = plain_view(logits=double(STUDENT), teacher_logits=double(TEACHER))
    assert term(view).item() == pytest.approx(expected, rel=1e-12)


def test_distributional_is_least_at_the_teacher_s_entropy():
    logits = double(TEACHER, requires_grad=True)
    loss = DistributionalTerm(Distributional())(plain_view(logits=logits, teacher_logits=double(TEACHER)))
    loss.backward()
    entropy = -sum(p * math.log(p) for row in TEACHER for p in softmax(row)) / 2
    assert loss.item() == pytest.approx(entropy, rel=1e-12)
    assert logits.grad.abs().max() < 1e-15  # rounding of a softmax in float64


TERMS = [DistillationTerm(Distillation(temperature=3)), DistributionalTerm(Distributional())]


@pytest.mark.parametrize("term", TERMS)
def test_gradients_are_those_of_finite_differences(term):
    logits = double(STUDENT, requires_grad=True)
    assert gradcheck(lambda values: term(plain_view(logits=values, teacher_logits=double(TEACHER))), (logits,))


@pytest.mark.parametrize("term", TERMS)
def test_no_gradient_reaches_the_teacher(term):
    logits, teacher = double(STUDENT, requires_grad=True), double(TEACHER, requires_grad=True)
    term(plain_view(logits=logits, teacher_logits=teacher)).backward()
    assert teacher.grad is None
    assert logits.grad is not None


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_the_teacher_may_compute_in_any_type(term, kind):
    expected = term(plain_view(logits=torch.tensor(STUDENT), teacher_logits=torch.tensor(TEACHER)))
    found = term(plain_view(logits=torch.tensor(STUDENT), teacher_logits=torch.tensor(TEACHER, dtype=kind)))
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)  # TEACHER is exact in all of them


@pytest.mark.parametrize("term", TERMS)
def test_two_halves_of_a_batch_give_the_mean_of_it(term):
    whole = term(plain_view(logits=double(STUDENT), teacher_logits=double(TEACHER)))
    halves = [
        term(plain_view(logits=double([mine]), teacher_logits=double([its])))
        for mine, its in zip(STUDENT, TEACHER, strict=True)
    ]
    assert (sum(halves) / 2).item() == pytest.approx(whole.item(), rel=1e-12)


@pytest.mark.parametrize("term", TERMS)
def test_a_teacher_of_other_classes_is_refused(term):
    with pytest.raises(TrainError) as caught:
        term.attach(None, plain_view(logits=torch.zeros(2, 10), teacher_logits=torch.zeros(2, 100)))
    assert str(caught.value) == (
        f"loss {term.kind}: the student has 10 classes, the teacher 100; allowed: equal numbers of classes; "
        "give a teacher that was trained on the student's data set"
    )


@pytest.mark.parametrize("term", TERMS)
def test_equal_classes_are_taken(term):
    term.attach(None, plain_view(logits=torch.zeros(2, 10), teacher_logits=torch.zeros(2, 10)))
    assert not list(term.parameters())
