"""Images read from a folder of files while training, for data sets that no memory holds: ImageNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from xnorflow.artifact.errors import DataError
from xnorflow.train.sources import Batch, Share, as_images

__all__ = ["FolderImages"]

CROP_SHARE = 224 / 256  # of the shorter side, as is usual for tests on ImageNet
TEST_BATCH = 100


class FolderImages:
    """One folder a class, ``<root>/<class>/*.jpg``, through torchvision.

    To learn from, images are cropped at random to 8 to 100 % of their area, scaled and mirrored (RandomResizedCrop and
    RandomHorizontalFlip with torchvision's defaults); to test on, scaled and cropped in the middle. Either is read as
    the folder's use asks for.

    Args:
        root: the folder.
        size: height and width of an image as the network sees it.
        training: which of the two treatments images get.
        workers: processes that read; 0 reads in this one.
        device: where batches go.

    Raises:
        DataError: the folder is missing or holds no images.
    """

    def __init__(self, root: Path, size: int, *, training: bool, workers: int, device: torch.device) -> None:
        from torchvision.datasets import ImageFolder

        try:
            self._files: Any = ImageFolder(str(root), _transform(size, training=training))
        except (FileNotFoundError, OSError) as reason:
            found = "no such folder" if not root.is_dir() else "no class with images in it"
            raise DataError(
                f"data folder {root}", found, "one folder a class, with images in it", "check --data-root"
            ) from reason
        self._workers, self._device = workers, device
        self.classes = len(self._files.classes)

    @property
    def frames(self) -> int:
        """Number of images."""
        return len(self._files)

    def epoch(self, size: int, generator: torch.Generator, share: Share) -> Iterator[Batch]:
        """Yield one epoch to learn from, see :meth:`xnorflow.train.sources.Images.epoch`."""
        order = torch.randperm(self.frames, generator=generator)
        seed = int(torch.randint(0, 2**62, (), generator=generator))
        batches = [rows[share.rank :: share.of].tolist() for rows in torch.split(order, size) if len(rows) == size]
        yield from self._read(batches, torch.Generator().manual_seed(seed + share.rank))

    def test(self) -> Iterator[Batch]:
        """Yield all images in order."""
        batches = [rows.tolist() for rows in torch.split(torch.arange(self.frames), TEST_BATCH)]
        yield from self._read(batches, torch.Generator())

    def _read(self, batches: list[list[int]], generator: torch.Generator) -> Iterator[Batch]:
        pinned = self._device.type == "cuda"
        loader: Any = DataLoader(
            self._files, batch_sampler=batches, num_workers=self._workers, generator=generator, pin_memory=pinned
        )
        for pixels, labels in loader:
            yield as_images(pixels.to(self._device, non_blocking=True), 255), labels.to(self._device)


def _transform(size: int, *, training: bool) -> Any:
    from torchvision import transforms

    if training:
        chosen = [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]
    else:
        chosen = [transforms.Resize(round(size / CROP_SHARE)), transforms.CenterCrop(size)]
    return transforms.Compose([*chosen, transforms.PILToTensor()])
