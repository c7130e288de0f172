"""Thermometer code: a pixel as a column of bits, so that a network's first layer is binary as well."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from xnorflow.train.binarize.estimators import hard_sign
from xnorflow.train.binarize.layers import input_quantizer
from xnorflow.train.models.blocks.levels import constant
from xnorflow.train.models.config import InputEncoding, NetworkSettings

__all__ = ["COMPARATORS", "PLANES", "Thermometer", "input_encoder", "input_planes"]

PLANES = 32
"""Binary planes of each color."""

COMPARATORS = tuple(8 * plane + (4 if plane % 2 else 5) for plane in range(PLANES))
"""Plane j is +1 where the pixel's byte is at least this."""


class Thermometer(nn.Module):
    """Plane j of a color is +1 where ``round(byte / 8) > j``, else -1, for j from 0 to 31; halves to the even neighbor.

    Zhang et al.: FracBNN, https://arxiv.org/abs/2012.12206, with the resolution of 8 and the rounding of the authors'
    code, which was read. In integers: ``byte >= 8 j + 5`` for even j, ``8 j + 4`` for odd j. Comparisons are made half
    a byte below, so that no rounding of a float reaches them: bytes divided by 255 are coded exactly, and other numbers
    like the nearest byte. In hardware 32 constant comparators a color, and the first layer is XNOR-popcount. No
    gradient: what comes in is the image.
    """

    bounds: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.sign: Any = input_quantizer(1)
        bounds = torch.tensor(COMPARATORS, dtype=torch.float64) - 0.5
        self.register_buffer("bounds", (2 * bounds / 255 - 1).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return +1 and -1, (frames, 32 colors, height, width), all planes of a color one after another.

        Args:
            pixels: (frames, colors, height, width) in [-1, 1], ``2 byte / 255 - 1``.
        """
        above = (pixels.unsqueeze(2) - constant(self.bounds.view(-1, 1, 1))).flatten(1, 2)
        if self.sign.act_quant.export_mode:
            exported: Tensor = self.sign(above)
            return exported
        return hard_sign(above)


def input_encoder(settings: NetworkSettings) -> nn.Module:
    """Make the layer in front of CNV and the residual networks; it takes pixels in [-1, 1], the same in all forms."""
    if settings.input_encoding is InputEncoding.THERMOMETER:
        return Thermometer()
    return input_quantizer(settings.pixel_bits)


def input_planes(settings: NetworkSettings) -> int:
    """Return the channels that each color has behind :func:`input_encoder`."""
    return PLANES if settings.input_encoding is InputEncoding.THERMOMETER else 1
