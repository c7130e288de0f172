"""Learned numbers that hardware holds in a few bits, rounded in the forward pass, their gradient straight through."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["LEVEL_BITS", "constant", "fixed_point", "power_of_two", "straight_through", "ternary", "unit"]

LEVEL_BITS = 4
"""Bits of a :func:`power_of_two` and of a :func:`fixed_point` number."""

SMALLEST = 6
"""The smallest power of two is ``2**-SMALLEST``."""


def constant(values: Tensor) -> Tensor:
    """Return ``values``; while a network is exported, as a constant of the graph instead of the chain that made them.

    An exported file then holds the very float32 that torch computed, and no other library computes it again.
    """
    return torch.tensor(values.detach().cpu().numpy()) if torch.onnx.is_in_onnx_export() else values


def straight_through(rounded: Tensor, values: Tensor) -> Tensor:
    """Return ``rounded`` exactly, with the gradient of ``values``; an exported graph has only ``rounded``."""
    return rounded if torch.onnx.is_in_onnx_export() else rounded.detach() + (values - values.detach())


def power_of_two(values: Tensor) -> Tensor:
    """Round to 0 or a signed power of two from 1/64 to 1: 15 levels.

    A magnitude goes to the nearest one by its logarithm: up from ``2**(e - 1/2)``. The bounds are compared and no
    logarithm is taken, so that every machine rounds alike. Gradient: straight through where ``|x| <= 1``, else 0.
    """
    clipped = values.clamp(-1, 1)
    magnitude = torch.zeros_like(clipped)
    for exponent in range(-SMALLEST, 1):
        reached = clipped.detach().abs() >= 2.0 ** (exponent - 0.5)
        magnitude = torch.where(reached, torch.full_like(magnitude, 2.0**exponent), magnitude)
    return straight_through(magnitude * torch.sign(clipped.detach()), clipped)


def ternary(values: Tensor) -> Tensor:
    """Round to -1, 0 or +1, halves to 0. Gradient: straight through where ``|x| <= 1``, else 0."""
    clipped = values.clamp(-1, 1)
    return straight_through(torch.round(clipped), clipped)


def fixed_point(values: Tensor, step: float) -> Tensor:
    """Round to ``step`` times an integer from -7 to 7. Gradient: straight through inside, else 0."""
    clipped = values.clamp(-7 * step, 7 * step)
    return straight_through(torch.round(clipped / step) * step, clipped)


def unit(fan_in: int) -> float:
    """Return the power of two nearest to the deviation of a sum of ``fan_in`` signs."""
    return 2.0 ** round(math.log2(math.sqrt(fan_in)))
