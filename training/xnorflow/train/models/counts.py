"""Parameters and operations of a network's binary form, layer by layer, counted in one run on an empty image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.fractional import FractionalConv2d
from xnorflow.train.binarize.layers import BinarizedWeights, Sign, in_form
from xnorflow.train.binarize.scales import RectifiedScale
from xnorflow.train.models.base import Network
from xnorflow.train.quiet import quiet

with quiet():
    import brevitas.nn as qnn

__all__ = ["REAL_BITS", "Counted", "LayerCount", "LayerKind", "Operations", "Totals", "count_layers", "total"]

REAL_BITS = 32
"""Bits of a real number, float32."""

Shape = tuple[int, ...]


class LayerKind(StrEnum):
    """What a layer does."""

    CONVOLUTION = "convolution"
    LINEAR = "linear"
    NORMALIZATION = "normalization"
    ELEMENTWISE = "elementwise"  # PReLU, thresholds, scales: learned numbers, no sums of products
    BRANCH = "branch"  # gates and side branches that count themselves, see Counted


@dataclass(frozen=True)
class Operations:
    """Multiply-accumulates of one frame.

    Args:
        binary: one-bit weights on one-bit activations: XNOR and popcount.
        few_bit: both are integers of at most 8 bits, or of a sum of such, and one of them has more than one bit.
        real: at least one is a real number.
    """

    binary: int = 0
    few_bit: int = 0
    real: int = 0


@runtime_checkable
class Counted(Protocol):
    """A module that says itself what it computes: for products that no layer of torch stands for."""

    parameter_bits: int
    """Bits of each of the module's own parameters in hardware."""

    def operations(self, input_shape: Shape, output_shape: Shape) -> Operations:
        """Return the multiply-accumulates of one frame; shapes are without the batch."""
        ...


@dataclass(frozen=True)
class LayerCount:
    """One layer that has parameters or sums of products.

    BatchNorm, PReLU and other element-by-element layers have parameters but no multiply-accumulates here: papers do not
    count them either, and in hardware they are thresholds or one multiplication behind many additions.

    Args:
        name: of the module, as in ``named_modules``.
        kind: what it does.
        input_shape: (channels, height, width) or (features,), without the batch.
        output_shape: likewise.
        weight_bits: bits of a weight, 32 for real ones. A learned factor on binary weights is a layer of its own.
        activation_bits: bits of an input, 32 for real ones.
        weights: number of them, biases included.
        binary_macs: multiply-accumulates of a frame, one-bit weights on one-bit inputs.
        real_macs: of a frame, with a real weight or a real input.
        few_bit_macs: of a frame, the rest.
        popcount_width: bits that one popcount adds, the fan-in; 0 without binary multiply-accumulates.
    """

    name: str
    kind: LayerKind
    input_shape: Shape
    output_shape: Shape
    weight_bits: int
    activation_bits: int
    weights: int
    binary_macs: int
    real_macs: int
    few_bit_macs: int
    popcount_width: int


@dataclass(frozen=True)
class Totals:
    """Sums over the layers of a network.

    Args:
        binary_macs: multiply-accumulates of a frame on one bit each.
        few_bit_macs: on a few bits.
        real_macs: on real numbers.
        weight_bits: bits of all weights and parameters of fewer than 32 bits.
        real_parameters: parameters of 32 bits.
    """

    binary_macs: int
    few_bit_macs: int
    real_macs: int
    weight_bits: int
    real_parameters: int

    @property
    def published_flops(self) -> float:
        """Real multiply-accumulates plus 1/64 of the binary ones, the measure of Bi-Real Net and Real-to-Binary.

        Operations of a few bits, which those papers do not have, count like real ones.
        """
        return self.real_macs + self.few_bit_macs + self.binary_macs / 64


def total(layers: Iterable[LayerCount]) -> Totals:
    """Add the layers up."""
    layers = tuple(layers)
    return Totals(
        binary_macs=sum(layer.binary_macs for layer in layers),
        few_bit_macs=sum(layer.few_bit_macs for layer in layers),
        real_macs=sum(layer.real_macs for layer in layers),
        weight_bits=sum(layer.weights * layer.weight_bits for layer in layers if layer.weight_bits < REAL_BITS),
        real_parameters=sum(layer.weights for layer in layers if layer.weight_bits == REAL_BITS),
    )


