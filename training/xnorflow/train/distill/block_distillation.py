"""Block-wise distillation of Distillation Guided Residual Learning."""

from __future__ import annotations

import torch
from torch import Tensor

from xnorflow.train.distill.check import check_features
from xnorflow.train.distill.config import BlockDistance, BlockDistillation
from xnorflow.train.distill.tensors import paired_features, resting
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["BlockDistillationTerm"]

LEAST_ENERGY = 1e-6  # of a teacher's frame; BatchNorm leaves about 1
LEAST_VARIANCE = 1e-2  # of a channel: one that hardly varies is no steep slope
CHANNEL_AXIS = 1


class BlockDistillationTerm(Term):
    """``sum_n D(O_n, S_n)``, O_n what the teacher's block n puts out, S_n the student's.

    D by ``distance``::

        relative      mean_frames( mean (O - S)**2 / mean O**2 )
        standardized  mean( (o - s)**2 ), o and s less their means m and divided by sqrt(v + 0.01) in each channel, m
                      and variance v over batch and pixels: about 2 (1 - correlation), averaged over the channels

    Ye, Zhang, Wang: Distillation Guided Residual Learning for Binary Convolutional Neural Networks,
    https://arxiv.org/abs/2007.05223: every binary block's output is drawn to that of the teacher's block. Neither code
    nor the full text was at hand. Both distances, the sum over blocks and ``until`` are our reconstruction: in the
    paper D is some distance. The relative one divides by the mean square of the teacher in each frame, so that blocks
    count alike and a batch can be split. What a binary block cannot follow it makes small by shrinking the block's
    features towards the teacher's means, by way of the BatchNorm in front of a sign; the standardized one leaves that
    BatchNorm to the labels. The other half of the paper, the side branch, is a part of the network.

    Args:
        settings: distance, and share of the stage in which it works.
    """

    needs_teacher = True
    needs_features = True

    def __init__(self, settings: BlockDistillation) -> None:
        super().__init__()
        self.kind, self.until = settings.kind, settings.until
        self.distance = _DISTANCES[settings.distance]

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
        return torch.stack([self.distance(student, teacher) for student, teacher in paired_features(view)]).sum()


def _relative_error(student: Tensor, teacher: Tensor) -> Tensor:
    error = (teacher - student).square().flatten(1).mean(1)
    energy = teacher.square().flatten(1).mean(1).clamp(min=LEAST_ENERGY)
    return (error / energy).mean()


def _standardized_error(student: Tensor, teacher: Tensor) -> Tensor:
    return (_standardized(teacher) - _standardized(student)).square().mean()


def _standardized(features: Tensor) -> Tensor:
    across = [axis for axis in range(features.dim()) if axis != CHANNEL_AXIS]
    variance, mean = torch.var_mean(features, across, correction=0, keepdim=True)
    return (features - mean) * (variance + LEAST_VARIANCE).rsqrt()


_DISTANCES = {BlockDistance.RELATIVE: _relative_error, BlockDistance.STANDARDIZED: _standardized_error}
