"""From settings to a loss term."""

from __future__ import annotations

from xnorflow.train.distill.adversarial import AdversarialTerm
from xnorflow.train.distill.attention import AttentionTerm
from xnorflow.train.distill.block_distillation import BlockDistillationTerm
from xnorflow.train.distill.config import (
    Adversarial,
    Attention,
    BlockDistillation,
    CrossEntropy,
    Distillation,
    Distributional,
    KernelRectification,
    LatentWeights,
    PrecisionGating,
    Rbonn,
    SquaredHinge,
    TermSettings,
)
from xnorflow.train.distill.distributional import DistributionalTerm
from xnorflow.train.distill.hinton import DistillationTerm
from xnorflow.train.distill.kernel_rectification import KernelRectificationTerm
from xnorflow.train.distill.labels import CrossEntropyTerm, SquaredHingeTerm
from xnorflow.train.distill.latent_weights import LatentWeightsTerm
from xnorflow.train.distill.precision_gating import PrecisionGatingTerm
from xnorflow.train.distill.rbonn import RbonnTerm
from xnorflow.train.distill.term import Term

__all__ = ["make_term"]


def make_term(settings: TermSettings) -> Term:
    """Make the term that the settings name; :meth:`~.term.Term.attach` comes next.

    Raises:
        TrainError: settings that do nothing.
    """
    match settings:
        case CrossEntropy():
            return CrossEntropyTerm(settings)
        case SquaredHinge():
            return SquaredHingeTerm(settings)
        case Distillation():
            return DistillationTerm(settings)
        case Distributional():
            return DistributionalTerm(settings)
        case Attention():
            return AttentionTerm(settings)
        case BlockDistillation():
            return BlockDistillationTerm(settings)
        case LatentWeights():
            return LatentWeightsTerm(settings)
        case Adversarial():
            return AdversarialTerm(settings)
        case KernelRectification():
            return KernelRectificationTerm(settings)
        case Rbonn():
            return RbonnTerm(settings)
        case PrecisionGating():
            return PrecisionGatingTerm(settings)