def count_layers(network: Network, image_shape: tuple[int, int, int]) -> list[LayerCount]:
    """Return the layers of the binary form that have parameters or sums of products, in the order they run.

    The network runs once, in eval mode, on one black image. Its form, mode, parameters and statistics stay as they are.

    Args:
        network: any of the registry's.
        image_shape: channels, height, width.
    """
    found: dict[str, LayerCount] = {}
    bits = _activation_bits(network)

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def run(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found[name] = _count(name, layer, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]), bits)

        return run

    handles = [layer.register_forward_hook(hook(name)) for name, layer in _counted_modules(network)]
    modes, device = [(layer, layer.training) for layer in network.modules()], next(network.parameters()).device
    try:
        with in_form(network, Form.BINARY), torch.no_grad():
            network.eval()(torch.zeros(1, *image_shape, device=device))
    finally:
        for layer, training in modes:
            layer.training = training
        for handle in handles:
            handle.remove()
    return [part for name, layer in found.items() for part in (layer, *_factors(network, name, layer))]


def _activation_bits(network: Network) -> dict[bool, int]:
    """Return the bits of pixels (False) and of signs (True), the inputs that layers without ``input_bits`` have."""
    quantizers = [layer for layer in network.modules() if isinstance(layer, qnn.QuantIdentity)]
    return {isinstance(layer, Sign): int(layer.act_quant.bit_width()) for layer in reversed(quantizers)}


def _counted_modules(network: Network) -> list[tuple[str, nn.Module]]:
    inside = ("input_quant", "output_quant", "weight_quant", "bias_quant", "act_quant", "scaling")
    return [
        (name, layer)
        for name, layer in network.named_modules()
        if not set(name.split(".")) & set(inside)
        and (isinstance(layer, Counted) or any(True for _ in layer.parameters(recurse=False)))
    ]


def _count(name: str, layer: nn.Module, input_shape: Shape, output_shape: Shape, bits: dict[bool, int]) -> LayerCount:
    weights = sum(parameter.numel() for parameter in layer.parameters(recurse=False))
    weight_bits, activation_bits, operations = REAL_BITS, REAL_BITS, Operations()
    kind, fan_in = LayerKind.ELEMENTWISE, 0
    if isinstance(layer, Counted):
        kind, weight_bits = LayerKind.BRANCH, layer.parameter_bits
        operations = layer.operations(input_shape, output_shape)
    elif isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
        kind = LayerKind.LINEAR if isinstance(layer, nn.Linear) else LayerKind.CONVOLUTION
        fan_in = layer.weight[0].numel()
        if isinstance(layer, BinarizedWeights):
            weight_bits = int(layer.weight_quant.bit_width())
            activation_bits = getattr(layer, "input_bits", bits[layer.reads_signs])
        operations = _products(layer, fan_in * math.prod(output_shape), weight_bits, activation_bits)
    elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        kind = LayerKind.NORMALIZATION
    return LayerCount(
        name, kind, input_shape, output_shape, weight_bits, activation_bits, weights, operations.binary,
        operations.real, operations.few_bit, fan_in if operations.binary else 0,
    )  # fmt: skip


def _products(layer: nn.Module, macs: int, weight_bits: int, activation_bits: int) -> Operations:
    scaling = getattr(layer, "scaling", None)
    real_weights = isinstance(scaling, RectifiedScale) and scaling.matrix.shape == layer.weight.shape
    if real_weights or REAL_BITS in (weight_bits, activation_bits):
        return Operations(real=macs)
    if isinstance(layer, FractionalConv2d):
        return Operations(binary=layer.binary_passes * macs)
    return Operations(binary=macs) if weight_bits == activation_bits == 1 else Operations(few_bit=macs)


def _factors(network: Network, name: str, layer: LayerCount) -> list[LayerCount]:
    """Return the learned factor of a layer's binary weights, if there is one that does not fold."""
    scaling = getattr(network.get_submodule(name), "scaling", None)
    if scaling is None or scaling.folds:
        return []
    weights = sum(factor.numel() for factor in scaling.parameters(recurse=False))
    if not weights:
        return []
    shapes = (layer.output_shape, layer.output_shape)
    return [LayerCount(f"{name}.scaling", LayerKind.ELEMENTWISE, *shapes, REAL_BITS, REAL_BITS, weights, 0, 0, 0, 0)]
