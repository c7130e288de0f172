from __future__ import annotations

import pytest
import torch

from xnorflow.train.augment import random_distortion, random_flip, random_shift


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


@pytest.mark.parametrize("pixels", [0.5, 1.0])
def test_distortion_moves_pixels_by_the_distance_asked_for_and_neighbors_alike(pixels: float):
    columns = torch.arange(32.0).expand(400, 1, 32, 32)
    inside = (slice(None), 0, slice(12, 20), slice(12, 20))  # nothing comes in from the border, the window is whole
    moves = (random_distortion(columns, pixels, torch.Generator().manual_seed(0)) - columns)[inside]
    assert moves.pow(2).mean().sqrt().item() == pytest.approx(pixels, rel=0.05)
    assert abs(moves.mean().item()) < 0.1 * pixels
    steps = moves.diff(dim=2).pow(2).mean().sqrt().item()
    assert steps == pytest.approx(pixels / 4 / 2**0.5, rel=0.05)  # slope of noise behind a window of 4 pixels


def test_distortion_keeps_type_shape_and_range_and_is_seeded():
    images = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    bent = random_distortion(images, 1.0, torch.Generator().manual_seed(2))
    assert bent.shape == images.shape and bent.dtype == torch.uint8
    assert not torch.equal(bent, images)
    assert torch.equal(bent, random_distortion(images, 1.0, torch.Generator().manual_seed(2)))
    assert not torch.equal(bent, random_distortion(images, 1.0, torch.Generator().manual_seed(3)))
    assert random_distortion(images, 0.0, torch.Generator()) is images
    assert torch.equal(random_distortion(torch.zeros_like(images), 2.0, torch.Generator()), torch.zeros_like(images))
