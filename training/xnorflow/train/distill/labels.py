"""Losses against the labels: cross-entropy and squared hinge."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from xnorflow.train.distill.config import CrossEntropy, SquaredHinge
from xnorflow.train.distill.tensors import widened
from xnorflow.train.distill.term import StepView, Term

__all__ = ["CrossEntropyTerm", "SquaredHingeTerm", "squared_hinge"]


def squared_hinge(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over frames and classes of ``max(0, 1 - t y)**2``, t = +1 for the label's class, else -1.

    The loss of Courbariaux et al. (https://arxiv.org/abs/1602.02830) and of Brevitas's bnn_pynq examples.

    Args:
        logits: (frames, classes).
        labels: int64 (frames,), in [0, classes).
    """
    targets = 2 * functional.one_hot(labels, logits.shape[1]).to(logits.dtype) - 1
    return functional.relu(1 - targets * logits).square().mean()


class CrossEntropyTerm(Term):
    """``-mean_frames sum_c q_c log softmax(y)_c``, q = (1 - smoothing) * one_hot(label) + smoothing / classes.

    Smoothing as Szegedy et al. have it, https://arxiv.org/abs/1512.00567, section 7.

    Args:
        settings: share of smoothing.
    """

    def __init__(self, settings: CrossEntropy) -> None:
        super().__init__()
        self.smoothing = settings.smoothing

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over the frames."""
        return functional.cross_entropy(widened(view.logits), view.labels, label_smoothing=self.smoothing)


class SquaredHingeTerm(Term):
    """:func:`squared_hinge` of the student's logits.

    Args:
        settings: nothing but the weight.
    """

    def __init__(self, settings: SquaredHinge) -> None:
        super().__init__()

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over frames and classes."""
        return squared_hinge(widened(view.logits), view.labels)
