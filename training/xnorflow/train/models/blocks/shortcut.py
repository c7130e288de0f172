"""Shortcuts: the identity, and what stands where the map halves and channels double."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.binarize.layers import FormState
from xnorflow.train.models.blocks.normalization import AffineBatchNorm2d
from xnorflow.train.models.blocks.trunk import Trunk
from xnorflow.train.models.config import BlockSettings, Downsample, Order

__all__ = ["AverageConvolution", "AverageDuplicate", "Straight", "make_shortcut"]


class Straight(nn.Module):
    """The trunk as it is."""

    def forward(self, trunk: Tensor, state: FormState) -> Tensor:
        """Return ``trunk``."""
        return trunk


class AverageDuplicate(nn.Module):
    """Average of 2x2 pixels, then all channels twice, one after another: adders and a shift, no weights.

    Zhang et al.: FracBNN, https://arxiv.org/abs/2012.12206. Sums of four integers are shifted right by two, which
    rounds down.

    Args:
        settings: bits of the trunk.
    """

    def __init__(self, settings: BlockSettings) -> None:
        super().__init__()
        self.floor = Trunk(settings.trunk_bits, floor=True)

    def forward(self, trunk: Tensor, state: FormState) -> Tensor:
        """Return (frames, 2 channels, height / 2, width / 2); height and width are even."""
        half = self.floor(functional.avg_pool2d(trunk, 2), state)
        return half.repeat(1, 2, 1, 1)


class AverageConvolution(nn.Module):
    """Average of 2x2 pixels, a real 1x1 convolution, BatchNorm.

    What Real-to-Binary and ReActNet have; it needs real multipliers. Orders without BatchNorm have none here either.

    Args:
        channels: of the trunk before it.
        settings: order.
    """

    def __init__(self, channels: int, settings: BlockSettings) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        bare = settings.order in (Order.BBCU, Order.NORM_FREE)
        self.norm = nn.Identity() if bare else AffineBatchNorm2d(2 * channels)

    def forward(self, trunk: Tensor, state: FormState) -> Tensor:
        """Return (frames, 2 channels, height / 2, width / 2); height and width are even."""
        result: Tensor = self.norm(self.conv(functional.avg_pool2d(trunk, 2)))
        return result


def make_shortcut(channels: int, stride: int, settings: BlockSettings) -> nn.Module:
    """Make the shortcut around a convolution of ``channels`` inputs; with stride 2 it doubles them."""
    if stride == 1:
        return Straight()
    if settings.downsample is Downsample.CONVOLUTION:
        return AverageConvolution(channels, settings)
    return AverageDuplicate(settings)
