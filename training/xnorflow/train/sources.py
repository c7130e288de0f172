"""Where batches come from: images in memory, or a folder of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from xnorflow.train.augment import random_distortion, random_flip, random_shift

__all__ = ["Batch", "Images", "MemoryImages", "Share", "as_images"]

Batch = tuple[Tensor, Tensor]
"""Images, float32 (frames, channels, height, width) in [0, 1], and labels, int64 (frames,)."""

TEST_BATCH = 1000


@dataclass(frozen=True)
class Share:
    """Which part of every batch this process takes.

    Args:
        rank: number of the process.
        of: how many there are.
    """

    rank: int = 0
    of: int = 1


class Images(Protocol):
    """A set of labeled images, to learn from or to test on."""

    @property
    def frames(self) -> int:
        """Number of images."""
        ...

    def epoch(self, size: int, generator: torch.Generator, share: Share) -> Iterator[Batch]:
        """Yield the images in a random order, augmented: this process's share of each full batch of ``size``.

        Args:
            size: frames of a batch over all processes.
            generator: on the CPU; all randomness comes from it, so that its state says how things go on.
            share: this process's.
        """
        ...

    def test(self) -> Iterator[Batch]:
        """Yield all images in order, not augmented."""
        ...


def as_images(pixels: Tensor, white: int) -> Tensor:
    """Return ``pixels / white`` in float32; images of several channels with the channels last, which is faster."""
    images = pixels.float() / white
    return images.contiguous(memory_format=torch.channels_last) if images.shape[1] > 1 else images


@dataclass(frozen=True)
class MemoryImages:
    """A set of images on the device of training, for learning and for testing.

    Args:
        pixels: uint8 (frames, channels, height, width) in [0, white].
        labels: int64 (frames,).
        white: byte of a white pixel.
        shift: in learning, images move by up to this many pixels.
        flip: in learning, half of the images are mirrored.
        distort: in learning, images are bent elastically, by so many pixels.
    """

    pixels: Tensor
    labels: Tensor
    white: int
    shift: int = 0
    flip: bool = False
    distort: float = 0.0

    @property
    def frames(self) -> int:
        """Number of images."""
        return len(self.labels)

    def epoch(self, size: int, generator: torch.Generator, share: Share) -> Iterator[Batch]:
        """Yield one epoch to learn from, see :meth:`Images.epoch`."""
        for rows in torch.split(torch.randperm(self.frames, generator=generator), size):
            if len(rows) == size:
                mine = rows[share.rank :: share.of]
                pixels = random_distortion(self.pixels[mine], self.distort, generator)
                pixels = random_shift(pixels, self.shift, generator)
                pixels = random_flip(pixels, generator) if self.flip else pixels
                yield as_images(pixels, self.white), self.labels[mine]

    def test(self) -> Iterator[Batch]:
        """Yield all images in order."""
        for rows in torch.split(torch.arange(self.frames, device=self.labels.device), TEST_BATCH):
            yield as_images(self.pixels[rows], self.white), self.labels[rows]
