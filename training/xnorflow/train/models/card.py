"""A network on one card: its layers' sizes, thresholds and products, and whether it streams on hardware."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import Sign
from xnorflow.train.models.base import Network
from xnorflow.train.models.config import ActivationKind, NetworkSettings
from xnorflow.train.models.counts import LayerCount, Totals, count_layers, total
from xnorflow.train.models.registry import build_network

__all__ = ["CardRow", "NetworkCard", "bits_in_form", "make_card", "streaming_obstacle"]


@dataclass(frozen=True)
class CardRow:
    """One layer.

    Args:
        layer: sizes and products.
        thresholds: that take the place of this BatchNorm in hardware; 0 for every other layer. Its own numbers, two a
            channel, are then not stored.
    """

    layer: LayerCount
    thresholds: int

    @property
    def storage_bits(self) -> int:
        """Bits of the weights as stored; 0 where thresholds take their place."""
        return 0 if self.thresholds else self.layer.weights * self.layer.weight_bits


@dataclass(frozen=True)
class NetworkCard:
    """What a network is made of, in its binary form.

    Args:
        settings: of the network.
        image_shape: channels, height, width.
        classes: number of logits.
        rows: the layers, in the order they run.
        totals: sums over the layers.
        obstacle: why the network does not stream on hardware; None: it does.
    """

    settings: NetworkSettings
    image_shape: tuple[int, int, int]
    classes: int
    rows: tuple[CardRow, ...]
    totals: Totals
    obstacle: TrainError | None

    @property
    def thresholds(self) -> int:
        """Number of thresholds."""
        return sum(row.thresholds for row in self.rows)

    @property
    def real_parameters(self) -> int:
        """Number of real parameters that do not become thresholds."""
        return sum(row.storage_bits // 32 for row in self.rows if row.layer.weight_bits == 32)


def make_card(settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int) -> NetworkCard:
    """Build the network, run it once on a black image and count. Torch's random state stays as it was.

    Raises:
        TrainError: the settings contradict one another, or the images have the wrong size.
    """
    with torch.random.fork_rng(devices=[]):
        network = build_network(settings, image_shape, classes)
        obstacle = streaming_obstacle(settings, image_shape, classes)
    layers, thresholds = count_layers(network, image_shape), _thresholds(network)
    rows = tuple(CardRow(layer, thresholds.get(layer.name, 0)) for layer in layers)
    return NetworkCard(settings, image_shape, classes, rows, total(layers), obstacle)


def streaming_obstacle(settings: NetworkSettings, image_shape: tuple[int, int, int], classes: int) -> TrainError | None:
    """Return the first layer's refusal that ``hardware = true`` would meet with, or None."""
    try:
        build_network(settings.model_copy(update={"hardware": True}), image_shape, classes)
    except TrainError as reason:
        return reason
    return None


def bits_in_form(settings: NetworkSettings, form: Form) -> tuple[int, int]:
    """Return the bits of weights and activations between the layers in a form; 32 for real numbers."""
    weights = settings.network.weight_bits if form is Form.BINARY else 32
    bits = 2 if settings.activation is ActivationKind.FRACTIONAL else settings.network.activation_bits
    activations = bits if form in (Form.BINARY_ACTIVATIONS, Form.BINARY) else 32
    return weights, activations


def _thresholds(network: Network) -> dict[str, int]:
    """Return the BatchNorms that become thresholds, and how many: one less a channel than the activation has levels."""
    norms = {id(threshold.batch_norm): threshold.batch_norm.num_features for threshold in network.thresholds()}
    found, last = {}, ""
    for name, layer in network.named_modules():
        if id(layer) in norms:
            found[name], last = norms[id(layer)], name
        elif isinstance(layer, Sign) and last:
            found[last], last = found[last] * (layer.levels - 1), ""
    return found
