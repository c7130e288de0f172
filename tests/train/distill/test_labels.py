from __future__ import annotations

import math

import pytest
import torch
from distill_tools import plain_view
from torch.autograd import gradcheck

from xnorflow.train.distill.config import CrossEntropy, SquaredHinge
from xnorflow.train.distill.labels import CrossEntropyTerm, SquaredHingeTerm, squared_hinge

LOGITS = [[2.0, -3.0, 0.5], [0.0, 0.0, -0.5]]
LABELS = torch.tensor([0, 2])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.75])
def test_cross_entropy_is_the_formula(smoothing):
    expected = 0.0
    for row, label in zip(LOGITS, [0, 2], strict=True):
        total = math.log(sum(math.exp(value) for value in row))
        for index, value in enumerate(row):
            target = (1 - smoothing) * (index == label) + smoothing / 3
            expected += -target * (value - total) / 2
    term = CrossEntropyTerm(CrossEntropy(smoothing=smoothing))
    view = plain_view(logits=torch.tensor(LOGITS, dtype=torch.float64), labels=LABELS)
    assert term(view).item() == pytest.approx(expected, rel=1e-12)


def test_squared_hinge_is_the_formula():
    expected = ((0 + 0 + 1.5**2) + (1 + 1 + 1.5**2)) / 6
    logits = torch.tensor(LOGITS, dtype=torch.float64)
    assert squared_hinge(logits, LABELS).item() == pytest.approx(expected, rel=1e-12)
    term = SquaredHingeTerm(SquaredHinge())
    assert term(plain_view(logits=logits, labels=LABELS)).item() == pytest.approx(expected, rel=1e-12)


def test_squared_hinge_is_0_beyond_the_margin():
    logits = torch.tensor([[1.0, -1.0, -7.0]], requires_grad=True)
    loss = squared_hinge(logits, torch.tensor([0]))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("term", [CrossEntropyTerm(CrossEntropy(smoothing=0.1)), SquaredHingeTerm(SquaredHinge())])
def test_gradients_are_those_of_finite_differences(term):
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda values: term(plain_view(logits=values, labels=LABELS)), (logits,))


@pytest.mark.parametrize("term", [CrossEntropyTerm(CrossEntropy()), SquaredHingeTerm(SquaredHinge())])
def test_short_logits_are_widened(term):
    logits = torch.tensor(LOGITS)  # all of them exact in bfloat16
    loss = term(plain_view(logits=logits.bfloat16(), labels=LABELS))
    assert loss.dtype == torch.float32
    assert torch.equal(loss, term(plain_view(logits=logits, labels=LABELS)))
