"""What holds the bounds of fractional activations where they let few lower bits through."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.fractional import PrecisionGate
from xnorflow.train.distill.config import PrecisionGating
from xnorflow.train.distill.term import StepView, Term
from xnorflow.train.models.base import Network

__all__ = ["PrecisionGatingTerm"]


class PrecisionGatingTerm(Term):
    """``1/2 sum_l ||Delta_l - target||**2`` over the gates of :mod:`~xnorflow.train.binarize.fractional`.

    Zhang et al.: FracBNN, https://arxiv.org/abs/2012.12206, by the authors' code, which was read: there the factor is
    1e-5, the default of ``weight``, and the target 0. The higher the target, the fewer outputs take the lower bits. The
    share that does is observed as ``precision_gating.lower_bits``: activations have 1 + share bits on average.

    Args:
        settings: target.
    """

    def __init__(self, settings: PrecisionGating) -> None:
        super().__init__()
        self.kind, self.target = settings.kind, settings.target
        self._gates: tuple[PrecisionGate, ...] = ()  # in a tuple: the student's, not ours

    def attach(self, student: Network, probe: StepView) -> None:
        """Find the gates.

        Raises:
            TrainError: there are none.
        """
        self._gates = tuple(layer for layer in student.modules() if isinstance(layer, PrecisionGate))
        if not self._gates:
            raise TrainError(
                f"loss {self.kind}", "no layer of the network reads fractional activations",
                'activation "fractional"', "set activation, or take the loss out",
            )  # fmt: skip

    def forward(self, view: StepView) -> Tensor:
        """Return the loss of the present bounds; the view has no part in it."""
        return torch.stack([(gate.delta - self.target).square().sum() / 2 for gate in self._gates]).sum()

    def observe(self) -> Mapping[str, Tensor]:
        """Return the share of the last pass's outputs that took the lower bits; nothing before the first pass."""
        passed = [gate.passed for gate in self._gates if gate.passed is not None]
        if not passed:
            return {}
        share = torch.stack([count for count, _ in passed]).sum() / sum(number for _, number in passed)
        return {f"{self.kind}.lower_bits": share}
