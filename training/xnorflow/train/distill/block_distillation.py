"""Block-wise distillation of Distillation Guided Residual Learning."""

from __future__ import annotations

import torch
from torch import Tensor

from xnorflow.train.distill.check import check_features
from xnorflow.train.distill.config import BlockDistillation
from xnorflow.train.distill.tensors import paired_features, resting
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["BlockDistillationTerm"]

LEAST_ENERGY = 1e-6  # of a teacher's frame; BatchNorm leaves about 1


class BlockDistillationTerm(Term):
    """``sum_n mean_frames( mean (O_n - S_n)**2 / mean O_n**2 )``, O_n the teacher's block n, S_n the student's.

    Ye, Zhang, Wang: Distillation Guided Residual Learning for Binary Convolutional Neural Networks,
    https://arxiv.org/abs/2007.05223: every binary block's output is drawn to that of the teacher's block. Neither code
    nor the full text was at hand. The squared distance, the division by the teacher's mean square (each frame's own,
    so that blocks count alike and a batch can be split), the sum over blocks and ``until`` are our reconstruction; the
    other half of the paper, the side branch, is a part of the network.

    Args:
        settings: share of the stage in which it works.
    """

    needs_teacher = True
    needs_features = True

    def __init__(self, settings: BlockDistillation) -> None:
        super().__init__()
        self.kind, self.until = settings.kind, settings.until

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the shapes of the features.

        Raises:
            TrainError: no teacher, or features of other shapes.
        """
        check_features(self.kind, probe)

    def forward(self, view: StepView) -> Tensor:
        """Return the sum over the blocks; 0 from ``until`` on."""
        if view.progress >= self.until:
            return resting(view)
        return torch.stack([_relative_error(student, teacher) for student, teacher in paired_features(view)]).sum()


def _relative_error(student: Tensor, teacher: Tensor) -> Tensor:
    error = (teacher - student).square().flatten(1).mean(1)
    energy = teacher.square().flatten(1).mean(1).clamp(min=LEAST_ENERGY)
    return (error / energy).mean()
