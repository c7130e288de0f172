"""Residual binary networks: RESNET8 and RESNET20 for small images, RESNET18 and RESNET34."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import BinarizedConv2d, BinarizedWeights
from xnorflow.train.binarize.quantizers import TRUNK_RANGE
from xnorflow.train.models.base import Network, Threshold, WeightedLayer
from xnorflow.train.models.blocks.ends import Classifier, Stem
from xnorflow.train.models.blocks.interaction import check_overhead
from xnorflow.train.models.blocks.residual import HalfBlock, HalfShape, ResidualBlock
from xnorflow.train.models.blocks.rules import check_settings
from xnorflow.train.models.cnv import scaled_width
from xnorflow.train.models.config import Gate, NetworkSettings

__all__ = ["LARGE", "SHAPES", "ResNet", "ResNetShape"]

LARGE = 64
"""Images with a side of more pixels get the 7x7 stem of ImageNet's networks."""


@dataclass(frozen=True)
class ResNetShape:
    """A topology.

    Args:
        channels: of the first stage; each further one has twice as many on half the height and width.
        blocks: in each stage, of two convolutions each.
        stem_stride: of the 3x3 stem.
        large_stem: whether images larger than :data:`LARGE` get a 7x7 convolution of stride 2 and a max-pool instead.
    """

    channels: int
    blocks: tuple[int, ...]
    stem_stride: int = 1
    large_stem: bool = False


SHAPES: dict[str, ResNetShape] = {
    "RESNET8": ResNetShape(32, (1, 1, 1), stem_stride=2),
    "RESNET18": ResNetShape(64, (2, 2, 2, 2), large_stem=True),
    "RESNET20": ResNetShape(16, (3, 3, 3)),
    "RESNET34": ResNetShape(64, (3, 4, 6, 3), large_stem=True),
}


class ResNet(Network):
    """Stem, stages of residual blocks, sum over the frame, classifier.

    ``settings.width`` multiplies the channels of the first stage, rounded to a multiple of 8, and every further stage
    doubles them. RESNET8, for 32x32 pixels, has 32, 64 and 128 channels on 16x16, 8x8 and 4x4: with a stem of stride 2
    one CPU thread trains about 1000 images a second, in batches of 100 and channels_last; with stride 1, 250. Features
    are the outputs of the blocks, the trunk behind two convolutions: ``stages.0.0`` and so on.

    Args:
        image_shape: channels, height, width.
        settings: topology, width, ``block`` and what its parts read.
        classes: logits.

    Raises:
        TrainError: the map would have an odd height or width where it is halved, a setting contradicts another, the
            interaction's branches weigh more than a tenth of their layer, or a part does not stream while
            ``settings.hardware``.
    """

    def __init__(self, image_shape: tuple[int, int, int], settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        check_settings(settings)
        shape = SHAPES[settings.network.topology]
        channels = scaled_width(shape.channels, settings.width)
        large = shape.large_stem and max(image_shape[1:]) > LARGE
        kernel, stride = (7, 2) if large else (3, shape.stem_stride)
        size = _map_size(image_shape, stride * 2 if large else stride, len(shape.blocks), settings)
        self.settings = settings
        self.stem = Stem(image_shape[0], channels, kernel, stride, pool=large, settings=settings)
        self.stages, variance = nn.ModuleList(), 1.0
        for index, blocks in enumerate(shape.blocks):
            stage = nn.Sequential()
            for number in range(blocks):
                stride = 2 if index and not number else 1
                size = (size[0] // stride, size[1] // stride)
                half = HalfShape(channels, channels * stride, stride, *size, variance)
                block = ResidualBlock(half, settings)
                stage.append(block)
                channels, variance = half.channels_out, block.variance
            self.stages.append(stage)
        self.classifier = Classifier(channels, size[0] * size[1], classes, settings)
        self.taps = tuple(f"stages.{i}.{j}" for i, blocks in enumerate(shape.blocks) for j in range(blocks))
        self._check_branches()

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, float32 (frames, classes), of images, float32 (frames, channels, height, width) in [0, 1]."""
        trunk = self.stem(images, next(self._halves())[1].conv.state)
        for stage in self.stages:
            trunk = stage(trunk)
        logits: Tensor = self.classifier(trunk)
        return logits

    def thresholds(self) -> Iterator[Threshold]:
        """Yield the BatchNorms between the trunk's integers and a sign, in order.

        They stand in the order real_to_binary only. With a real trunk there are no integers, and with the published
        gate, which reads their outputs, they are more than thresholds: then none.
        """
        block = self.settings.block
        if block.trunk_bits == "real" or block.gate is Gate.PUBLISHED:
            return
        step = TRUNK_RANGE / 2 ** (block.trunk_bits - 1)
        for _, half in self._halves():
            if isinstance(half.before, nn.BatchNorm2d):
                yield Threshold(half.before, step, TRUNK_RANGE)

    def weighted_layers(self) -> Iterator[WeightedLayer]:
        """Yield the layers of binary weights, in order."""
        places: list[tuple[str, nn.Module, nn.Module]] = [("stem", self.stem.conv, self.stem.norm)]
        places += [(name, half.conv, half.norm) for name, half in self._halves()]
        for name, layer, norm in places:
            if isinstance(layer, BinarizedConv2d):
                yield WeightedLayer(f"{name}.conv", layer, norm if isinstance(norm, nn.BatchNorm2d) else None)
        if isinstance(self.classifier.linear, BinarizedWeights):
            yield WeightedLayer("classifier.linear", self.classifier.linear, None)

    def _halves(self) -> Iterator[tuple[str, HalfBlock]]:
        for name, block in ((name, self.get_submodule(name)) for name in self.taps):
            assert isinstance(block, ResidualBlock)
            yield f"{name}.first", block.first
            yield f"{name}.second", block.second

    def _check_branches(self) -> None:
        for name, half in self._halves():
            for part, branch in (("interaction", half.interaction), ("side", half.side)):
                if branch is not None:
                    weights = sum(parameter.numel() for parameter in branch.parameters())
                    where = f"network {self.settings.network}, layer {name}.{part}"
                    check_overhead(where, weights, half.conv.weight.numel(), self.settings.block.interaction_branches)


def _map_size(
    image_shape: tuple[int, int, int], shrink: int, stages: int, settings: NetworkSettings
) -> tuple[int, int]:
    """Return height and width behind the stem."""
    divisor = shrink * 2 ** (stages - 1)
    if any(side % divisor for side in image_shape[1:]):
        raise TrainError(
            f"network {settings.network}, layer stages.{stages - 1}.0.first.shortcut",
            f"images of {image_shape[1]}x{image_shape[2]} pixels, which {stages} stages cannot halve evenly",
            f"heights and widths that {divisor} divides",
            "choose a network of fewer stages, or another data set",
        )
    return image_shape[1] // shrink, image_shape[2] // shrink
