"""Changes to training images that leave their labels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["random_flip", "random_shift"]


def random_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move each image by its own whole number of pixels in x and y, black coming in from the border.

    Args:
        images: (frames, channels, height, width), 0 is black.
        pixels: largest move; 0 returns ``images`` itself.
        generator: a generator on the CPU; the moves are the same on every device.

    Returns:
        Images of the same shape.
    """
    if pixels == 0:
        return images
    frames, _, height, width = images.shape
    moves = torch.randint(0, 2 * pixels + 1, (2, frames, 1), generator=generator).to(images.device)
    rows = moves[0] + torch.arange(height, device=images.device)
    columns = moves[1] + torch.arange(width, device=images.device)
    padded = functional.pad(images, (pixels, pixels, pixels, pixels))
    frame = torch.arange(frames, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[frame, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability 1/2.

    Args:
        images: (frames, channels, height, width).
        generator: a generator on the CPU; the choice is the same on every device.

    Returns:
        Images of the same shape.
    """
    chosen = torch.randint(0, 2, (len(images), 1, 1, 1), generator=generator).bool().to(images.device)
    return torch.where(chosen, images.flip(3), images)
