"""Multi-layer perceptrons with 1-bit weights and activations: TFC, SFC and LFC of Brevitas's bnn_pynq examples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from xnorflow.train.binarize import INPUT_STEP, binary_linear, binary_sign, byte_input
from xnorflow.train.config import NetworkName

__all__ = ["FC", "HIDDEN", "Threshold"]

HIDDEN: dict[NetworkName, tuple[int, ...]] = {
    NetworkName.TFC_1W1A: (64, 64, 64),
    NetworkName.SFC_1W1A: (256, 256, 256),
    NetworkName.LFC_1W1A: (1024, 1024, 1024),
}


class Threshold(NamedTuple):
    """A BatchNorm whose output is binarized: in hardware one threshold a channel on the accumulator before it.

    Args:
        batch_norm: the layer.
        step: every accumulator is a whole multiple of it.
        bound: no accumulator is larger in magnitude.
    """

    batch_norm: nn.BatchNorm1d
    step: float
    bound: float


class LogitScale(nn.Module):
    """Multiply accumulators by ``2**-round(log2(sqrt(fan_in)))``, so that logits begin with a spread of about 1.

    It stands where Brevitas has TensorNorm. A fixed power of two leaves logits exact in float32, needs no hardware and
    never changes which one is largest.
    """

    def __init__(self, fan_in: int) -> None:
        super().__init__()
        self.scale = 2.0 ** -round(math.log2(math.sqrt(fan_in)))

    def forward(self, accumulators: Tensor) -> Tensor:
        """Return logits of the shape of ``accumulators``."""
        return accumulators * self.scale


class FC(nn.Module):
    """Fully connected layers of ``QuantLinear -> BatchNorm1d -> sign -> Dropout``, the last one without the three.

    The layers stand in ``features`` in Brevitas's order. Pixels in [0, 1] become ``2 x - 1`` before the first.

    Args:
        image_shape: channels, height, width of an image.
        hidden: widths of the hidden layers, at least one.
        classes: width of the last layer.
        input_bits: 1 or 8.
        dropout: share of activations dropped in training.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], hidden: tuple[int, ...], classes: int, input_bits: int, dropout: float
    ) -> None:
        super().__init__()
        assert hidden and input_bits in (1, 8)
        self.input_step = 1.0 if input_bits == 1 else INPUT_STEP
        self.features = nn.ModuleList([binary_sign() if input_bits == 1 else byte_input(), nn.Dropout(dropout)])
        self.widths = (math.prod(image_shape), *hidden)
        for fan_in, width in pairwise(self.widths):
            self.features += [
                binary_linear(fan_in, width),
                nn.BatchNorm1d(width),
                binary_sign(),
                nn.Dropout(dropout),
            ]
        self.features += [binary_linear(hidden[-1], classes), LogitScale(hidden[-1])]

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
