"""Layers whose weights and activations can be binary or real, by the *form* that their network is in.

One network, one set of latent weights, several forms: real weights and ReLU for a teacher, tanh, binary activations on
real weights, and binary throughout. The stages of a training, and methods that let latent weights take part in the
forward pass, only switch between them. The layers are Brevitas's own, and are exported by Brevitas; training computes
the same one-bit values in fewer passes over memory, three times as fast on a CPU.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xnorflow.train.binarize.estimators import sign, straight_sign
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.quantizers import SignedByteInput, activation_quantizer, trunk_quantizer, weight_quantizer
from xnorflow.train.binarize.scales import make_scaling
from xnorflow.train.models.config import Estimator, NetworkSettings, WeightScale
from xnorflow.train.quiet import quiet

with quiet():
    import brevitas.nn as qnn

__all__ = [
    "STATES",
    "Activation",
    "BinarizedConv2d",
    "BinarizedLinear",
    "BinarizedWeights",
    "FormState",
    "Sign",
    "in_form",
    "input_quantizer",
    "set_form",
    "set_progress",
    "trunk_integer",
]


class Activation(StrEnum):
    """What stands where the sign will be."""

    SIGN = "sign"
    TANH = "tanh"
    HARDTANH = "hardtanh"
    RELU = "relu"
    BOTH = "both"  # sign and hardtanh, stacked along the batch: see BinarizedWeights.blend


class FormState:
    """What the layers of a network do at one time.

    Args:
        real_weights: whether weights are used as they are.
        activation: what stands where the sign will be.
        blend: share of the real path where both are mixed, else 0; needs ``Activation.BOTH``.
    """

    __slots__ = ("activation", "blend", "real_weights")

    def __init__(self, real_weights: bool, activation: Activation, blend: float = 0.0) -> None:
        self.real_weights, self.activation, self.blend = real_weights, activation, blend


STATES: dict[Form, FormState] = {
    Form.FLOAT: FormState(True, Activation.RELU),
    Form.TANH: FormState(True, Activation.TANH),
    Form.BINARY_ACTIVATIONS: FormState(True, Activation.SIGN),
    Form.BINARY: FormState(False, Activation.SIGN),
}


class Sign(qnn.QuantIdentity):
    """The activation: ``+1 if x >= 0 else -1``, or two bits; in other forms tanh, hard tanh or ReLU.

    Args:
        settings: bits and estimator.
    """

    @property
    def levels(self) -> int:
        """How many different values there are."""
        return {1: 2, 2: 3}[self.bits]

    def __init__(self, settings: NetworkSettings) -> None:
        self.bits = settings.network.activation_bits
        super().__init__(act_quant=activation_quantizer(self.bits))
        self.estimator = settings.estimator
        self.state = STATES[Form.BINARY]
        self.progress = 0.0

    def forward(self, input: Tensor) -> Tensor:
        """Return activations of the shape of ``input``; twice the frames for ``Activation.BOTH``."""
        match self.state.activation:
            case Activation.RELU:
                return functional.relu(input)
            case Activation.TANH:
                return torch.tanh(input)
            case Activation.HARDTANH:
                return functional.hardtanh(input)
            case Activation.BOTH:
                return torch.cat([self._sign(input), functional.hardtanh(input)])
        return self._sign(input)

    def _sign(self, values: Tensor) -> Tensor:
        if self.bits > 1 or self.act_quant.export_mode:
            result: Tensor = super().forward(values)
            return result
        return sign(values, self.estimator, self.progress)


class BinarizedWeights(nn.Module):
    """What the binary layers share; a subclass adds the product in :meth:`product`.

    Latent weights are clipped to [-1, 1] in place whenever their quantized values are used, so that a step can still
    change them; where the estimator's slope is 0 at +-1, as published for ``approx_sign``, those at the end stay there.

    Attributes:
        bits: of a weight.
        reads_signs: whether the input comes from a :class:`Sign`; false for the first layer and for integers.
        state: set by :func:`set_form`.
        progress: share of the training done, for EDE.
    """

    weight: Tensor
    quant_weight: Any  # these two are Brevitas's, which ships no types
    weight_quant: Any
    bits: int
    reads_signs: bool
    state: FormState
    progress: float

    def _prepare(self, settings: NetworkSettings, reads_signs: bool, *, scaled: bool) -> None:
        self.bits = settings.network.weight_bits
        kernel_bits = settings.kernel_bits if reads_signs and self.weight.shape[2:] == (3, 3) else None
        scale = settings.weight_scale if scaled and self.bits == 1 else WeightScale.NONE
        self.weight_estimator = settings.weight_estimator if self.bits == 1 else Estimator.STE
        self.scaling = make_scaling(scale, tuple(self.weight.shape), kernel_bits)
        unscaled = scale in (WeightScale.NONE, WeightScale.SPATIAL)
        self.plain = self.weight_estimator is Estimator.STE and unscaled and kernel_bits is None
        self.reads_signs, self.state, self.progress = reads_signs, STATES[Form.BINARY], 0.0
        nn.init.uniform_(self.weight, -settings.initial_range, settings.initial_range)

    def product(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the layer's output for given weights."""
        raise NotImplementedError

    def binary_weights(self) -> Tensor:
        """Return the weights of the binary form: of the shape of ``weight``, gradient by the estimator."""
        with torch.no_grad():
            self.weight.clamp_(-1, 1)
        if self.bits > 1:
            quantized = self.quant_weight()
            value: Tensor = getattr(quantized, "value", quantized)
            return value
        if self.plain:
            return straight_sign(self.weight)
        latent = self.scaling.latent(self.weight)
        binary = self.scaling.quantize(sign(latent, self.weight_estimator, self.progress), latent)
        result: Tensor = self.scaling(binary, self.weight)
        return result

    def compute(self, values: Tensor) -> Tensor:
        """Return the output in the present form."""
        if self.state.activation is Activation.BOTH:
            signs, reals = values.chunk(2) if self.reads_signs else (values, values)
            share = self.state.blend
            return (1 - share) * self.product(signs, self.binary_weights()) + share * self.product(reals, self.weight)
        return self.product(values, self.weight if self.state.real_weights else self.binary_weights())


