"""Data sets in memory: images in [0, 1] and labels, split into training and test sets once and for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import DataError
from xnorflow.train.cifar import read_batches
from xnorflow.train.config import DatasetName, DataSettings
from xnorflow.train.idx import read_split

__all__ = ["DataSplits", "Pixels", "load_data"]

FOLDERS = {DatasetName.MNIST: "MNIST", DatasetName.FASHION_MNIST: "FashionMNIST"}
DIGITS_TEST_SHARE = 0.2
DIGITS_SPLIT_SEED = 0

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class DataSplits:
    """A data set.

    Images are kept as bytes, (frames, channels, height, width) in [0, white]: a quarter of the memory of float32. The
    value of a pixel is ``byte / white``, computed in float32 by :meth:`scale`.

    Args:
        train_pixels: training images.
        train_labels: int64 (frames,) in [0, classes).
        test_pixels: test images.
        test_labels: like ``train_labels``.
        white: byte of a white pixel.
        classes: number of classes.
        held_out: whether the test images were taken out of the training set.
    """

    train_pixels: Pixels
    train_labels: npt.NDArray[np.int64]
    test_pixels: Pixels
    test_labels: npt.NDArray[np.int64]
    white: int = 255
    classes: int = 10
    held_out: bool = False

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width of one image."""
        channels, height, width = self.train_pixels.shape[1:]
        return channels, height, width

    @property
    def train_images(self) -> npt.NDArray[np.float32]:
        """The training images, float32 in [0, 1]."""
        return self.scale(self.train_pixels)

    @property
    def test_images(self) -> npt.NDArray[np.float32]:
        """The test images, float32 in [0, 1]."""
        return self.scale(self.test_pixels)

    def scale(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """Return ``pixels / white`` in float32."""
        scaled: npt.NDArray[np.float32] = pixels.astype(np.float32) / np.float32(self.white)
        return scaled


def load_data(settings: DataSettings) -> DataSplits:
    """Read a data set.

    MNIST, Fashion-MNIST and CIFAR-10 come with their own test set of 10,000 images; a pixel is its byte / 255. The
    digits of scikit-learn do not: a fifth of each class (360 images) is set apart with a fixed seed, whatever the seed
    of the experiment, so that accuracies compare; a pixel is its count / 16.

    With ``hold_out`` the last so many training images are the test set, and the data set's own is not looked at.

    Raises:
        DataError: no root was given, a file under it is missing, empty or corrupt, or nothing is left to train on.
    """
    splits = _load(settings)
    if not settings.hold_out:
        return splits
    keep = len(splits.train_labels) - settings.hold_out
    if keep < 2:
        raise DataError(
            f"data set {settings.dataset}, hold_out",
            f"{settings.hold_out} of {len(splits.train_labels)} training images",
            f"at most {len(splits.train_labels) - 2}",
            "hold fewer images out",
        )
    return DataSplits(
        splits.train_pixels[:keep], splits.train_labels[:keep], splits.train_pixels[keep:], splits.train_labels[keep:],
        splits.white, splits.classes, held_out=True,
    )  # fmt: skip


def _load(settings: DataSettings) -> DataSplits:
    match settings.dataset:
        case DatasetName.DIGITS:
            return _load_digits()
        case DatasetName.IMAGENET:
            raise DataError(
                "data set imagenet",
                "too large to be held in memory",
                "digits, mnist, fashion_mnist, cifar10",
                "imagenet is for `xnorflow train` only",
            )
        case DatasetName.CIFAR10:
            train_pixels, train_labels, test_pixels, test_labels = read_batches(settings.root)
        case _:
            folder = FOLDERS[settings.dataset]
            train_pixels, train_labels = read_split(settings.root, folder, "train")
            test_pixels, test_labels = read_split(settings.root, folder, "t10k")
            train_pixels, test_pixels = train_pixels[:, None], test_pixels[:, None]
    return DataSplits(train_pixels, train_labels, test_pixels, test_labels)


def _load_digits() -> DataSplits:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train_pixels, test_pixels, train_labels, test_labels = train_test_split(
        digits.images.astype(np.uint8)[:, None],
        digits.target.astype(np.int64),
        test_size=DIGITS_TEST_SHARE,
        stratify=digits.target,
        random_state=DIGITS_SPLIT_SEED,
    )
    return DataSplits(train_pixels, train_labels, test_pixels, test_labels, white=16)
