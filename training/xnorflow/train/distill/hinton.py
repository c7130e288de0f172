"""Knowledge distillation on logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from xnorflow.train.distill.check import check_logits
from xnorflow.train.distill.config import Distillation
from xnorflow.train.distill.tensors import beside
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["DistillationTerm", "divergence"]


def divergence(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """Return ``T**2 * mean_frames KL(softmax(t / T) || softmax(s / T))``; no gradient reaches the teacher.

    ``dL/ds = T * (softmax(s / T) - softmax(t / T)) / frames``: the factor keeps gradients of about one size over T.

    Args:
        teacher: logits t, (frames, classes).
        student: logits s, (frames, classes).
        temperature: T > 0.
    """
    student, teacher = beside(student, teacher)
    target = functional.log_softmax(teacher / temperature, 1)
    found = functional.log_softmax(student / temperature, 1)
    return functional.kl_div(found, target, reduction="batchmean", log_target=True) * temperature**2


class DistillationTerm(Term):
    """Hinton, Vinyals, Dean: :func:`divergence` of the student's from the teacher's probabilities.

    https://arxiv.org/abs/1503.02531, section 2, which gives the factor T**2. In the paper the soft targets enter by
    their cross-entropy; the divergence, as in larq zoo's Real-to-Binary, differs by the teacher's entropy, a constant,
    and is 0 where the two agree.

    Args:
        settings: temperature.
    """

    needs_teacher = True

    def __init__(self, settings: Distillation) -> None:
        super().__init__()
        self.kind, self.temperature = settings.kind, settings.temperature

    def attach(self, student: Network, probe: StepView) -> None:
        """Check the classes.

        Raises:
            TrainError: no teacher, or another number of classes.
        """
        check_logits(self.kind, probe)

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over the frames."""
        assert view.teacher_logits is not None
        return divergence(view.teacher_logits, view.logits, self.temperature)
