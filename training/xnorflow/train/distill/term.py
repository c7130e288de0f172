"""What a loss term is, and what it sees of a training step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from xnorflow.train.models.base import Network

__all__ = ["StepView", "Term"]


@dataclass(frozen=True)
class StepView:
    """One batch as the terms see it.

    Args:
        images: float32 (frames, channels, height, width) in [0, 1].
        labels: int64 (frames,).
        logits: the student's, (frames, classes).
        features: the student's, by tap name, first to last; gradients flow through them.
        progress: share of the stage done, in [0, 1).
        teacher_logits: the teacher's, no gradient; None without a teacher.
        teacher_features: the teacher's, no gradient; empty without a teacher.
    """

    images: Tensor
    labels: Tensor
    logits: Tensor
    features: Mapping[str, Tensor]
    progress: float
    teacher_logits: Tensor | None = None
    teacher_features: Mapping[str, Tensor] = field(default_factory=dict)


class Term(nn.Module):
    """Base of the loss terms. Its parameters, if any, are trained together with the student's.

    In every step the loop calls :meth:`before_forward`, runs student and teacher, calls the term, moves the weights,
    and calls :meth:`after_step`. State beyond parameters and buffers goes through torch's ``get_extra_state`` and
    ``set_extra_state``, so that a resumed training continues bit for bit.

    Attributes:
        needs_teacher: whether ``teacher_logits`` and ``teacher_features`` must be there.
        needs_features: whether ``features`` must be there.
    """

    needs_teacher: bool = False
    needs_features: bool = False

    def attach(self, student: Network, probe: StepView) -> None:
        """Check shapes on the first frames of the data and make own parameters.

        Args:
            student: the network that is trained. Keep no registered reference to it.
            probe: a view of at least two frames, student and teacher in eval mode.

        Raises:
            TrainError: student and teacher do not fit together; names both layers.
        """

    def before_forward(self, progress: float) -> None:
        """Prepare the student for the step; ``progress`` is the share of the stage done, in [0, 1)."""

    def forward(self, view: StepView) -> Tensor:
        """Return the term, a scalar, not yet weighted."""
        raise NotImplementedError

    def observe(self) -> Mapping[str, Tensor]:
        """Return numbers of the last forward pass to keep in the metrics, by name: no part of the loss."""
        return {}

    def after_step(self, view: StepView) -> None:
        """Make updates of the term's own, such as a discriminator's."""

    def end_stage(self) -> None:
        """Leave the student in its plain binary form."""
