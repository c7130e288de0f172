"""CIFAR-10 from the files its authors publish: the binary version, or the Python version through torchvision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import DataError

__all__ = ["read_batches"]

BINARY = "cifar-10-batches-bin"
PYTHON = "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{index}.bin" for index in range(1, 6))
TEST_FILE = "test_batch.bin"
IMAGE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # label, then red, green and blue, row by row
CLASSES = 10

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


def read_batches(root: Path | None) -> tuple[Images, Labels, Images, Labels]:
    """Read the training and the test set.

    Args:
        root: folder that holds ``cifar-10-batches-bin`` or ``cifar-10-batches-py``; the first is preferred.

    Returns:
        Training images (50000, 3, 32, 32) and labels, test images (10000, 3, 32, 32) and labels, in the files' order.

    Raises:
        DataError: no root, or a file is missing, empty or corrupt.
    """
    folder = _find(root)
    if folder.name == PYTHON:
        return (*_read_python(folder, train=True), *_read_python(folder, train=False))
    parts = [_read_binary(folder / name) for name in TRAIN_FILES]
    images, labels = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    return (images, labels, *_read_binary(folder / TEST_FILE))


def _find(root: Path | None) -> Path:
    allowed = f"a folder that holds {BINARY} or {PYTHON}"
    if root is None:
        raise DataError("data set cifar10", "no data root given", allowed, "pass --data-root, or set root in [data]")
    for name in (BINARY, PYTHON):
        if (root / name).is_dir():
            return root / name
    found = f"holds no {BINARY}" if root.is_dir() else "no such folder"
    raise DataError(f"data root {root}", found, allowed, "check --data-root")


def _read_binary(path: Path) -> tuple[Images, Labels]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as reason:
        raise DataError(
            f"data file {path}", reason.strerror or str(reason), f"the six files of {BINARY}", "copy it there"
        ) from reason
    if not len(content) or len(content) % RECORD:
        found = f"{len(content)} bytes" if len(content) else "empty"
        raise DataError(f"data file {path}", found, f"records of {RECORD} bytes", "copy or download it again")
    records = content.reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise DataError(f"data file {path}", f"label {labels.max()}", f"below {CLASSES}", "copy or download it again")
    return records[:, 1:].reshape(-1, *IMAGE).copy(), labels


def _read_python(folder: Path, *, train: bool) -> tuple[Images, Labels]:
    from torchvision.datasets import CIFAR10

    try:
        data = CIFAR10(str(folder.parent), train=train, download=False)  # checks the MD5 of each file
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as reason:
        raise DataError(
            f"data folder {folder}", "a file is missing or corrupt", f"the files of {PYTHON}", "download it again"
        ) from reason
    return np.ascontiguousarray(data.data.transpose(0, 3, 1, 2)), np.asarray(data.targets, np.int64)
