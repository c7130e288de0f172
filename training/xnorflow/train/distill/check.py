"""Whether student and teacher fit together, found out on the first frames and not after an epoch."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from xnorflow.artifact.errors import TrainError
from xnorflow.train.distill.term import StepView

__all__ = ["check_features", "check_logits"]


def check_logits(kind: str, probe: StepView) -> None:
    """Check that there is a teacher, and that it has the student's classes.

    Args:
        kind: the term's, as in the settings.
        probe: first frames.

    Raises:
        TrainError: it has not.
    """
    teacher = _teacher_logits(kind, probe)
    classes, found = probe.logits.shape[1], teacher.shape[1]
    if classes != found:
        raise TrainError(
            f"loss {kind}",
            f"the student has {classes} classes, the teacher {found}",
            "equal numbers of classes",
            "give a teacher that was trained on the student's data set",
        )


def check_features(kind: str, probe: StepView) -> None:
    """Check that there is a teacher, and that its features have the shapes of the student's, tap by tap.

    Args:
        kind: the term's, as in the settings.
        probe: first frames.

    Raises:
        TrainError: they have not; names both layers.
    """
    _teacher_logits(kind, probe)
    student, teacher = probe.features, probe.teacher_features
    if len(student) != len(teacher) or not student:
        raise TrainError(
            f"loss {kind}",
            f"the student's feature layers are {_listed(student)}, the teacher's {_listed(teacher)}",
            "as many in both, at least one",
            "give the teacher the student's network",
        )
    for (name, mine), (other, its) in zip(student.items(), teacher.items(), strict=True):
        ours, theirs = tuple(mine.shape[1:]), tuple(its.shape[1:])
        if ours != theirs:
            raise TrainError(
                f"loss {kind}",
                f"student layer {name} gives {ours}, teacher layer {other} gives {theirs}",
                "equal shapes",
                "give the teacher the student's network and width",
            )


def _teacher_logits(kind: str, probe: StepView) -> Tensor:
    if probe.teacher_logits is None:
        raise TrainError(
            f"loss {kind}", "there is no teacher", "a stage with a teacher", "name one, or take the loss out"
        )
    return probe.teacher_logits


def _listed(features: Mapping[str, Tensor]) -> str:
    return ", ".join(features) or "none"
