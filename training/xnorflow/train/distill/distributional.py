"""ReActNet's distributional loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from xnorflow.train.distill.check import check_logits
from xnorflow.train.distill.config import Distributional
from xnorflow.train.distill.tensors import beside
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["DistributionalTerm"]


class DistributionalTerm(Term):
    """``-mean_frames sum_c p_teacher(c) log p_student(c)``, p = softmax of the logits.

    Liu et al.: ReActNet, https://arxiv.org/abs/2003.03488, section 4.3. The paper speaks of a divergence; the authors'
    code, which this follows, leaves out the teacher's entropy, so that the least value is that entropy and not 0. Their
    training has no other loss.

    Args:
        settings: nothing but the weight.
    """

    needs_teacher = True

    def __init__(self, settings: Distributional) -> None:
        super().__init__()
        self.kind = settings.kind

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the classes.

        Raises:
            TrainError: no teacher, or another number of classes.
        """
        check_logits(self.kind, probe)

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over the frames."""
        assert view.teacher_logits is not None
        student, teacher = beside(view.logits, view.teacher_logits)
        return -(functional.softmax(teacher, 1) * functional.log_softmax(student, 1)).sum(1).mean()
