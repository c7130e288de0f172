from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import DataError
from xnorflow.train.config import DataSettings
from xnorflow.train.data import load_data

RECORD = 3073


@pytest.fixture
def root(tmp_path):
    """Five training batches of 4 records and a test batch of 6."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, count in [*((f"data_batch_{index}.bin", 4) for index in range(1, 6)), ("test_batch.bin", 6)]:
        records = rng.integers(0, 256, (count, RECORD), np.uint8)
        records[:, 0] %= 10
        (folder / name).write_bytes(records.tobytes())
    return tmp_path


def load(root, **settings):
    return load_data(DataSettings(dataset="cifar10", root=root, **settings))


def test_records_become_images_and_labels_in_the_files_order(root):
    splits = load(root)
    assert (splits.train_pixels.shape, splits.test_pixels.shape) == ((20, 3, 32, 32), (6, 3, 32, 32))
    assert splits.image_shape == (3, 32, 32)
    second = np.frombuffer((root / "cifar-10-batches-bin" / "data_batch_2.bin").read_bytes(), np.uint8)
    assert splits.train_labels[4] == second[0]
    assert np.array_equal(splits.train_pixels[4].ravel(), second[1:RECORD])
    assert splits.train_images.dtype == np.float32
    assert np.array_equal(splits.train_images, splits.train_pixels.astype(np.float32) / np.float32(255))


def test_held_out_images_leave_the_training_set(root):
    whole, held = load(root), load(root, hold_out=8)
    assert (len(held.train_labels), len(held.test_labels), held.held_out) == (12, 8, True)
    assert np.array_equal(held.test_pixels, whole.train_pixels[12:])
    assert np.array_equal(held.train_pixels, whole.train_pixels[:12])
    assert not whole.held_out


def test_holding_all_images_out_is_refused(root):
    with pytest.raises(
        DataError, match=r"data set cifar10, hold_out: 19 of 20 training images; allowed: at most 18; hold"
    ):
        load(root, hold_out=19)


def test_no_root_is_refused():
    with pytest.raises(
        DataError, match="data set cifar10: no data root given; allowed: a folder that holds cifar-10-b"
    ):
        load(None)


def test_a_root_without_the_files_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"data root .*: holds no cifar-10-batches-bin; allowed: .*; check --data-root"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"data root .*/absent: no such folder; allowed"):
        load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty; allowed: records of 3073 bytes; copy or download it again"),
        (b"\0" * 5000, "5000 bytes; allowed: records of 3073 bytes"),
        (b"\x0a" + b"\0" * 3072, "label 10; allowed: below 10"),
        (None, "No such file or directory; allowed: the six files of cifar-10-batches-bin; copy it there"),
    ],
    ids=["empty", "cut", "label", "missing"],
)
def test_damaged_files_are_refused(root, content, message):
    path = root / "cifar-10-batches-bin" / "data_batch_3.bin"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=rf"data file .*data_batch_3.bin: {message}"):
        load(root)


def test_the_python_version_goes_through_torchvision(tmp_path, monkeypatch):
    import torchvision.datasets

    class Stand:
        def __init__(self, root, train, download):
            assert (Path(root), download) == (tmp_path, False)
            self.data = np.full((5 if train else 2, 32, 32, 3), 7, np.uint8)
            self.data[0, 1, 2, 0] = 200
            self.targets = list(range(len(self.data)))

    (tmp_path / "cifar-10-batches-py").mkdir()
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Stand)
    splits = load(tmp_path)
    assert splits.train_pixels.shape == (5, 3, 32, 32)
    assert splits.train_pixels[0, 0, 1, 2] == 200
    assert splits.test_labels.tolist() == [0, 1]


def test_a_damaged_python_version_is_refused(tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(DataError, match=r"data folder .*cifar-10-batches-py: a file is missing or corrupt"):
        load(tmp_path)


@pytest.mark.skipif(
    not (Path(os.environ.get("XNORFLOW_DATA_ROOT", "/absent")) / "cifar-10-batches-bin").is_dir(),
    reason="XNORFLOW_DATA_ROOT names no folder with cifar-10-batches-bin",
)
def test_the_real_files_have_their_known_mean():
    splits = load(Path(os.environ["XNORFLOW_DATA_ROOT"]))
    assert splits.train_pixels.shape == (50000, 3, 32, 32)
    mean = splits.train_pixels.mean((0, 2, 3)) / 255
    assert np.round(mean, 4).tolist() == [0.4914, 0.4822, 0.4465]  # the values everybody normalizes with
    assert np.bincount(splits.train_labels).tolist() == [5000] * 10
