"""A residual block: two binary convolutions, each with a shortcut of its own (Bi-Real Net's half blocks)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.fractional import make_activation, make_convolution
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d, FormState
from xnorflow.train.models.blocks.activation import RPReLU, Shift, make_prelu
from xnorflow.train.models.blocks.gate import make_gate
from xnorflow.train.models.blocks.interaction import PublishedInteraction, StreamingInteraction
from xnorflow.train.models.blocks.levels import constant, unit
from xnorflow.train.models.blocks.link import ElasticLink
from xnorflow.train.models.blocks.normalization import AffineBatchNorm2d
from xnorflow.train.models.blocks.padding import Pad
from xnorflow.train.models.blocks.scaled import MagnitudeConv2d, StandardizedConv2d
from xnorflow.train.models.blocks.shortcut import make_shortcut
from xnorflow.train.models.blocks.spatial import SpatialScale
from xnorflow.train.models.blocks.trunk import Trunk
from xnorflow.train.models.config import Interaction, NetworkSettings, Order, WeightScale

__all__ = ["BRANCH_SHARE", "HalfBlock", "HalfShape", "ResidualBlock", "own_scale"]

KERNEL = 3
BRANCH_SHARE = 0.2
"""Factor of the branches in the order norm_free; each adds its square to the trunk's variance."""


def own_scale(order: Order) -> bool:
    """Return whether an order's convolutions bring their own scale, in place of BatchNorm."""
    return order in (Order.BBCU, Order.NORM_FREE)


@dataclass(frozen=True)
class HalfShape:
    """Shapes of one binary convolution.

    Args:
        channels_in: of the trunk before it.
        channels_out: of the trunk behind it: the same with stride 1, twice as many with stride 2.
        stride: 1 or 2.
        height: of the trunk behind it.
        width: likewise.
        variance: that the trunk before it begins with, as the order norm_free expects it.
    """

    channels_in: int
    channels_out: int
    stride: int
    height: int
    width: int
    variance: float = 1.0


def _convolution(shape: HalfShape, settings: NetworkSettings) -> BinarizedConv2d:
    arguments = (shape.channels_in, shape.channels_out, KERNEL, settings)
    match settings.block.order:
        case Order.BBCU:
            return MagnitudeConv2d(*arguments, stride=shape.stride)
        case Order.NORM_FREE:
            return StandardizedConv2d(*arguments, stride=shape.stride)
    return make_convolution(*arguments, stride=shape.stride)


