"""Fractional activations: two bits, of which the lower one counts only where the sum over the upper one is large.

Zhang et al.: FracBNN, https://arxiv.org/abs/2012.12206, by the authors' code, which was read. ``m`` and ``l`` are the
two bits of an activation, +1 or -1; Zm and Zl are a binary convolution's sums over the one and the other::

    q(x) = (2 m + l) / 3,   m = sign(x),   l = sign(x - 2/3 m)          so -1, -1/3, 1/3 or 1
    out  = (2 Zm + [2/3 Zm > Delta] Zl) / 3                              Delta learned, one for each output channel

In hardware ``3 out`` is an integer: XNOR-popcount of both planes with the same weights, one constant comparison, one
addition; behind it three thresholds a channel in place of one, or a residual block's table. Nothing waits for the end
of a frame, so it streams. The bound saves power, as the lower sum need not be switched on, but neither time nor area:
its unit must be there. ``Delta = -infinity`` is a plain convolution on activations of two bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.estimators import hard_sign, straight_sign
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d, Sign, input_quantizer
from xnorflow.train.models.blocks.levels import constant
from xnorflow.train.models.config import ActivationKind, NetworkSettings
from xnorflow.train.quiet import quiet

with quiet():
    import brevitas.nn as qnn

__all__ = ["INITIAL_BOUND", "SHARPNESS", "THIRD", "FractionalActivation", "FractionalConv2d", "PrecisionGate",
           "gate_open", "make_activation", "make_convolution", "two_bits"]  # fmt: skip

UPPER, THIRD = 2 / 3, 1 / 3
"""What the two bits stand for. Every output of a fractional convolution is a whole multiple of the latter."""

INITIAL_BOUND = -1.0
SHARPNESS = 5.0
"""Of the sigmoid that stands in for the step at Delta."""


class _TwoBits(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        context.save_for_backward(values)
        upper = hard_sign(values)
        return upper.mul(2).add_(hard_sign(values - upper * UPPER)).mul_(THIRD)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (values,) = context.saved_tensors
        edge = 1 + torch.finfo(values.dtype).eps
        return torch.ops.aten.hardtanh_backward(gradients[0], values, -edge, edge)


def two_bits(values: Tensor) -> Tensor:
    """Return -1, -1/3, 1/3 or 1, the nearest; a number half-way goes up.

    Gradient: 1 where ``-1 <= x <= 1``, else 0. The authors leave the two ends out and round -2/3 and 2/3 down; here
    they are treated as everywhere else in this package.
    """
    apply: Callable[[Tensor], Tensor] = _TwoBits.apply
    return apply(values)


class FractionalActivation(Sign):
    """The activation of two bits; in other forms what :class:`~.layers.Sign` is."""

    @property
    def levels(self) -> int:
        """How many different values there are."""
        return 4

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        self.bits = 2
        self.lower = input_quantizer(1)

    def _sign(self, values: Tensor) -> Tensor:
        if not self.act_quant.export_mode:
            return two_bits(values)
        upper = qnn.QuantIdentity.forward(self, values)
        return (upper * 2 + self.lower(values - upper * UPPER)) * THIRD


class _Open(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, excess: Tensor) -> Tensor:
        context.save_for_backward(excess)
        return (excess > 0).to(excess.dtype)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (excess,) = context.saved_tensors
        soft = torch.sigmoid(SHARPNESS * excess)
        return gradients[0] * (SHARPNESS * soft * (1 - soft) * (excess >= 0))


def gate_open(excess: Tensor) -> Tensor:
    """Return 1 where ``excess = 2/3 Zm - Delta`` is above 0, else 0.

    Gradient: that of ``sigmoid(5 excess)`` where this is at least 1/2, else 0.
    """
    apply: Callable[[Tensor], Tensor] = _Open.apply
    return apply(excess)


class PrecisionGate(nn.Module):
    """Add the lower bits' sum to that of the upper ones where the latter passes Delta.

    Args:
        channels: of the convolution's output.

    Attributes:
        passed: how many outputs of the last pass took the lower bits, and how many there were; None before the first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.delta = nn.Parameter(torch.full((channels,), INITIAL_BOUND))
        self.passed: tuple[Tensor, int] | None = None

    def forward(self, upper: Tensor, lower: Tensor, factor: Tensor | None = None) -> Tensor:
        """Return ``(2 Zm + open Zl) / 3``, (frames, channels, height, width).

        Args:
            upper: Zm, times the factor.
            lower: Zl, likewise.
            factor: of the weights of each output channel, (channels,), positive; Delta is in units of unscaled sums.
        """
        bound = 3 * self.delta
        if torch.onnx.is_in_onnx_export():
            opened = (upper * 2 > constant(bound.view(-1, 1, 1))).to(upper.dtype)
        else:
            unit = torch.ones_like(bound) if factor is None else factor
            excess = (upper * 2 - (bound * unit).view(-1, 1, 1)) / (3 * unit).view(-1, 1, 1)
            opened = gate_open(excess)
            self.passed = (opened.detach().sum(), opened.numel())
        return (upper * 2 + opened * lower) * THIRD


