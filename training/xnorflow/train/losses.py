"""Losses on logits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from xnorflow.train.config import LossName

__all__ = ["Loss", "make_loss", "squared_hinge"]

Loss = Callable[[Tensor, Tensor], Tensor]
"""Takes logits (frames, classes) and labels int64 (frames,); returns the mean, a scalar."""


def squared_hinge(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over frames and classes of ``max(0, 1 - t y)**2``, t = +1 for the label's class, else -1.

    The loss of Courbariaux et al. (https://arxiv.org/abs/1602.02830) and of Brevitas's bnn_pynq examples.
    """
    targets = 2 * functional.one_hot(labels, logits.shape[1]).to(logits.dtype) - 1
    return functional.relu(1 - targets * logits).square().mean()


def make_loss(name: LossName) -> Loss:
    """Return the loss of that name."""
    if name is LossName.SQUARED_HINGE:
        return squared_hinge
    return torch.nn.CrossEntropyLoss()
