"""Changes to training images that leave their labels alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["random_distortion", "random_flip", "random_shift"]

SMOOTHNESS = 4.0  # pixels, the standard deviation that Simard et al. chose for images of 28x28 pixels


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


def random_distortion(images: Tensor, pixels: float, generator: torch.Generator) -> Tensor:
    """Bend each image elastically: every pixel comes from a place nearby, neighbors from neighboring places.

    Simard et al.: Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis, 2003. Here the
    displacements are normal, not uniform, before they are smoothed.

    Args:
        images: (frames, channels, height, width), 0 is black, which comes in from the border.
        pixels: root mean square of the displacements in x and in y; 0 returns ``images`` itself.
        generator: a generator on the CPU; the bends are the same on every device, up to rounding.

    Returns:
        Images of the same shape and type, interpolated linearly.
    """
    if pixels == 0:
        return images
    frames, _, height, width = images.shape
    noise = torch.randn((2, frames, height, width), generator=generator).to(images.device)
    x, y = pixels * (_smoothing(height, images.device) @ noise @ _smoothing(width, images.device))
    columns = torch.arange(width, device=images.device) + x
    rows = torch.arange(height, device=images.device)[:, None] + y
    places = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], 3)
    bent = functional.grid_sample(images.float(), places, align_corners=False)
    return bent if images.is_floating_point() else bent.round().to(images.dtype)


def _smoothing(size: int, device: torch.device) -> Tensor:
    """Return (size, size): each row a Gaussian window about its place, of norm 1 away from the ends."""
    place = torch.arange(size, device=device)
    window = torch.exp(-(((place[:, None] - place) / SMOOTHNESS) ** 2) / 2)
    return window / (SMOOTHNESS * torch.pi**0.5) ** 0.5
