"""Binary convolutions that bring their own scale, for the orders without BatchNorm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.estimators import sign, straight_sign
from xnorflow.train.binarize.layers import Activation, BinarizedConv2d
from xnorflow.train.models.blocks.levels import constant
from xnorflow.train.models.config import Estimator, NetworkSettings

__all__ = ["MagnitudeConv2d", "StandardizedConv2d"]

EPSILON = 1e-5


class MagnitudeConv2d(BinarizedConv2d):
    """``alpha_o (sign(W_o) * a)`` with ``alpha_o = mean|W_o|``, through which no gradient goes.

    The convolution of BBCU: Xia et al., https://arxiv.org/abs/2210.00405, and its code. The product of signs is whole
    numbers; alpha is a constant of each channel behind it. Real weights have no alpha. Weights begin as He et al.
    propose in every form, so that outputs begin with a deviation near 1.

    Args:
        channels_in: input channels.
        channels_out: output channels.
        kernel: its height and width.
        settings: bits and estimator.
        stride: in both directions.
        reads_signs: whether the input comes from a sign.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, settings: NetworkSettings, *, stride: int = 1,
        reads_signs: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            channels_in, channels_out, kernel, settings, stride=stride, reads_signs=reads_signs, scaled=False
        )
        self.plain = True  # its scale is its own: nothing folds, latent weights stay as they are
        self.gain: nn.Parameter | None = None
        nn.init.kaiming_normal_(self.weight)

    def latent(self) -> Tensor:
        """Return what the sign is taken of and the real forms use: of the shape of ``weight``."""
        return self.weight

    def channel_factor(self) -> Tensor:
        """Return alpha, (channels_out,), without gradient."""
        return self.latent().detach().abs().flatten(1).mean(1)

    def signs(self) -> Tensor:
        """Return the signs of the latent weights, gradient by the estimator."""
        if self.gain is None:
            with torch.no_grad():
                self.weight.clamp_(-1, 1)
        latent = self.latent()
        if self.weight_quant.export_mode:
            quantized = self.weight_quant(constant(latent))
            value: Tensor = getattr(quantized, "value", quantized)
            return value
        if self.weight_estimator is Estimator.STE:
            return straight_sign(latent)
        return sign(latent, self.weight_estimator, self.progress)

    def binary_weights(self) -> Tensor:
        """Return the weights of the binary form, scale included: of the shape of ``weight``."""
        return self.signs() * self._factor(gain=True)

    def forward(self, input: Tensor) -> Tensor:
        """Return (frames, channels_out, height, width) of ``input``, (frames, channels_in, height, width)."""
        behind = (1, -1, 1, 1)
        gain = 1.0 if self.gain is None else constant(self.gain.view(behind))
        if self.state.activation is Activation.BOTH:
            signs, reals = input.chunk(2) if self.reads_signs else (input, input)
            share, factor = self.state.blend, self.channel_factor().view(behind)
            binary = self.product(signs, self.signs()) * factor
            return ((1 - share) * binary + share * self.product(reals, self.latent())) * gain
        if self.state.real_weights:
            return self.product(input, self.latent()) * gain
        return self.product(input, self.signs()) * constant(self._factor(gain=True).view(behind))

    def _factor(self, *, gain: bool) -> Tensor:
        factor = self.channel_factor().view(-1, 1, 1, 1)
        return factor * self.gain.view(-1, 1, 1, 1) if gain and self.gain is not None else factor


class StandardizedConv2d(MagnitudeConv2d):
    """The same on ``What = (W - mean) / (std + eps) / sqrt(fan_in)``, times a learned gain of each output channel.

    Chen et al.: BNN - BN = ?, https://arxiv.org/abs/2104.08215, and its code, where gamma, a constant factor for the
    activation function, is 1.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, settings: NetworkSettings, *, stride: int = 1,
        reads_signs: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(channels_in, channels_out, kernel, settings, stride=stride, reads_signs=reads_signs)
        self.gain = nn.Parameter(torch.ones(channels_out))

    def latent(self) -> Tensor:
        """Return What: mean 0, deviation ``1 / sqrt(fan_in)`` in each output channel."""
        flat = self.weight.flatten(1)
        centered = flat - flat.mean(1, keepdim=True)
        deviation = flat.std(1, unbiased=False, keepdim=True)
        return (centered / (deviation + EPSILON) / flat.shape[1] ** 0.5).view_as(self.weight)
