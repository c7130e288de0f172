"""Logits and accuracy of a network in eval mode."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xnorflow.train.sources import Images

__all__ = ["accuracy", "compute_logits"]

BATCH = 1000


@torch.no_grad()
def compute_logits(network: nn.Module, images: Tensor) -> Tensor:
    """Return float32 logits (frames, classes) on the device of ``images``; leaves the network in eval mode."""
    network.eval()
    return torch.cat([network(batch).float() for batch in torch.split(images, BATCH)])


@torch.no_grad()
def accuracy(network: nn.Module, images: Images) -> float:
    """Return the share of images whose largest logit (the first of equals) is the label's.

    This is *float* accuracy: torch computed it. Leaves the network in eval mode.

    Args:
        network: on the device of the images.
        images: what to test on.
    """
    network.eval()
    correct = sum(int((network(batch).argmax(1) == labels).sum()) for batch, labels in images.test())
    return correct / images.frames