class FractionalConv2d(BinarizedConv2d):
    """A binary convolution on fractional activations: two sums over the same weights, joined by a gate.

    In the forms without signs it is a plain convolution. Backward, both bits of an activation pass their gradients
    straight on, as in the authors' code, so that an open output has the gradient of a convolution on ``(2 m + l) / 3``
    and a closed one two thirds of it.

    Args:
        channels_in: input channels.
        channels_out: output channels.
        kernel: its height and width.
        settings: bits and estimator.
        stride: in both directions.

    Attributes:
        input_bits: of an activation.
        binary_passes: how often each weight meets a bit.
    """

    input_bits = 2
    binary_passes = 2

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, settings: NetworkSettings, *, stride: int = 1
    ) -> None:
        super().__init__(channels_in, channels_out, kernel, settings, stride=stride)
        self.precision = PrecisionGate(channels_out)
        self.upper, self.lower = input_quantizer(1), input_quantizer(1)

    def compute(self, values: Tensor) -> Tensor:
        """Return the output in the present form."""
        state = self.state
        if state.activation is Activation.BOTH:
            fractions, reals = values.chunk(2)
            binary = self._gated(fractions, self.binary_weights())
            return (1 - state.blend) * binary + state.blend * self.product(reals, self.weight)
        weights = self.weight if state.real_weights else self.binary_weights()
        return self._gated(values, weights) if state.activation is Activation.SIGN else self.product(values, weights)

    def forward(self, input: Tensor) -> Tensor:
        """Return (frames, channels_out, height, width) of ``input``, (frames, channels_in, height, width)."""
        if not self.weight_quant.export_mode:
            return self.compute(input)
        upper = self.upper(input)
        lower = self.lower(input - upper * UPPER)
        sums = [qnn.QuantConv2d.forward(self, bits) for bits in (upper, lower)]
        result: Tensor = self.precision(*sums)
        return result

    def _gated(self, values: Tensor, weights: Tensor) -> Tensor:
        upper = straight_sign(values)
        lower = straight_sign(values - upper.detach() * UPPER)
        folds = self.scaling.folds and not self.state.real_weights and not self.plain
        factor = self.scaling.channel_factor(self.weight) if folds else None
        result: Tensor = self.precision(self.product(upper, weights), self.product(lower, weights), factor)
        return result


def make_activation(settings: NetworkSettings) -> Sign:
    """Make the activation in front of a convolution."""
    return (FractionalActivation if settings.activation is ActivationKind.FRACTIONAL else Sign)(settings)


def make_convolution(
    channels_in: int, channels_out: int, kernel: int, settings: NetworkSettings, *, stride: int = 1
) -> BinarizedConv2d:
    """Make the binary convolution behind such an activation."""
    kind = FractionalConv2d if settings.activation is ActivationKind.FRACTIONAL else BinarizedConv2d
    return kind(channels_in, channels_out, kernel, settings, stride=stride)
