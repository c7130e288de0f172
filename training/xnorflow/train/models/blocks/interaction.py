"""Squeeze-and-Interaction: light side branches that make up for what a binary convolution misses.

Ye, Zhang, Wang: Distillation Guided Residual Learning for Binary Convolutional Neural Networks,
https://arxiv.org/abs/2007.05223. No code was published, and its formulae are known to us by their symbols only, so both
forms here are reconstructions: each of K branches is the product of a vector over channels and a map over pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import FormState
from xnorflow.train.models.blocks.levels import LEVEL_BITS, constant, power_of_two, ternary
from xnorflow.train.models.counts import Operations

__all__ = ["OVERHEAD", "PublishedInteraction", "StreamingInteraction", "check_overhead", "rank_of"]

KERNEL = 3
OVERHEAD = 0.1
"""Share of a layer's weights that its branches may have: the paper's "e.g. 10 % overheads"."""


def check_overhead(where: str, weights: int, layer_weights: int, branches: int) -> None:
    """Refuse branches that weigh more than a tenth of their layer.

    Args:
        where: the layer, for the message.
        weights: of all branches.
        layer_weights: of the convolution.
        branches: how many, K.

    Raises:
        TrainError: too many; names the layer.
    """
    if weights > OVERHEAD * layer_weights:
        raise TrainError(
            where,
            f"interaction_branches = {branches} need {weights} weights",
            f"a tenth of the layer's {layer_weights}",
            "choose fewer branches, or a larger width",
        )


def rank_of(channels_in: int, channels_out: int, branches: int) -> int:
    """Return the largest rank of the channel matrices T that keeps the branches within :data:`OVERHEAD`, at least 1.

    A branch of rank r has ``r (channels_in + channels_out) + 9`` weights.
    """
    budget = math.floor(OVERHEAD * KERNEL**2 * channels_in * channels_out) - branches * KERNEL**2
    return max(1, min(channels_in, channels_out, budget // (branches * (channels_in + channels_out))))


class StreamingInteraction(nn.Module):
    """``b[c, i, j] = sum_k t_kc (omega_k * m)[i, j]``, where m is the sum over channels of the input's signs.

    ``t`` is 0 or a signed power of two, ``omega`` a 3x3 kernel of -1, 0, +1: one popcount a pixel, shared by all output
    channels, a few additions, shifts. It is part of the accumulator, in front of the threshold. The paper's maxima over
    the frame are replaced by learned constants t: nothing waits for the end of a frame. Our form for hardware.

    Args:
        channels_in: channels of the convolution's input.
        channels_out: of its output.
        stride: of the convolution.
        branches: K.
    """

    parameter_bits = LEVEL_BITS

    def __init__(self, channels_in: int, channels_out: int, stride: int, branches: int) -> None:
        super().__init__()
        self.channels_in, self.stride = channels_in, stride
        self.omega = nn.Parameter(torch.empty(branches, 1, KERNEL, KERNEL).uniform_(-1, 1))
        self.factor = nn.Parameter(torch.empty(channels_out, branches).uniform_(-0.125, 0.125))
        self.scale = 2.0 ** -round(math.log2(math.sqrt(KERNEL**2 * channels_in)))

    def forward(self, padded: Tensor, state: FormState) -> Tensor:
        """Return the branches, (frames, channels_out, height, width), in units of the accumulator's deviation.

        Args:
            padded: the convolution's input, (frames, channels_in, height + 2, width + 2).
            state: form of the network.
        """
        omega = self.omega if state.real_weights else ternary(self.omega)
        factor = self.factor if state.real_weights else power_of_two(self.factor)
        sums = padded.sum(1, keepdim=True)
        maps = functional.conv2d(sums, constant(omega), stride=self.stride) * self.scale
        return functional.conv2d(maps, constant(factor[:, :, None, None]))

    def operations(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> Operations:
        """Return the kernels' and the factors' products; counting bits is no product."""
        branches, pixels = len(self.omega), math.prod(output_shape[1:])
        return Operations(few_bit=branches * pixels * (KERNEL**2 + output_shape[0]))


class PublishedInteraction(nn.Module):
    """``b[c, i, j] = sum_k (T_k s)_c (omega_k * m)[i, j]``: s the maximum of each channel, m that of each pixel.

    ``T`` has a low rank, so that the branches weigh at most a tenth of the layer, see :func:`rank_of`; a dense one
    would have 11 %. It begins at 0, so that training begins without the branches. It is added to the trunk. Real
    multiplications, and maxima that need the whole frame.

    Args:
        channels_in: channels of the trunk before the convolution.
        channels_out: behind it.
        stride: of the convolution.
        branches: K.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, branches: int) -> None:
        super().__init__()
        rank = rank_of(channels_in, channels_out, branches)
        self.branches = branches
        self.squeeze = nn.Linear(channels_in, branches * rank, bias=False)
        self.expand = nn.Conv1d(branches * rank, branches * channels_out, 1, groups=branches, bias=False)
        self.omega = nn.Conv2d(1, branches, KERNEL, stride=stride, padding=KERNEL // 2, bias=False)
        nn.init.zeros_(self.expand.weight)

    def forward(self, trunk: Tensor) -> Tensor:
        """Return the branches, (frames, channels_out, height, width), of the trunk before the convolution."""
        channels = self.squeeze(trunk.amax((2, 3)))[:, :, None]
        factors = self.expand(channels).view(len(trunk), self.branches, -1, 1, 1)
        maps = self.omega(trunk.amax(1, keepdim=True))[:, :, None]
        return (factors * maps).sum(1)
