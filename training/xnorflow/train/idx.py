"""IDX files (MNIST's format) through torchvision's readers, gzipped or not, from folders that may be read-only."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import DataError

__all__ = ["read_split"]

CLASSES = 10
PIXELS = (28, 28)


def read_split(root: Path | None, folder: str, prefix: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read one split of MNIST or of a data set in its format.

    Args:
        root: data root; its sub-folder ``<folder>/raw`` holds the files, with or without ``.gz``.
        folder: ``MNIST`` or ``FashionMNIST``.
        prefix: ``train`` or ``t10k``.

    Returns:
        Images (frames, 28, 28) and labels (frames,).

    Raises:
        DataError: no root, or a file is missing, empty, corrupt or does not fit the other.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images_path = _find(root, folder, f"{prefix}-images-idx3-ubyte")
    labels_path = _find(root, folder, f"{prefix}-labels-idx1-ubyte")
    images: npt.NDArray[np.uint8] = _read(images_path, read_image_file)
    labels: npt.NDArray[np.int64] = _read(labels_path, read_label_file)
    if images.shape[1:] != PIXELS or not len(images):
        raise DataError(f"data file {images_path}", f"images {'x'.join(map(str, images.shape))}", "Nx28x28")
    if len(labels) != len(images) or labels.max() >= CLASSES:
        raise DataError(
            f"data file {labels_path}",
            f"{len(labels)} labels up to {labels.max(initial=0)} for {len(images)} images",
            "one label below 10 for each image",
            "take both files from the same data set",
        )
    return images, labels


def _find(root: Path | None, folder: str, name: str) -> Path:
    if root is None:
        raise DataError(
            f"data set {folder}",
            "no data root given",
            f"a folder that holds {folder}/raw/{name}.gz",
            "pass --data-root, or set root in [data]",
        )
    if not root.is_dir():
        raise DataError(f"data root {root}", "no such folder", f"a folder that holds {folder}/raw", "check --data-root")
    expected = root / folder / "raw" / name
    for path in (expected, expected.with_name(f"{name}.gz")):
        if path.is_file():
            return path
    raise DataError(
        f"data root {root}",
        f"{folder}/raw/{name}.gz is missing",
        "the four IDX files of the data set, gzipped or not",
        f"put them into {expected.parent}",
    )


def _read(path: Path, reader: Callable[[str], Any]) -> Any:
    """Read one file through torchvision, by way of a temporary file where it is gzipped."""
    try:
        if path.suffix != ".gz":
            return reader(str(path)).numpy()
        with tempfile.NamedTemporaryFile(prefix="xnorflow-") as plain:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, plain)
            plain.flush()
            return reader(plain.name).numpy()
    except (OSError, EOFError, zlib.error, AssertionError, RuntimeError, ValueError, TypeError, KeyError) as reason:
        size = path.stat().st_size
        raise DataError(
            f"data file {path}",
            "empty" if size == 0 else f"corrupt or cut short at {size} bytes",
            "an IDX file, gzipped or not",
            "copy or download it again",
        ) from reason
