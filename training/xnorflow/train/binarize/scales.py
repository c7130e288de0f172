"""Real factors of binary weights in training: ``scaled = factor * sign(latent)``, or a codeword in the sign's place.

A factor that is one positive number for each output channel changes no sign behind the layer's BatchNorm and is folded
into it when the network is deployed. The others are the papers' own forms; they have no XNOR-popcount form.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.codebook import Codebook
from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.models.config import WeightScale

__all__ = ["AdaBinScale", "MeanScale", "RectifiedScale", "ShiftScale", "WeightScaling", "make_scaling", "standardized"]


def standardized(weights: Tensor) -> Tensor:
    """Return weights with mean 0 and deviation 1 in each output channel (IR-Net's Libra parameter binarization).

    Args:
        weights: (channels, ...), at least two weights a channel.
    """
    flat = weights.flatten(1)
    shape = (-1, *[1] * (weights.dim() - 1))
    deviation = flat.std(1, unbiased=True).clamp(min=1e-8)
    return (weights - flat.mean(1).view(shape)) / deviation.view(shape)


class WeightScaling(nn.Module):
    """No factor; the base of the others.

    Attributes:
        folds: whether the factor is positive and constant within each output channel.
        codebook: what binary kernels are taken from; None: they are signs. Set by :func:`make_scaling`.
    """

    folds = True

    def __init__(self) -> None:
        super().__init__()
        self.codebook: Codebook | None = None

    def latent(self, weights: Tensor) -> Tensor:
        """Return what the sign is taken of: ``weights`` themselves, or standardized."""
        return weights

    def quantize(self, binary: Tensor, latent: Tensor) -> Tensor:
        """Return ``binary``, the signs of ``latent``, or with a codebook the codewords in their place."""
        if self.codebook is None:
            return binary
        result: Tensor = self.codebook(binary, latent)
        return result

    def binary(self, weights: Tensor) -> Tensor:
        """Return the +1 and -1 that stand for ``weights``; no gradient, and no step of the training is counted."""
        latent = self.latent(weights.detach())
        return hard_sign(latent) if self.codebook is None else self.codebook.nearest(latent)

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return the scaled weights.

        Args:
            binary: of :meth:`quantize`, +1 or -1.
            weights: latent weights, of the same shape (out channels, in channels, ...).
        """
        return binary

    def channel_factor(self, weights: Tensor) -> Tensor:
        """Return the factor of each output channel, (channels,), positive. Only where ``folds``."""
        return torch.ones(len(weights), dtype=weights.dtype, device=weights.device)


def _per_channel(factor: Tensor, like: Tensor) -> Tensor:
    return factor.view(-1, *[1] * (like.dim() - 1))


class MeanScale(WeightScaling):
    """XNOR-Net: ``alpha_o = mean|W_o|``, through which the gradient reaches W as well.

    Rastegari et al., https://arxiv.org/abs/1603.05279, equation 6. Its input-dependent factor K is left out.
    """

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return ``alpha_o * binary``."""
        return binary * _per_channel(weights.abs().flatten(1).mean(1), weights)

    def channel_factor(self, weights: Tensor) -> Tensor:
        """Return alpha."""
        return weights.detach().abs().flatten(1).mean(1).clamp(min=1e-12)


class ShiftScale(WeightScaling):
    """IR-Net: sign of the standardized weights, times ``2**round(log2(mean|standardized|))`` for each channel.

    Qin et al., https://arxiv.org/abs/1909.10788, equations 5 to 8.
    """

    def latent(self, weights: Tensor) -> Tensor:
        """Return the standardized weights."""
        return standardized(weights)

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return ``binary`` shifted."""
        return binary * _per_channel(self.channel_factor(weights), weights)

    def channel_factor(self, weights: Tensor) -> Tensor:
        """Return the powers of two."""
        magnitude = standardized(weights.detach()).abs().flatten(1).mean(1)
        return 2.0 ** torch.round(torch.log2(magnitude.clamp(min=1e-12)))


class AdaBinScale(WeightScaling):
    """AdaBin: two levels ``mean +- deviation`` for each output channel; ``centered`` leaves the mean out.

    Tu et al., https://arxiv.org/abs/2208.08084, equations 7 to 9. With the mean the layer needs the sum of its input
    bits besides XNOR-popcount, so only the centered form folds.

    Args:
        centered: whether the two levels lie around 0.
    """

    def __init__(self, *, centered: bool) -> None:
        super().__init__()
        self.folds = centered

    def latent(self, weights: Tensor) -> Tensor:
        """Return the standardized weights."""
        return standardized(weights)

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return ``deviation * binary``, plus the mean unless centered."""
        flat = weights.flatten(1)
        scaled = binary * _per_channel(flat.std(1, unbiased=True), weights)
        return scaled if self.folds else scaled + _per_channel(flat.mean(1), weights)

    def channel_factor(self, weights: Tensor) -> Tensor:
        """Return the deviations."""
        return weights.detach().flatten(1).std(1, unbiased=True).clamp(min=1e-12)


class RectifiedScale(WeightScaling):
    """RBCN: a learned matrix ``C`` on the binary kernels, ``C (.) sign(W)``, begun at 1.

    Liu et al.: RBCN, https://arxiv.org/abs/1908.07748; the text leaves the shape of C open. ``C = 1`` is the plain
    binary layer. Per channel, C is kept positive and folds.

    Args:
        shape: of C, broadcast over the weights.
        per_channel: whether C is one number for each output channel.
    """

    def __init__(self, shape: tuple[int, ...], *, per_channel: bool) -> None:
        super().__init__()
        self.folds = per_channel
        self.matrix = nn.Parameter(torch.ones(shape))

    def factor(self) -> Tensor:
        """Return C; per channel no smaller than 0.001."""
        return self.matrix.clamp(min=1e-3) if self.folds else self.matrix

    def forward(self, binary: Tensor, weights: Tensor) -> Tensor:
        """Return ``C * binary``."""
        return binary * self.factor()

    def channel_factor(self, weights: Tensor) -> Tensor:
        """Return C of each output channel."""
        return self.factor().detach().flatten()


def make_scaling(scale: WeightScale, shape: tuple[int, ...], kernel_bits: int | None = None) -> WeightScaling:
    """Make the factor of a layer whose weights have ``shape`` (out channels, in channels, ...).

    ``SPATIAL`` scales outputs, not weights: here it is no factor. With ``kernel_bits`` there is a codebook.
    """
    scaling = _make_factor(scale, shape)
    if kernel_bits is not None:
        scaling.codebook = Codebook(kernel_bits)
    return scaling


def _make_factor(scale: WeightScale, shape: tuple[int, ...]) -> WeightScaling:
    ones = [1] * (len(shape) - 2)
    match scale:
        case WeightScale.MEAN:
            return MeanScale()
        case WeightScale.SHIFT:
            return ShiftScale()
        case WeightScale.ADABIN | WeightScale.ADABIN_CENTERED:
            return AdaBinScale(centered=scale is WeightScale.ADABIN_CENTERED)
        case WeightScale.RECTIFIED_CHANNEL:
            return RectifiedScale((shape[0], 1, *ones), per_channel=True)
        case WeightScale.RECTIFIED_KERNEL:
            return RectifiedScale((1, 1, *shape[2:]), per_channel=False)
        case WeightScale.RECTIFIED_FULL:
            return RectifiedScale(shape, per_channel=False)
        case _:
            return WeightScaling()
