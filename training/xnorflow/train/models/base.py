"""What every network offers to training, export and the distillation terms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from xnorflow.train.binarize.layers import BinarizedWeights

__all__ = ["LogitScale", "Network", "Threshold", "WeightedLayer"]

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d


class Threshold(NamedTuple):
    """A BatchNorm whose output is binarized: in hardware one threshold a channel on the accumulator before it.

    Args:
        batch_norm: the layer.
        step: every accumulator is a whole multiple of it.
        bound: no accumulator is larger in magnitude.
    """

    batch_norm: BatchNorm
    step: float
    bound: float


class WeightedLayer(NamedTuple):
    """A layer of binary weights and the BatchNorm that takes its scale when the network is deployed.

    Args:
        name: of the layer, as in ``named_modules``.
        layer: the layer.
        batch_norm: the one right behind it; None: there is none, and the layer has no scale.
    """

    name: str
    layer: BinarizedWeights
    batch_norm: BatchNorm | None


class Network(nn.Module):
    """Base of the networks.

    ``forward`` maps images, float32 (frames, channels, height, width) in [0, 1], to logits, float32 (frames, classes).

    Attributes:
        taps: names of the modules whose outputs are the network's features, block by block, first to last. Networks
            of one topology have the same taps, with outputs of the same shapes, in every form.
    """

    taps: tuple[str, ...]

    def thresholds(self) -> Iterator[Threshold]:
        """Yield the BatchNorms that become thresholds in hardware, in order."""
        raise NotImplementedError

    def weighted_layers(self) -> Iterator[WeightedLayer]:
        """Yield the layers of binary weights, in order."""
        raise NotImplementedError


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
