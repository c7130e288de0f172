"""Data sets in memory: images in [0, 1] and labels, split into training and test sets once and for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.train.config import DatasetName, DataSettings
from xnorflow.train.idx import read_split

__all__ = ["DataSplits", "load_data"]

FOLDERS = {DatasetName.MNIST: "MNIST", DatasetName.FASHION_MNIST: "FashionMNIST"}
DIGITS_TEST_SHARE = 0.2
DIGITS_SPLIT_SEED = 0


@dataclass(frozen=True)
class DataSplits:
    """A data set.

    Args:
        train_images: float32 (frames, 1, height, width) in [0, 1].
        train_labels: int64 (frames,) in [0, classes).
        test_images: like ``train_images``.
        test_labels: like ``train_labels``.
        classes: number of classes.
    """

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int64]
    classes: int = 10

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width of one image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width


def load_data(settings: DataSettings) -> DataSplits:
    """Read a data set.

    MNIST and Fashion-MNIST come with their own test set of 10,000 images; a pixel is its byte / 255. The digits of
    scikit-learn do not: a fifth of each class (360 images) is set apart with a fixed seed, whatever the seed of the
    experiment, so that accuracies compare; a pixel is its count / 16.

    Raises:
        DataError: no root was given, or a file under it is missing, empty or corrupt.
    """
    if settings.dataset is DatasetName.DIGITS:
        return _load_digits()
    folder = FOLDERS[settings.dataset]
    train_images, train_labels = read_split(settings.root, folder, "train")
    test_images, test_labels = read_split(settings.root, folder, "t10k")
    return DataSplits(_scale(train_images, 255), train_labels, _scale(test_images, 255), test_labels)


def _load_digits() -> DataSplits:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train_images, test_images, train_labels, test_labels = train_test_split(
        digits.images,
        digits.target.astype(np.int64),
        test_size=DIGITS_TEST_SHARE,
        stratify=digits.target,
        random_state=DIGITS_SPLIT_SEED,
    )
    return DataSplits(_scale(train_images, 16), train_labels, _scale(test_images, 16), test_labels)


def _scale(images: npt.NDArray[np.generic], white: int) -> npt.NDArray[np.float32]:
    """Turn (frames, height, width) in [0, white] into float32 (frames, 1, height, width) in [0, 1]."""
    scaled: npt.NDArray[np.float32] = images[:, None].astype(np.float32) / np.float32(white)
    return scaled