class HalfBlock(nn.Module):
    """One binary 3x3 convolution and its shortcut.

    What stands in which order:

    - real_to_binary: BatchNorm, sign, conv, BatchNorm, PReLU, + shortcut. Martinez et al.,
      https://arxiv.org/abs/2003.11535; they have no second BatchNorm (``second_norm = false``), their learned scale
      stands there.
    - react: shift, sign, conv, BatchNorm, + shortcut, RPReLU. Liu et al., https://arxiv.org/abs/2003.03488.
    - bireal: sign, conv, BatchNorm, + shortcut. Liu et al., https://arxiv.org/abs/1808.00278.
    - bbcu: shift, sign, conv times mean|W|, RPReLU, + shortcut. Xia et al., https://arxiv.org/abs/2210.00405. Their
      factor k on the image, which brings the trunk into the range of the branches, is 1 here: pixels lie in [-1, 1],
      and the branches begin with a deviation near 1.
    - norm_free: ``h' = h + 0.2 f(h / beta)``, f: shift, sign, standardized conv, RPReLU. Chen et al.,
      https://arxiv.org/abs/2104.08215; beta is the deviation that h is expected to have at the start. The authors' code
      of ResNet-18 has RPReLU behind the addition, and divides the shortcut by beta where the map shrinks; here the
      shortcut stays whole numbers.

    Side branches and gates act on the accumulator, in front of the BatchNorm: (conv + link + interaction) * gate.
    Where activations are signs, the branch is rounded to the trunk's integers, and so is every sum, saturating.

    Args:
        shape: of the convolution.
        settings: of the network.
    """

    def __init__(self, shape: HalfShape, settings: NetworkSettings) -> None:
        super().__init__()
        block, order = settings.block, settings.block.order
        ends, out = (shape.channels_in, shape.channels_out), shape.channels_out
        shifted = order in (Order.REACT, Order.BBCU, Order.NORM_FREE)
        self.order, self.deviation = order, shape.variance**0.5 if order is Order.NORM_FREE else 1.0
        self.before: nn.Module = nn.Identity()
        if shifted or order is Order.REAL_TO_BINARY:
            self.before = Shift(ends[0]) if shifted else AffineBatchNorm2d(ends[0])
        self.sign, self.pad = make_activation(settings), Pad(block.padding)
        self.conv = _convolution(shape, settings)
        self.link = ElasticLink(out, shape.stride) if block.link else None
        branches = block.interaction_branches
        streaming, published = (block.interaction is kind for kind in (Interaction.STREAMING, Interaction.PUBLISHED))
        self.interaction = StreamingInteraction(*ends, shape.stride, branches) if streaming else None
        self.side = PublishedInteraction(*ends, shape.stride, branches) if published else None
        self.gate = make_gate(*ends, block)
        spatial = settings.weight_scale is WeightScale.SPATIAL
        self.scale = SpatialScale(out, shape.height, shape.width) if spatial else None
        bare = own_scale(order) or not block.second_norm
        self.norm: nn.Module = nn.Identity() if bare else AffineBatchNorm2d(out)
        self.activation, self.behind = _activations(out, settings)
        self.shortcut = make_shortcut(ends[0], shape.stride, block)
        self.branch, self.sum = Trunk(block.trunk_bits), Trunk(block.trunk_bits)
        self.unit = unit(KERNEL**2 * ends[0])

    def forward(self, trunk: Tensor) -> Tensor:
        """Return the trunk behind the convolution, (frames, channels_out, height, width)."""
        state = self.conv.state
        branch = self.norm(self._accumulate(trunk, state))
        branch = self.activation(branch)
        if self.order is Order.NORM_FREE:
            branch = branch * BRANCH_SHARE
        branch = self.branch(branch, state)
        if self.side is not None:
            branch = branch + self.side(trunk)
        result = self.sum(self.shortcut(trunk, state) + branch, state)
        if isinstance(self.behind, RPReLU):
            result = self.sum(self.behind(result), state)
        return result

    def _accumulate(self, trunk: Tensor, state: FormState) -> Tensor:
        normed = self.before(trunk if self.deviation == 1 else trunk * (1 / self.deviation))
        signs = self.sign(normed)
        padded = self.pad(signs, state)
        result: Tensor = self.conv(padded)
        if state.activation is Activation.BOTH:  # side branches see the signs only
            signs, padded = signs.chunk(2)[0], padded.chunk(2)[0]
        sides = [] if self.link is None else [self.link(signs, state)]
        if self.interaction is not None:
            sides.append(self.interaction(padded, state))
        if sides:
            result = result + sum(sides[1:], sides[0]) * self._side_factor(state)
        if self.gate is not None:
            result = result * self.gate(signs, normed, state)
        return result if self.scale is None else self.scale(result)

    def _side_factor(self, state: FormState) -> Tensor:
        """Return what brings a branch of deviation 1 to the convolution's range, its channel factor included."""
        layer, one = self.conv, torch.ones(1, 1, 1, 1, device=self.conv.weight.device)
        if state.real_weights:
            return one
        if isinstance(layer, MagnitudeConv2d):
            return constant(self.unit * layer.channel_factor().view(1, -1, 1, 1))
        factor = layer.scaling.channel_factor(layer.weight).view(1, -1, 1, 1) if layer.scaling.folds else one
        return constant(self.unit * factor)


def _activations(channels: int, settings: NetworkSettings) -> tuple[nn.Module, nn.Module]:
    """Return what stands before and behind the addition."""
    match settings.block.order:
        case Order.REAL_TO_BINARY:
            return make_prelu(channels, settings.block), nn.Identity()
        case Order.REACT:
            return nn.Identity(), RPReLU(channels, settings.block)
        case Order.BBCU | Order.NORM_FREE:
            return RPReLU(channels, settings.block), nn.Identity()
    return nn.Identity(), nn.Identity()


class ResidualBlock(nn.Module):
    """Two half blocks; only the first one may shrink the map. Its output is a feature of the network.

    Args:
        shape: of the first convolution.
        settings: of the network.
    """

    def __init__(self, shape: HalfShape, settings: NetworkSettings) -> None:
        super().__init__()
        out = shape.channels_out
        between = behind_branch(shape)
        second = HalfShape(out, out, 1, shape.height, shape.width, between)
        self.first, self.second = HalfBlock(shape, settings), HalfBlock(second, settings)
        self.variance = behind_branch(second)

    def forward(self, trunk: Tensor) -> Tensor:
        """Return the trunk behind both convolutions."""
        result: Tensor = self.second(self.first(trunk))
        return result


def behind_branch(shape: HalfShape) -> float:
    """Return the variance that norm_free expects behind a convolution; it begins anew where the map shrinks."""
    return (1.0 if shape.stride == 2 else shape.variance) + BRANCH_SHARE**2
