"""The trunk: what shortcuts carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.layers import FormState, trunk_integer
from xnorflow.train.binarize.quantizers import TRUNK_RANGE
from xnorflow.train.models.blocks.padding import on_signs

__all__ = ["Trunk"]


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, step: float, limit: int, floor: bool) -> Tensor:
        levels = values * (1 / step)
        levels = levels.floor_() if floor else levels.round_()
        clipped = levels.clamp(-limit, limit - 1)
        context.save_for_backward(clipped == levels)
        return clipped.mul_(step)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = context.saved_tensors
        return gradients[0] * inside, None, None, None


class Trunk(nn.Module):
    """Round to the trunk's integers and saturate, in the forms that compute on signs; in others the trunk is real.

    The quantizer itself stands in exported graphs; else its numbers and gradients are computed here, in a third of the
    time.

    Args:
        bits: of an integer, or ``"real"``: none of this.
        floor: round down, as a shift does, in place of to the nearest.
    """

    def __init__(self, bits: int | Literal["real"], *, floor: bool = False) -> None:
        super().__init__()
        self.bits, self.floor = bits, floor
        self.quantize: Any = None if bits == "real" else trunk_integer(bits, floor=floor)

    def forward(self, values: Tensor, state: FormState) -> Tensor:
        """Return values of the same shape: whole multiples of the step in [-4, 4 - step], or ``values``."""
        if self.bits == "real" or self.quantize is None or not on_signs(state):
            return values
        if self.quantize.act_quant.export_mode:
            exported: Tensor = self.quantize(values)
            return exported
        limit = 2 ** (self.bits - 1)
        apply: Callable[[Tensor, float, int, bool], Tensor] = _Round.apply
        return apply(values, TRUNK_RANGE / limit, limit, self.floor)
