"""Attention matching of Real-to-Binary: student and teacher shall be active at the same places."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xnorflow.train.distill.check import check_features
from xnorflow.train.distill.config import Attention, AttentionForm
from xnorflow.train.distill.tensors import paired_features
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["AttentionTerm", "attention_map", "attention_matching"]

TINY = 1e-12  # a map that is 0 everywhere is divided by this and stays 0


def attention_map(features: Tensor) -> Tensor:
    """Return ``Q = sum_c A_c**2`` at every position: (frames, positions).

    Features without positions, (frames, C) or (frames, C, 1, 1), have no spatial map: the sum over channels would be
    one number, and its normalized form always 1. Their neurons are taken as the positions of a map of one channel. This
    is an extension of ours; the paper and larq know convolutions only.

    Args:
        features: (frames, channels, height, width) or (frames, neurons).
    """
    squares = features.square()
    if features.dim() > 2 and features[0, 0].numel() > 1:
        squares = squares.sum(1)
    return squares.flatten(1)


def attention_matching(pairs: Sequence[tuple[Tensor, Tensor]], form: AttentionForm) -> Tensor:
    """Return the distance of attention maps, a mean over frames; each frame's is its own, whatever the others hold.

    - paper: ``sum_layers || Q_s / ||Q_s||_2 - Q_t / ||Q_t||_2 ||_2``
    - larq: ``mean_layers mean_positions (Q_s / max Q_s - Q_t / max Q_t)**2``

    Args:
        pairs: features of the student and of the teacher, layer by layer; take the teacher's gradient off before.
        form: which of the two.
    """
    distances = [_distance(attention_map(student), attention_map(teacher), form) for student, teacher in pairs]
    stacked = torch.stack(distances)
    return stacked.sum() if form is AttentionForm.PAPER else stacked.mean()


def _distance(student: Tensor, teacher: Tensor, form: AttentionForm) -> Tensor:
    if form is AttentionForm.PAPER:
        difference = functional.normalize(student, dim=1, eps=TINY) - functional.normalize(teacher, dim=1, eps=TINY)
        return torch.linalg.vector_norm(difference, dim=1).mean()
    return (_by_largest(student) - _by_largest(teacher)).square().mean()


def _by_largest(maps: Tensor) -> Tensor:
    return maps / maps.amax(1, keepdim=True).clamp(min=TINY)


class AttentionTerm(Term):
    """Martinez, Yang, Bulat, Tzimiropoulos: Real-to-Binary, https://arxiv.org/abs/2003.11535, section 4.2.

    The authors published no training code. ``larq`` is the form of larq zoo's re-implementation, which was read; its
    factor is 30, which here is the term's ``weight``. ``paper`` is the paper's equation from memory, not checked
    against its text; that the distance is averaged over frames is our reading. At equal maps its gradient is 0, next to
    them it has a constant size.

    Args:
        settings: form.
    """

    needs_teacher = True
    needs_features = True

    def __init__(self, settings: Attention) -> None:
        super().__init__()
        self.kind, self.form = settings.kind, settings.form

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the shapes of the features.

        Raises:
            TrainError: no teacher, or features of other shapes.
        """
        check_features(self.kind, probe)

    def forward(self, view: StepView) -> Tensor:
        """Return :func:`attention_matching` of all taps."""
        return attention_matching(paired_features(view), self.form)
