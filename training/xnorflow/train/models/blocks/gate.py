"""Gates: factors of a convolution's output channels (Real-to-Binary, section 4.3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.binarize.layers import FormState
from xnorflow.train.models.blocks.levels import LEVEL_BITS, constant, fixed_point, straight_through
from xnorflow.train.models.blocks.padding import on_signs
from xnorflow.train.models.config import BlockSettings, Gate
from xnorflow.train.models.counts import Operations

__all__ = ["PowerOfTwoGate", "PublishedGate", "StaticGate", "make_gate", "shift_levels"]

STEP = 2.0**-3
"""Of the power-of-two gate's weights."""

HIDDEN_STEP, HIDDEN_LIMIT = 2.0**-6, 2.0 - 2.0**-6
"""Of its hidden layer: seven bits."""

HIDDEN_LEAST = 4


class StaticGate(nn.Module):
    """A learned positive factor for each channel, begun at 1; it folds into the BatchNorm behind it.

    What remains of a gate whose averages over the data took the place of its values.

    Args:
        channels_out: channels of the convolution's output.
    """

    def __init__(self, channels_out: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(channels_out))

    def forward(self, signs: Tensor, normed: Tensor, state: FormState) -> Tensor:
        """Return the factors, (1, channels_out, 1, 1), at least 0.001."""
        factor = straight_through(self.factor.clamp(min=1e-3), self.factor)
        return constant(factor.view(1, -1, 1, 1))


class PublishedGate(nn.Module):
    """``sigmoid(W2 relu(W1 mean(BN(x))))``, real, without biases: 2 C C / r weights for C channels in and out.

    Martinez et al., https://arxiv.org/abs/2003.11535, section 4.3, with the initialization of the re-implementation in
    larq's zoo.

    Args:
        channels_in: channels of the convolution's input.
        channels_out: of its output.
        reduction: r; the hidden layer has channels_in / r neurons, rounded down, at least one.
    """

    def __init__(self, channels_in: int, channels_out: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels_in // reduction)
        self.reduce = nn.Linear(channels_in, hidden, bias=False)
        self.expand = nn.Linear(hidden, channels_out, bias=False)
        for layer in (self.reduce, self.expand):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, signs: Tensor, normed: Tensor, state: FormState) -> Tensor:
        """Return the factors, (frames, channels_out, 1, 1), in (0, 1).

        Args:
            signs: the convolution's input; not looked at.
            normed: what the sign was taken of, (frames, channels_in, height, width).
            state: form of the network; the same in all.
        """
        hidden = functional.relu(self.reduce(normed.mean((2, 3))))
        return torch.sigmoid(self.expand(hidden))[:, :, None, None]


def shift_levels(values: Tensor) -> Tensor:
    """Return 1/8, 1/4, 1/2 or 1, the nearest by its logarithm to ``hardsigmoid(x) = clamp(x / 6 + 1/2, 0, 1)``.

    The bounds of ``x`` are compared, no logarithm is taken, so that every machine rounds alike. Gradient: the hard
    sigmoid's.
    """
    levels = 0.125 + sum(
        2.0 ** (exponent - 1) * (values >= 6 * (2.0 ** (exponent - 0.5) - 0.5)).to(values.dtype)
        for exponent in (-2, -1, 0)
    )
    return straight_through(levels, functional.hardsigmoid(values))


class PowerOfTwoGate(nn.Module):
    """The published gate in the arithmetic of a stream: popcounts, two tiny layers of four-bit weights, a shift.

    Our reconstruction for hardware; the paper has none. Sums of the sign bits of each channel stand for the averages,
    weights are multiples of 1/8 up to 7/8, hidden values multiples of 1/64 below 2, and the factor is 1/8, 1/4, 1/2 or
    1. All numbers are exact in float32. It needs a frame of sign bits to be held back: one frame of latency a layer. In
    the forms without signs the same network is real, with a hard sigmoid.

    Args:
        channels_in: channels of the convolution's input.
        channels_out: of its output.
        reduction: the hidden layer has channels_in / reduction neurons, rounded down, at least four: one or two could
            all be off for every image, and would never learn.
    """

    parameter_bits = LEVEL_BITS

    def __init__(self, channels_in: int, channels_out: int, reduction: int) -> None:
        super().__init__()
        hidden = max(HIDDEN_LEAST, channels_in // reduction)
        self.reduce = nn.Parameter(torch.empty(hidden, channels_in))
        self.expand = nn.Parameter(torch.empty(channels_out, hidden))
        for parameter in (self.reduce, self.expand):
            nn.init.kaiming_normal_(parameter)

    def forward(self, signs: Tensor, normed: Tensor, state: FormState) -> Tensor:
        """Return the factors, (frames, channels_out, 1, 1).

        Args:
            signs: the convolution's input, (frames, channels_in, height, width), not padded.
            normed: not looked at.
            state: form of the network.
        """
        pixels = signs.shape[2] * signs.shape[3]
        if not on_signs(state):
            hidden = functional.relu(functional.linear(signs.mean((2, 3)), self.reduce))
            return functional.hardsigmoid(functional.linear(hidden, self.expand))[:, :, None, None]
        means = signs.sum((2, 3)) * 2.0 ** -math.ceil(math.log2(pixels))
        hidden = functional.linear(means, constant(fixed_point(self.reduce, STEP))).clamp(0, HIDDEN_LIMIT)
        hidden = straight_through(torch.floor(hidden / HIDDEN_STEP) * HIDDEN_STEP, hidden)
        return shift_levels(functional.linear(hidden, constant(fixed_point(self.expand, STEP))))[:, :, None, None]

    def operations(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> Operations:
        """Return the products of both layers; counting bits is no product."""
        return Operations(few_bit=self.reduce.numel() + self.expand.numel())


def make_gate(channels_in: int, channels_out: int, settings: BlockSettings) -> nn.Module | None:
    """Make the gate of a convolution, or none."""
    match settings.gate:
        case Gate.STATIC:
            return StaticGate(channels_out)
        case Gate.POWER_OF_TWO:
            return PowerOfTwoGate(channels_in, channels_out, settings.gate_reduction)
        case Gate.PUBLISHED:
            return PublishedGate(channels_in, channels_out, settings.gate_reduction)
    return None
