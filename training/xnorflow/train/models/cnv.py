"""Unpadded convolutional network for 32x32 images: CNV of FINN and of Brevitas's bnn_pynq examples."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.fractional import THIRD, FractionalConv2d, make_activation, make_convolution
from xnorflow.train.binarize.layers import BinarizedConv2d, BinarizedLinear, BinarizedWeights, Sign
from xnorflow.train.binarize.quantizers import INPUT_STEP
from xnorflow.train.binarize.thermometer import input_encoder, input_planes
from xnorflow.train.models.base import LogitScale, Network, Threshold, WeightedLayer
from xnorflow.train.models.config import InputEncoding, NetworkSettings

__all__ = ["CNV", "scaled_width"]

CONVOLUTIONS = ((64, False), (64, True), (128, False), (128, True), (256, False), (256, False))
"""Output channels of each 3x3 convolution, and whether a 2x2 max-pool follows its sign."""

HIDDEN = (512, 512)
KERNEL = 3
SIZE = 32


def scaled_width(channels: int, factor: float) -> int:
    """Return the width nearest to ``channels * factor`` that is a multiple of 8, at least 8: foldings divide it."""
    return max(8, 8 * round(channels * factor / 8))


class CNV(Network):
    """Six 3x3 convolutions without padding, two max-pools, two hidden layers and the classifier.

    After each convolution and hidden layer stand BatchNorm and sign. Binary max-pooling behind the sign is an OR. The
    layers stand in ``conv_features`` and ``linear_features`` in Brevitas's order. Pixels in [0, 1] become ``2 x - 1``
    in 8 bits, or a thermometer code of them. Activations that a convolution reads may be fractional. Features are the
    outputs of the BatchNorms.

    Args:
        image_shape: channels, 32, 32.
        settings: bits and width.
        classes: width of the last layer.

    Raises:
        TrainError: the images are not 32x32.
    """

    def __init__(self, image_shape: tuple[int, int, int], settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        _check(image_shape, settings)
        self.conv_features = nn.ModuleList([input_encoder(settings)])
        self.linear_features = nn.ModuleList()
        self.input_step = INPUT_STEP if settings.input_encoding is InputEncoding.PIXELS else 1.0
        taps, fan_in = [], image_shape[0] * input_planes(settings)
        for index, (channels, pool) in enumerate(CONVOLUTIONS):
            width = scaled_width(channels, settings.width)
            sizes = (fan_in, width, KERNEL, settings)
            layer = make_convolution(*sizes) if index else BinarizedConv2d(*sizes, reads_signs=False)
            self.conv_features += [layer, nn.BatchNorm2d(width, eps=1e-4)]
            taps.append(f"conv_features.{len(self.conv_features) - 1}")
            read_by_convolution = index + 1 < len(CONVOLUTIONS)
            self.conv_features.append(make_activation(settings) if read_by_convolution else Sign(settings))
            if pool:
                self.conv_features.append(nn.MaxPool2d(2))
            fan_in = width
        for channels in HIDDEN:
            width = scaled_width(channels, settings.width)
            self.linear_features += [BinarizedLinear(fan_in, width, settings), nn.BatchNorm1d(width, eps=1e-4)]
            taps.append(f"linear_features.{len(self.linear_features) - 1}")
            self.linear_features.append(Sign(settings))
            fan_in = width
        self.linear_features += [BinarizedLinear(fan_in, classes, settings, scaled=False), LogitScale(fan_in)]
        self.taps = tuple(taps)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, float32 (frames, classes), of images, float32 (frames, channels, 32, 32) in [0, 1]."""
        values = 2.0 * images - 1.0
        for layer in self.conv_features:
            values = layer(values)
        values = values.flatten(1)
        for layer in self.linear_features:
            values = layer(values)
        return values

    def thresholds(self) -> Iterator[Threshold]:
        """Yield the layers that become thresholds in hardware, in order."""
        for _, layer, norm in self.weighted_layers():
            if norm is not None:
                step = 1.0 if layer.reads_signs else self.input_step
                if isinstance(layer, FractionalConv2d):
                    step = THIRD
                yield Threshold(norm, step, float(layer.weight[0].numel()))

    def weighted_layers(self) -> Iterator[WeightedLayer]:
        """Yield the layers of binary weights, in order."""
        for prefix, layers in (("conv_features", self.conv_features), ("linear_features", self.linear_features)):
            for index, layer in enumerate(layers):
                if isinstance(layer, BinarizedWeights):
                    behind = layers[index + 1]
                    norm = behind if isinstance(behind, nn.BatchNorm1d | nn.BatchNorm2d) else None
                    yield WeightedLayer(f"{prefix}.{index}", layer, norm)


def _check(image_shape: tuple[int, int, int], settings: NetworkSettings) -> None:
    if image_shape[1:] != (SIZE, SIZE):
        raise TrainError(
            f"network {settings.network}, layer conv_features.0",
            f"images of {image_shape[1]}x{image_shape[2]} pixels",
            f"{SIZE}x{SIZE}",
            "choose TFC, SFC or LFC, or another data set",
        )
