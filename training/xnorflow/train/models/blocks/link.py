"""Elastic-Link: a convolution's input, added to its output."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import FormState
from xnorflow.train.models.blocks.levels import LEVEL_BITS, constant, power_of_two
from xnorflow.train.models.counts import Operations

__all__ = ["ElasticLink", "match_channels"]


def match_channels(values: Tensor, channels: int) -> Tensor:
    """Return values of ``channels`` channels: themselves, averages of groups of neighbors, or repetitions.

    Raises:
        TrainError: neither number divides the other.
    """
    found = values.shape[1]
    if found % channels and channels % found:
        raise TrainError(
            "Elastic-Link", f"{found} channels to {channels}", "one a multiple of the other", "choose another width"
        )
    if found > channels:
        return values.view(len(values), channels, found // channels, *values.shape[2:]).mean(2)
    return values.repeat(1, channels // found, 1, 1) if found < channels else values


class ElasticLink(nn.Module):
    """``gamma_c E(a)``: the identity, squeezed or expanded to the output's channels, averaged over 2x2 with stride 2.

    Hu et al.: Elastic-Link, https://arxiv.org/abs/2112.10149, published without code; known to us by its abstract and a
    figure, so the details are our reconstruction. Ours takes ``a`` behind the sign: the link is then part of the
    accumulator, ``z + gamma_c a_c``. Where activations are signs, gamma is rounded to a signed power of two: a shift.

    Args:
        channels_out: channels of the convolution's output.
        stride: of the convolution.
    """

    parameter_bits = LEVEL_BITS

    def __init__(self, channels_out: int, stride: int) -> None:
        super().__init__()
        self.channels_out, self.stride = channels_out, stride
        self.gamma = nn.Parameter(torch.full((channels_out,), 0.25))

    def forward(self, signs: Tensor, state: FormState) -> Tensor:
        """Return the link, in units of the accumulator's deviation.

        Args:
            signs: (frames, channels_in, height, width), not padded.
            state: form of the network.
        """
        values = functional.avg_pool2d(signs, 2) if self.stride == 2 else signs
        gamma = self.gamma if state.real_weights else power_of_two(self.gamma)
        return match_channels(values, self.channels_out) * constant(gamma.view(1, -1, 1, 1))

    def operations(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> Operations:
        """Return none: a shift and an addition for each output."""
        return Operations()