class BinarizedLinear(BinarizedWeights, qnn.QuantLinear):
    """A fully connected layer without bias: (frames, fan_in) to (frames, fan_out).

    Args:
        fan_in: inputs.
        fan_out: outputs.
        settings: bits, estimator and scale.
        reads_signs: whether the input comes from a :class:`Sign`.
        scaled: whether ``weight_scale`` applies; not to a classifier, behind which no BatchNorm could take it.
    """

    def __init__(
        self, fan_in: int, fan_out: int, settings: NetworkSettings, *, reads_signs: bool = True, scaled: bool = True
    ) -> None:
        quantizer = weight_quantizer(settings.network.weight_bits)
        qnn.QuantLinear.__init__(self, fan_in, fan_out, bias=False, weight_quant=quantizer)
        self._prepare(settings, reads_signs, scaled=scaled)

    def product(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return ``values @ weights.T``."""
        return functional.linear(values, weights)

    def forward(self, input: Tensor) -> Tensor:
        """Return (frames, fan_out) of ``input``, (frames, fan_in)."""
        if self.weight_quant.export_mode:
            result: Tensor = qnn.QuantLinear.forward(self, input)
            return result
        return self.compute(input)


class BinarizedConv2d(BinarizedWeights, qnn.QuantConv2d):
    """A convolution without bias and without padding: padding a binary map is a layer of its own.

    Args:
        channels_in: input channels.
        channels_out: output channels.
        kernel: its height and width.
        settings: bits, estimator and scale.
        stride: in both directions.
        reads_signs: whether the input comes from a :class:`Sign`.
        scaled: whether ``weight_scale`` applies.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, settings: NetworkSettings, *, stride: int = 1,
        reads_signs: bool = True, scaled: bool = True,
    ) -> None:  # fmt: skip
        quantizer = weight_quantizer(settings.network.weight_bits)
        qnn.QuantConv2d.__init__(
            self, channels_in, channels_out, kernel, stride=stride, bias=False, weight_quant=quantizer
        )
        self.step = stride
        self._prepare(settings, reads_signs, scaled=scaled)

    def product(self, values: Tensor, weights: Tensor) -> Tensor:
        """Return the convolution of (frames, channels_in, height, width) with ``weights``."""
        return functional.conv2d(values, weights, stride=self.step)

    def forward(self, input: Tensor) -> Tensor:
        """Return (frames, channels_out, height, width) of ``input``, (frames, channels_in, height, width)."""
        if self.weight_quant.export_mode:
            result: Tensor = qnn.QuantConv2d.forward(self, input)
            return result
        return self.compute(input)


def input_quantizer(bits: int) -> nn.Module:
    """Make the layer in front of a network, the same in all forms: a sign (1 bit) or :class:`SignedByteInput` (8)."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=activation_quantizer(1) if bits == 1 else SignedByteInput)
    return layer


def trunk_integer(bits: int, *, floor: bool = False) -> nn.Module:
    """Make a layer that rounds to a residual trunk's integers, see :class:`~.quantizers.TrunkInteger`."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=trunk_quantizer(bits, floor=floor))
    return layer


def set_form(network: nn.Module, form: Form | FormState) -> None:
    """Put all layers of a network into a form."""
    state = STATES[form] if isinstance(form, Form) else form
    for layer in network.modules():
        if isinstance(layer, Sign | BinarizedWeights):
            layer.state = state


@contextlib.contextmanager
def in_form(network: nn.Module, form: Form | FormState) -> Iterator[None]:
    """Have a network in a form for the length of a ``with`` block."""
    layers = [layer for layer in network.modules() if isinstance(layer, Sign | BinarizedWeights)]
    before = [layer.state for layer in layers]
    set_form(network, form)
    try:
        yield
    finally:
        for layer, state in zip(layers, before, strict=True):
            layer.state = state


def set_progress(network: nn.Module, progress: float) -> None:
    """Tell the layers what share of the training is done, in [0, 1]."""
    for layer in network.modules():
        if isinstance(layer, Sign | BinarizedWeights):
            layer.progress = progress
