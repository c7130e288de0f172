from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import DataError
from xnorflow.train.config import DataSettings
from xnorflow.train.data import load_data

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root in MNIST's layout with 20 training and 10 test images, gzipped."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for prefix, count in (("train", 20), ("t10k", 10)):
        for name, array in (
            ("images-idx3", generator.integers(0, 256, (count, 28, 28))),
            ("labels-idx1", np.arange(count) % 10),
        ):
            (raw / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return tmp_path


def load(root: Path | None):
    return load_data(DataSettings(dataset="mnist", root=root))


def test_digits_are_split_the_same_way_every_time_and_by_class():
    first, second = (load_data(DataSettings(dataset="digits")) for _ in range(2))
    assert first.train_images.shape == (1437, 1, 8, 8)
    assert first.test_images.shape == (360, 1, 8, 8)
    assert first.image_shape == (1, 8, 8)
    assert first.train_images.dtype == np.float32
    assert first.train_labels.dtype == first.test_labels.dtype == np.int64
    assert (first.train_images.min(), first.train_images.max()) == (0, 1)
    assert set(np.unique(first.train_images * 16)) == set(range(17))
    assert (np.bincount(first.test_labels) >= 34).all()
    assert np.array_equal(first.test_images, second.test_images)
    train = {image.tobytes() for image in first.train_images}
    assert not any(image.tobytes() in train for image in first.test_images)


def test_gzipped_and_plain_files_give_the_same_and_the_root_is_left_alone(root):
    before = sorted(root.rglob("*"))
    packed = load(root)
    assert sorted(root.rglob("*")) == before
    assert packed.train_images.shape == (20, 1, 28, 28)
    assert packed.test_labels.tolist() == list(range(10))
    for path in (root / "MNIST" / "raw").glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    plain = load(root)
    assert np.array_equal(packed.train_images, plain.train_images)
    assert np.array_equal(packed.test_images, plain.test_images)


def test_a_pixel_is_its_byte_over_255(root):
    path = root / "MNIST" / "raw" / f"{IMAGES}.gz"
    array = np.tile(np.arange(196, dtype=np.uint8).repeat(4).reshape(1, 28, 28), (20, 1, 1))
    path.write_bytes(gzip.compress(idx_bytes(array)))
    assert np.array_equal(
        load(root).train_images[0, 0].ravel()[::4], np.arange(196, dtype=np.float32) / np.float32(255)
    )


def test_no_root_is_refused():
    with pytest.raises(DataError, match=r"MNIST: no data root given; allowed: .*MNIST/raw/.*; pass --data-root"):
        load(None)


def test_an_absent_root_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"data root .*nowhere: no such folder; .*MNIST/raw"):
        load(tmp_path / "nowhere")


def test_an_absent_file_is_named_with_the_place_it_belongs(root):
    (root / "MNIST" / "raw" / f"{LABELS}.gz").unlink()
    with pytest.raises(DataError, match=rf"MNIST/raw/{LABELS}.gz is missing; .*; put them into .*MNIST/raw$"):
        load(root)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda packed: b"", "empty"),
        (lambda packed: packed[: len(packed) // 2], "corrupt or cut short at"),
        (lambda packed: packed[:40] + bytes(60) + packed[100:], "corrupt or cut short at"),
        (lambda packed: b"not gzip at all", "corrupt or cut short at 15 bytes"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "corrupt or cut short at"),
        (lambda packed: gzip.compress(b""), "corrupt or cut short at"),
        (lambda packed: gzip.compress(bytes(16)), "corrupt or cut short at"),
    ],
)
def test_a_damaged_file_is_named(root, damage, found):
    path = root / "MNIST" / "raw" / f"{IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"^data file {re.escape(str(path))}: {found}.*; copy or download it again$"):
        load(root)


def test_images_of_another_size_are_refused(root):
    (root / "MNIST" / "raw" / f"{IMAGES}.gz").write_bytes(gzip.compress(idx_bytes(np.zeros((20, 32, 32)))))
    with pytest.raises(DataError, match=r"images 20x32x32; allowed: Nx28x28"):
        load(root)


@pytest.mark.parametrize(
    ("labels", "found"), [(np.zeros(19), "19 labels up to 0"), (np.full(20, 10), "20 labels up to 10")]
)
def test_labels_that_do_not_fit_are_refused(root, labels, found):
    (root / "MNIST" / "raw" / f"{LABELS}.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    with pytest.raises(DataError, match=rf"{found} for 20 images; allowed: one label below 10 for each image"):
        load(root)


@pytest.mark.data
def test_mnist_itself(data_root):
    splits = load(data_root)
    assert splits.train_images.shape == (60000, 1, 28, 28)
    assert splits.test_images.shape == (10000, 1, 28, 28)
    assert np.bincount(splits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(splits.train_images.mean()), 4) == 0.1307  # the value everybody normalizes with
