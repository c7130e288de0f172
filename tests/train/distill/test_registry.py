from __future__ import annotations

from typing import get_args

import pytest
from distill_tools import attached, optimizer_of, perceptron, run_steps
from pydantic import TypeAdapter

from xnorflow.train.distill import config
from xnorflow.train.distill.adversarial import AdversarialTerm
from xnorflow.train.distill.attention import AttentionTerm
from xnorflow.train.distill.block_distillation import BlockDistillationTerm
from xnorflow.train.distill.distributional import DistributionalTerm
from xnorflow.train.distill.hinton import DistillationTerm
from xnorflow.train.distill.kernel_rectification import KernelRectificationTerm
from xnorflow.train.distill.labels import CrossEntropyTerm, SquaredHingeTerm
from xnorflow.train.distill.latent_weights import LatentWeightsTerm
from xnorflow.train.distill.precision_gating import PrecisionGatingTerm
from xnorflow.train.distill.rbonn import RbonnTerm
from xnorflow.train.distill.registry import make_term

TERMS = {
    "cross_entropy": CrossEntropyTerm,
    "squared_hinge": SquaredHingeTerm,
    "distillation": DistillationTerm,
    "distributional": DistributionalTerm,
    "attention": AttentionTerm,
    "block_distillation": BlockDistillationTerm,
    "latent_weights": LatentWeightsTerm,
    "adversarial": AdversarialTerm,
    "kernel_rectification": KernelRectificationTerm,
    "rbonn": RbonnTerm,
    "precision_gating": PrecisionGatingTerm,
}


@pytest.mark.parametrize("kind", TERMS)
def test_every_kind_makes_its_term(kind):
    term = make_term(TypeAdapter(config.TermSettings).validate_python({"kind": kind}))
    assert type(term) is TERMS[kind]


def test_every_setting_has_a_kind_here():
    union = get_args(config.TermSettings)[0]
    assert {settings().kind for settings in get_args(union)} == set(TERMS)


@pytest.mark.parametrize(
    ("settings", "share"),
    [
        (config.CrossEntropy(), 0.7),
        (config.SquaredHinge(), 0.7),
        (config.Distillation(temperature=2), 0.7),
        (config.Attention(form="paper"), 0.95),
        (config.Attention(form="larq"), 0.95),
        (config.BlockDistillation(), 0.9),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_few_dozen_steps_lower_each_term(settings, share, digits, teacher):
    student = perceptron()
    term = attached(make_term(settings), student, digits, teacher)
    losses = run_steps(student, term, optimizer_of(student, term), digits, teacher)
    assert sum(losses[-5:]) < share * sum(losses[:5])


def test_a_few_dozen_steps_lower_the_distributional_term_towards_the_entropy(digits, teacher):
    student = perceptron()
    term = attached(make_term(config.Distributional()), student, digits, teacher)
    losses = run_steps(student, term, optimizer_of(student, term), digits, teacher)
    shares = teacher(digits[0]).softmax(1)
    entropy = -(shares * shares.log()).sum(1).mean().item()
    assert entropy < losses[-1] < losses[0]
    assert losses[-1] - entropy < 0.7 * (losses[0] - entropy)
