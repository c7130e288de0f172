"""Learned activations, channel by channel: RSign's shift, PReLU, RPReLU, AdaBin's two slopes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.models.blocks.levels import constant, straight_through
from xnorflow.train.models.config import BlockSettings, Slope

__all__ = ["Maxout", "PReLU", "RPReLU", "Shift", "make_prelu"]

SLOPE = 0.25


class Shift(nn.Module):
    """Add a learned number to each channel, begun at 0. In front of a sign: ReActNet's RSign.

    Liu et al.: ReActNet, https://arxiv.org/abs/2003.03488, equation 1, whose threshold is this number's negative.

    Args:
        channels: of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(channels))

    def forward(self, values: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        return values + constant(self.offset.view(1, -1, 1, 1))


def _slopes(parameter: Tensor, slope: Slope) -> Tensor:
    """Return slopes, at least 0 unless free; what the clamp holds back still gets its gradient and can return."""
    if slope is Slope.FREE:
        return parameter
    return straight_through(parameter.clamp(min=0), parameter)


class PReLU(nn.Module):
    """``x`` where ``x >= 0``, else ``slope_c x``; slopes begin at 1/4.

    He et al., https://arxiv.org/abs/1502.01852. Not below 0 it is monotone: what follows can be thresholds.

    Args:
        channels: of the map.
        slope: which slopes are allowed.
    """

    def __init__(self, channels: int, slope: Slope) -> None:
        super().__init__()
        self.slope, self.negative = slope, nn.Parameter(torch.full((channels,), SLOPE))

    def forward(self, values: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        return functional.prelu(values, constant(_slopes(self.negative, self.slope)))


class Maxout(nn.Module):
    """``positive_c relu(x) - negative_c relu(-x)``, begun at 1 and 1/4.

    Tu et al.: AdaBin, https://arxiv.org/abs/2208.08084, section 3.4, with the values of the authors' code.

    Args:
        channels: of the map.
        slope: which slopes are allowed, on both sides.
    """

    def __init__(self, channels: int, slope: Slope) -> None:
        super().__init__()
        self.slope = slope
        self.positive, self.negative = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.full((channels,), SLOPE))

    def forward(self, values: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        positive, negative = (
            constant(_slopes(parameter, self.slope).view(1, -1, 1, 1)) for parameter in (self.positive, self.negative)
        )
        return positive * functional.relu(values) - negative * functional.relu(-values)


def make_prelu(channels: int, settings: BlockSettings) -> PReLU | Maxout:
    """Make the activation of one slope a channel, or of two."""
    return (Maxout if settings.maxout else PReLU)(channels, settings.slope)


class RPReLU(nn.Module):
    """A shift, a PReLU, a shift.

    Liu et al.: ReActNet, https://arxiv.org/abs/2003.03488, equation 2.

    Args:
        channels: of the map.
        settings: slopes.
    """

    def __init__(self, channels: int, settings: BlockSettings) -> None:
        super().__init__()
        self.before, self.prelu, self.behind = Shift(channels), make_prelu(channels, settings), Shift(channels)

    def forward(self, values: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        result: Tensor = self.behind(self.prelu(self.before(values)))
        return result
