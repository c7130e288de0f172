"""What several terms do with tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from xnorflow.train.distill.term import StepView

__all__ = ["beside", "paired_features", "resting", "widened"]


def widened(values: Tensor) -> Tensor:
    """Return ``values`` as float32 if their type is shorter, else as they are: squares and sums want its range."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def beside(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in the student's widened type, whatever the teacher computed in; no gradient in the latter."""
    student = widened(student)
    return student, teacher.detach().to(student.dtype)


def resting(view: StepView) -> Tensor:
    """Return a zero for a term that is switched off; ``backward`` works on it even where it is the only term."""
    return widened(view.logits).sum() * 0


def paired_features(view: StepView) -> list[tuple[Tensor, Tensor]]:
    """Return the features of student and teacher, tap by tap in order: see :func:`beside`."""
    pairs = zip(view.features.values(), view.teacher_features.values(), strict=True)
    return [beside(student, teacher) for student, teacher in pairs]
