from __future__ import annotations

import torch

from xnorflow.train.augment import random_flip, random_shift


def test_shift_moves_every_image_by_its_own_step_and_nothing_else():
    images = torch.zeros(64, 1, 9, 9, dtype=torch.uint8)
    images[:, 0, 4, 4] = 1
    moved = random_shift(images, 2, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape and moved.dtype == images.dtype
    places = moved[:, 0].flatten(1).argmax(1)
    rows, columns = places // 9, places % 9
    assert moved.sum((1, 2, 3)).tolist() == [1.0] * 64
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}
    assert random_shift(images, 0, torch.Generator()) is images


def test_flip_mirrors_about_half_of_the_images_and_leaves_the_others():
    images = torch.arange(200 * 2 * 3 * 5).reshape(200, 2, 3, 5)
    flipped = random_flip(images, torch.Generator().manual_seed(0))
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    untouched = (flipped == images).flatten(1).all(1)
    assert torch.equal(mirrored, ~untouched)
    assert 80 < int(mirrored.sum()) < 120
