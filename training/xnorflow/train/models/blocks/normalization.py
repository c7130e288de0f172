"""BatchNorm whose evaluation every library repeats bit for bit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.models.blocks.levels import constant

__all__ = ["AffineBatchNorm2d"]


class AffineBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm; in eval mode ``y = a x + b``, a product and a sum in float32, each rounded once as IEEE 754 says.

    Behind it stand roundings to a trunk's integers. Libraries that order the operations of a BatchNorm differently
    would now and then land on different integers; a product and a sum have one result everywhere, and a table of it
    over the integers ``x`` can take is the hardware's. ``a = gamma / sqrt(var + eps)`` and ``b = beta - mean a``,
    computed in float64 (the float32 root of torch is not rounded alike everywhere), are constants of exported graphs.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (frames, channels, height, width) of the same shape."""
        if self.training:
            result: Tensor = super().forward(input)
            return result
        assert self.running_mean is not None and self.running_var is not None
        slope = self.weight.double() / torch.sqrt(self.running_var.double() + self.eps)
        offset = (self.bias.double() - self.running_mean.double() * slope).float()
        return input * constant(slope.float().view(1, -1, 1, 1)) + constant(offset.view(1, -1, 1, 1))
