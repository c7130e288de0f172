"""The two ends of a residual network: the first convolution, and the classifier."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.binarize.layers import BinarizedConv2d, BinarizedLinear, FormState
from xnorflow.train.binarize.thermometer import input_encoder, input_planes
from xnorflow.train.models.base import LogitScale
from xnorflow.train.models.blocks.activation import make_prelu
from xnorflow.train.models.blocks.normalization import AffineBatchNorm2d
from xnorflow.train.models.blocks.scaled import MagnitudeConv2d, StandardizedConv2d
from xnorflow.train.models.blocks.trunk import Trunk
from xnorflow.train.models.config import Ends, NetworkSettings, Order, Padding
from xnorflow.train.models.counts import REAL_BITS

__all__ = ["Classifier", "Stem"]


class Stem(nn.Module):
    """First convolution, BatchNorm, PReLU in the order real_to_binary, and for large images a max-pool.

    Pixels are eight-bit numbers in [-1, 1), or a thermometer code. The border is -1, black; with zero padding it is 0,
    gray. The orders without BatchNorm have none here either: their scaled convolutions stand in its place.

    Args:
        channels_in: of the image.
        channels_out: of the trunk.
        kernel: height and width of the convolution.
        stride: of the convolution.
        pool: whether a 3x3 max-pool of stride 2 follows.
        settings: of the network.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, *, pool: bool, settings: NetworkSettings
    ) -> None:
        super().__init__()
        block = settings.block
        self.border, self.amount = -1.0 if block.padding is Padding.MINUS_ONE else 0.0, kernel // 2
        self.quantize = input_encoder(settings)
        arguments = (channels_in * input_planes(settings), channels_out, kernel)
        if block.ends is Ends.REAL:
            self.conv: nn.Module = nn.Conv2d(*arguments, stride=stride, bias=False)
        else:
            kinds = {Order.BBCU: MagnitudeConv2d, Order.NORM_FREE: StandardizedConv2d}
            kind: type[BinarizedConv2d] = kinds.get(block.order, BinarizedConv2d)
            self.conv = kind(*arguments, settings, stride=stride, reads_signs=False)
        bare = block.order in (Order.BBCU, Order.NORM_FREE)
        self.norm: nn.Module = nn.Identity() if bare else AffineBatchNorm2d(channels_out)
        with_prelu = block.order is Order.REAL_TO_BINARY
        self.activation: nn.Module = make_prelu(channels_out, block) if with_prelu else nn.Identity()
        self.trunk = Trunk(block.trunk_bits)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if pool else None

    def forward(self, images: Tensor, state: FormState) -> Tensor:
        """Return the trunk of images, float32 (frames, channels, height, width) in [0, 1]."""
        pixels = functional.pad(self.quantize(2.0 * images - 1.0), [self.amount] * 4, value=self.border)
        trunk: Tensor = self.trunk(self.activation(self.norm(self.conv(pixels))), state)
        return trunk if self.pool is None else self.pool(trunk)


class _OnSums(BinarizedLinear):
    """Binary weights on integers of ``input_bits``."""

    def __init__(self, fan_in: int, fan_out: int, settings: NetworkSettings, input_bits: int) -> None:
        super().__init__(fan_in, fan_out, settings, reads_signs=False, scaled=False)
        self.input_bits = input_bits


class Classifier(nn.Module):
    """Sum over all pixels, and one number of each class from the sums.

    The sum is multiplied by the power of two nearest to ``1 / pixels``, an average that stays exact in float32. Binary
    weights act on these integers; nothing of it is rounded.

    Args:
        channels: of the trunk.
        pixels: of the trunk.
        classes: logits.
        settings: of the network.
    """

    def __init__(self, channels: int, pixels: int, classes: int, settings: NetworkSettings) -> None:
        super().__init__()
        self.factor = 2.0 ** -round(math.log2(pixels))
        self.scale: nn.Module = nn.Identity()
        if settings.block.ends is Ends.REAL:
            self.linear: nn.Module = nn.Linear(channels, classes)
            return
        bits = settings.block.trunk_bits
        input_bits = REAL_BITS if bits == "real" else bits + math.ceil(math.log2(pixels))
        self.linear, self.scale = _OnSums(channels, classes, settings, input_bits), LogitScale(channels)

    def forward(self, trunk: Tensor) -> Tensor:
        """Return logits, (frames, classes), of (frames, channels, height, width)."""
        result: Tensor = self.scale(self.linear(trunk.sum((2, 3)) * self.factor))
        return result
