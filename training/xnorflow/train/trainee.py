"""A student, its loss terms and its teacher as one module, so that one forward call computes the whole loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import set_progress
from xnorflow.train.distill.config import TermSettings
from xnorflow.train.distill.registry import make_term
from xnorflow.train.distill.taps import Taps
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["Trainee"]

PROBE_FRAMES = 2


class Trainee(nn.Module):
    """What a stage trains. Its state is the student's and the terms'; the teacher is fixed and no part of it.

    Args:
        student: the network, on its device.
        losses: settings of the terms.
        teacher: in eval mode and on the same device, or None.
        stage: name for messages.
    """

    def __init__(self, student: Network, losses: Sequence[TermSettings], teacher: Network | None, stage: str) -> None:
        super().__init__()
        self.student = student
        self.terms = nn.ModuleList(make_term(settings) for settings in losses)
        self.kinds, self.weights = [settings.kind for settings in losses], [settings.weight for settings in losses]
        self._teacher = [teacher]  # in a list, out of reach of parameters() and state_dict()
        self._view: StepView | None = None
        for kind, term in zip(self.kinds, self._terms(), strict=True):
            if term.needs_teacher and teacher is None:
                raise TrainError(
                    f"stage {stage}, loss {kind}",
                    "the stage has no teacher",
                    "teacher = an earlier stage, or a checkpoint file",
                    "name one, or leave the loss out",
                )

    @torch.no_grad()
    def attach(self, images: Tensor, labels: Tensor) -> None:
        """Let the terms check shapes and make their parameters, on the first images, float32 in [0, 1].

        Raises:
            TrainError: student and teacher do not fit together.
        """
        training = self.student.training
        self.student.eval()
        probe = self._look(images[:PROBE_FRAMES], labels[:PROBE_FRAMES], 0.0)
        for term in self._terms():
            term.attach(self.student, probe)
            term.to(images.device)
        self.student.train(training)

    def forward(self, images: Tensor, labels: Tensor, progress: float) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return loss, logits and parts, for images in [0, 1] at ``progress`` of the stage.

        The parts are each term times its weight, which add up to the loss, and what the terms observe.
        """
        set_progress(self.student, progress)
        for term in self._terms():
            term.before_forward(progress)
        view = self._view = self._look(images, labels, progress)
        parts: dict[str, Tensor] = {}
        for kind, weight, term in zip(self.kinds, self.weights, self._terms(), strict=True):
            parts[kind] = parts.get(kind, 0.0) + weight * term(view)
        loss = sum(parts.values(), torch.zeros((), device=images.device))
        for term in self._terms():
            parts.update(term.observe())
        return loss, view.logits, parts

    def after_step(self) -> None:
        """Let the terms make their own updates, after the weights have moved."""
        assert self._view is not None
        for term in self._terms():
            term.after_step(self._view)
        self._view = None

    def end_stage(self) -> None:
        """Leave the student in its stage's plain form."""
        for term in self._terms():
            term.end_stage()

    def _look(self, images: Tensor, labels: Tensor, progress: float) -> StepView:
        logits, features = self._run(self.student, images)
        teacher = self._teacher[0]
        if teacher is None or not any(term.needs_teacher for term in self._terms()):
            return StepView(images, labels, logits, features, progress)
        with torch.no_grad():
            teacher_logits, teacher_features = self._run(teacher, images)
        return StepView(images, labels, logits, features, progress, teacher_logits, teacher_features)

    def _run(self, network: Network, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if not any(term.needs_features for term in self._terms()):
            return network(images), {}
        with Taps(network) as taps:
            logits = network(images)
        return logits, dict(taps.features)

    def _terms(self) -> list[Term]:
        return [term for term in self.terms if isinstance(term, Term)]
