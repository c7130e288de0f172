from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from distill_tools import convolution, perceptron, plain_view, probe

from xnorflow.artifact.errors import TrainError
from xnorflow.train.distill.check import check_features, check_logits
from xnorflow.train.distill.config import Adversarial, Attention, BlockDistillation
from xnorflow.train.distill.registry import make_term

FEATURE_TERMS = [Attention(), BlockDistillation(), Adversarial()]


@pytest.mark.parametrize("chosen", FEATURE_TERMS, ids=lambda chosen: chosen.kind)
def test_features_of_other_shapes_are_refused_by_both_layers_names(chosen, digits):
    student, teacher = perceptron(hidden=(32, 64)), perceptron(hidden=(32, 256))
    with pytest.raises(TrainError) as caught:
        make_term(chosen).attach(student, probe(student, *digits, teacher))
    assert str(caught.value) == (
        f"loss {chosen.kind}: student layer features.7 gives (64,), teacher layer features.7 gives (256,); "
        "allowed: equal shapes; give the teacher the student's network and width"
    )


def test_maps_against_neurons_are_refused(digits):
    student = convolution()
    with pytest.raises(TrainError, match=r"student layer layers\.2 gives \(4, 6, 6\), teacher layer features\.3 gives"):
        check_features("attention", probe(student, *digits, perceptron(hidden=(144, 96))))


def test_another_number_of_layers_is_refused(digits):
    student, teacher = perceptron(hidden=(32, 32)), perceptron(hidden=(32,))
    with pytest.raises(TrainError) as caught:
        check_features("attention", probe(student, *digits, teacher))
    assert str(caught.value) == (
        "loss attention: the student's feature layers are features.3, features.7, the teacher's features.3; "
        "allowed: as many in both, at least one; give the teacher the student's network"
    )


def test_networks_without_features_are_refused():
    with pytest.raises(TrainError, match="the student's feature layers are none, the teacher's none; allowed: as many"):
        check_features("attention", plain_view(logits=torch.zeros(2, 3)))


@pytest.mark.parametrize("check", [check_logits, check_features])
def test_no_teacher_is_refused(check):
    view = replace(plain_view(features=[torch.zeros(2, 3)]), teacher_logits=None)
    with pytest.raises(TrainError) as caught:
        check("attention", view)
    assert str(caught.value) == (
        "loss attention: there is no teacher; allowed: a stage with a teacher; name one, or take the loss out"
    )


@pytest.mark.parametrize("chosen", FEATURE_TERMS, ids=lambda chosen: chosen.kind)
def test_equal_shapes_are_taken(chosen, digits, teacher):
    student = perceptron()
    term = make_term(chosen)
    term.attach(student, probe(student, *digits, teacher))
    assert not list(term.parameters())
