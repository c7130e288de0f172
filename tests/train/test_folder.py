from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from xnorflow.artifact.errors import DataError
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.folder import FolderImages
from xnorflow.train.image_sets import open_images
from xnorflow.train.sources import Share

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An ImageNet of two classes: dark and bright images of several sizes."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 3)):
        for label, (name, level) in enumerate((("n01", 40), ("n02", 200))):
            folder = root / "imagenet" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(level - 20, level + 20, (260 + 10 * index, 300, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{label}{index}.png")
    return root


def open_set(root, **settings):
    return open_images(DataSettings(dataset="imagenet", root=root, **settings), TrainSettings(network="CNV_1W1A"), CPU)


def test_images_are_read_cropped_and_labeled(root):
    sets = open_set(root, workers=0)
    assert (sets.image_shape, sets.classes, sets.train.frames, sets.test.frames) == ((3, 224, 224), 2, 12, 6)
    images, labels = next(iter(sets.test.test()))
    assert images.shape == (6, 3, 224, 224)
    assert (images.dtype, labels.tolist()) == (torch.float32, [0, 0, 0, 1, 1, 1])
    assert torch.equal(images.mean((1, 2, 3)) > 0.5, labels.bool())


@pytest.mark.parametrize("workers", [0, 2])
def test_the_generator_alone_says_how_an_epoch_goes(root, workers):
    train = FolderImages(root / "imagenet" / "train", 32, training=True, workers=workers, device=CPU)

    def epoch(seed):
        torch.manual_seed(0)
        return list(train.epoch(4, torch.Generator().manual_seed(seed), Share()))

    first, again, other = epoch(1), epoch(1), epoch(2)
    assert [len(labels) for _, labels in first] == [4, 4, 4]
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one[0], two[0])
        assert torch.equal(one[1], two[1])
    assert not torch.equal(first[0][0], other[0][0])


def test_an_absent_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"data folder .*/imagenet/train: no such folder; allowed: one folder a class"):
        open_set(tmp_path)
    (tmp_path / "imagenet" / "train" / "n01").mkdir(parents=True)
    with pytest.raises(DataError, match=r"data folder .*/imagenet/train: no class with images in it; allowed"):
        open_set(tmp_path)


def test_other_classes_in_the_test_are_refused(root, tmp_path):
    (tmp_path / "imagenet").mkdir()
    (tmp_path / "imagenet" / "train").symlink_to(root / "imagenet" / "train")
    (tmp_path / "imagenet" / "val").mkdir()
    (tmp_path / "imagenet" / "val" / "n01").symlink_to(root / "imagenet" / "val" / "n01")
    with pytest.raises(
        DataError, match=r"data folder .*/val: 1 classes; allowed: the 2 of .*/train; sort the validation"
    ):
        open_set(tmp_path)


def test_no_root_and_holding_out_are_refused(root):
    with pytest.raises(DataError, match=r"data set imagenet: no data root given; allowed: a folder"):
        open_set(None)
    with pytest.raises(DataError, match=r"data set imagenet: hold_out = 5; allowed: .* hold_out = 0"):
        open_set(root, hold_out=5)


def test_it_is_not_for_the_stages_that_hold_all_images_in_memory(root):
    with pytest.raises(DataError, match=r"data set imagenet: too large to be held in memory; .* `xnorflow train` only"):
        load_data(DataSettings(dataset="imagenet", root=root))
