"""The two sets of images that a training works with, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xnorflow.artifact.errors import DataError
from xnorflow.train.config import DatasetName, DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.folder import FolderImages
from xnorflow.train.sources import Images, MemoryImages

__all__ = ["ImageSets", "open_images"]

IMAGENET_SIZE = 224


@dataclass(frozen=True)
class ImageSets:
    """A data set on the device of training.

    Args:
        train: images to learn from.
        test: images to test on.
        image_shape: channels, height, width.
        classes: number of classes.
        held_out: whether the test images were taken out of the training set.
    """

    train: Images
    test: Images
    image_shape: tuple[int, int, int]
    classes: int
    held_out: bool


def open_images(data: DataSettings, settings: TrainSettings, device: torch.device) -> ImageSets:
    """Open a data set for training.

    Small images are moved to the device as a whole: a loader would cost more than the step. ImageNet is read from
    ``<root>/imagenet/train`` and ``<root>/imagenet/val``.

    Raises:
        DataError: the data set is missing, damaged or empty.
    """
    if data.dataset is DatasetName.IMAGENET:
        return _open_imagenet(data, device)
    splits = load_data(data)
    arrays = (splits.train_pixels, splits.train_labels, splits.test_pixels, splits.test_labels)
    pixels, labels, test_pixels, test_labels = (torch.from_numpy(array).to(device) for array in arrays)
    train = MemoryImages(pixels, labels, splits.white, settings.shift, settings.flip, settings.distort)
    test = MemoryImages(test_pixels, test_labels, splits.white)
    return ImageSets(train, test, splits.image_shape, splits.classes, splits.held_out)


def _open_imagenet(data: DataSettings, device: torch.device) -> ImageSets:
    if data.root is None or data.hold_out:
        raise DataError(
            "data set imagenet",
            "no data root given" if data.root is None else f"hold_out = {data.hold_out}",
            "a folder that holds imagenet/train and imagenet/val, and hold_out = 0",
            "pass --data-root, or set root in [data]",
        )
    folder, workers = data.root / "imagenet", data.workers
    train = FolderImages(folder / "train", IMAGENET_SIZE, training=True, workers=workers, device=device)
    test = FolderImages(folder / "val", IMAGENET_SIZE, training=False, workers=workers, device=device)
    if train.classes != test.classes:
        raise DataError(
            f"data folder {folder / 'val'}",
            f"{test.classes} classes",
            f"the {train.classes} of {folder / 'train'}",
            "sort the validation images into one folder a class",
        )
    return ImageSets(train, test, (3, IMAGENET_SIZE, IMAGENET_SIZE), train.classes, held_out=False)
