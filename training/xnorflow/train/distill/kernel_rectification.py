"""The kernel loss of rectified binary convolutional networks (RBCN)."""

from __future__ import annotations

import torch
from torch import Tensor

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.distill.config import KernelRectification
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["KernelRectificationTerm"]


class KernelRectificationTerm(Term):
    """``1/2 sum_l ||W_l - C_l (.) sign(W_l)||**2`` over the layers with a learned C.

    Liu et al.: RBCN, https://arxiv.org/abs/1908.07748, as printed in the authors' book "Binary Neural Networks",
    equation 3.64; the factor lambda_1 is the term's ``weight``. Its default, 1e-4, is the best of a sibling method, as
    RBCN's own is not given. C's shape is not pinned down there, see ``weight_scale``.

    That factor is for weights of about 0.02. Beside a loss behind BatchNorm, whose gradient falls as weights grow, the
    share of this term's gradient grows with their square: where they fill [-1, 1], as ours do by default, 1e-4 holds
    every weight at the end of its range, and ``1e-4 * (0.02 / 0.5)**2`` is its equal.

    - ``dL/dC = -sum (W - C (.) sign(W)) (.) sign(W)``, over all weights that share an entry of C: equation 3.75.
    - ``dL/dW = W - C (.) sign(W)``, the sign held fixed, as its true derivative is 0. This is ours: equations 3.67 to
      3.71 list for W only the part through the estimator of sign(W), ``-(W - C (.) sign(W)) (.) C`` times its slope,
      which descends away from ``C (.) sign(W)`` and so against the loss.

    Args:
        settings: nothing but the weight.
    """

    def __init__(self, settings: KernelRectification) -> None:
        super().__init__()
        self.kind = settings.kind
        self._layers: tuple[tuple[BinarizedWeights, RectifiedScale], ...] = ()  # in a tuple: the student's, not ours

    def attach(self, student: Network, probe: StepView) -> None:
        """Find the layers.

        Raises:
            TrainError: no layer has a learned C.
        """
        layers = [layer for layer in student.modules() if isinstance(layer, BinarizedWeights)]
        scales = [layer.scaling for layer in layers]
        pairs = zip(layers, scales, strict=True)
        self._layers = tuple((layer, scale) for layer, scale in pairs if isinstance(scale, RectifiedScale))
        if not self._layers:
            raise TrainError(
                f"loss {self.kind}",
                "no layer of the network has a learned scale",
                'weight_scale "rectified_channel", "rectified_kernel" or "rectified_full" on weights of 1 bit',
                "set weight_scale, or take the loss out",
            )

    def forward(self, view: StepView) -> Tensor:
        """Return the loss of the student's present weights; the view has no part in it."""
        losses = [_distance(layer.weight, scale) for layer, scale in self._layers]
        return torch.stack(losses).sum()


def _distance(weights: Tensor, scale: RectifiedScale) -> Tensor:
    return (weights - scale.factor() * scale.binary(weights)).square().sum() / 2
