"""XNOR-Net++'s factors on the output of a convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SpatialScale"]


class SpatialScale(nn.Module):
    """``alpha_c beta_h gamma_w``, three learned vectors begun at 1.

    Bulat, Tzimiropoulos: XNOR-Net++, https://arxiv.org/abs/1909.13863, case 4; the scale of Real-to-Binary's strong
    baseline. Row and column factors are constants of each pixel, which a stream of pixels has no place for.

    Args:
        channels: of the map.
        height: of the map.
        width: of the map.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels, 1, 1))
        self.beta = nn.Parameter(torch.ones(1, height, 1))
        self.gamma = nn.Parameter(torch.ones(1, 1, width))

    def forward(self, values: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        return values * (self.alpha * self.beta * self.gamma)
