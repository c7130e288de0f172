"""Multi-layer perceptrons of few bits: TFC, SFC and LFC of Brevitas's bnn_pynq examples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from xnorflow.train.binarize.layers import BinarizedLinear, Sign, input_quantizer
from xnorflow.train.binarize.quantizers import INPUT_STEP
from xnorflow.train.models.base import LogitScale, Network, Threshold, WeightedLayer
from xnorflow.train.models.config import NetworkSettings

__all__ = ["FC", "HIDDEN"]

HIDDEN: dict[str, tuple[int, ...]] = {"TFC": (64, 64, 64), "SFC": (256, 256, 256), "LFC": (1024, 1024, 1024)}
"""Widths of the hidden layers by topology."""


class FC(Network):
    """Fully connected layers of ``QuantLinear -> BatchNorm1d -> sign -> Dropout``, the last one without the three.

    The layers stand in ``features`` in Brevitas's order. Pixels in [0, 1] become ``2 x - 1`` before the first. Features
    are the outputs of the BatchNorms.

    Args:
        image_shape: channels, height, width of an image.
        settings: topology, widths and bits.
        classes: width of the last layer.
    """

    def __init__(self, image_shape: tuple[int, int, int], settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        hidden = settings.hidden or HIDDEN[settings.network.topology]
        self.input_step = 1.0 if settings.pixel_bits == 1 else INPUT_STEP
        self.features = nn.ModuleList([input_quantizer(settings.pixel_bits), nn.Dropout(settings.dropout)])
        self.widths = (math.prod(image_shape), *hidden)
        for index, (fan_in, width) in enumerate(pairwise(self.widths)):
            self.features += [
                BinarizedLinear(fan_in, width, settings, reads_signs=index > 0),
                nn.BatchNorm1d(width),
                Sign(settings),
                nn.Dropout(settings.dropout),
            ]
        self.features += [BinarizedLinear(hidden[-1], classes, settings, scaled=False), LogitScale(hidden[-1])]
        self.taps = tuple(f"features.{3 + 4 * index}" for index in range(len(hidden)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, float32 (frames, classes), of images, float32 (frames, channels, height, width) in [0, 1]."""
        values = 2.0 * images.flatten(1) - 1.0
        for layer in self.features:
            values = layer(values)
        return values

    def thresholds(self) -> Iterator[Threshold]:
        """Yield the layers that become thresholds in hardware, in order."""
        layers = [layer for layer in self.features if isinstance(layer, nn.BatchNorm1d)]
        steps = [self.input_step] + [1.0] * (len(layers) - 1)
        for layer, step, fan_in in zip(layers, steps, self.widths, strict=False):
            yield Threshold(layer, step, float(fan_in))

    def weighted_layers(self) -> Iterator[WeightedLayer]:
        """Yield the layers of binary weights, in order."""
        for index, layer in enumerate(self.features):
            if isinstance(layer, BinarizedLinear):
                behind = self.features[index + 1]
                norm = behind if isinstance(behind, nn.BatchNorm1d) else None
                yield WeightedLayer(f"features.{index}", layer, norm)
