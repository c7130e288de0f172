from __future__ import annotations

import torch

from xnorflow.train.augment import random_flip
from xnorflow.train.sources import MemoryImages, Share, as_images


def images(frames=20, **options):
    pixels = torch.arange(frames * 3 * 4 * 4).reshape(frames, 3, 4, 4).remainder(256).to(torch.uint8)
    return MemoryImages(pixels, torch.arange(frames), 255, **options)


WHOLE = Share()


def epoch(source, size, seed=0, share=WHOLE):
    return list(source.epoch(size, torch.Generator().manual_seed(seed), share))


def test_an_epoch_shows_every_image_once_and_drops_what_fills_no_batch():
    labels = torch.cat([labels for _, labels in epoch(images(), 6)])
    assert len(labels) == 18 == len(set(labels.tolist()))


def test_images_are_bytes_over_white():
    batch, labels = epoch(images(), 20)[0]
    assert torch.equal(batch, images().pixels[labels].float() / 255)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert as_images(torch.tensor([[[[16]]]], dtype=torch.uint8), 16).item() == 1


def test_processes_share_each_batch():
    whole = [labels.tolist() for _, labels in epoch(images(), 6)]
    parts = [[labels.tolist() for _, labels in epoch(images(), 6, share=Share(rank, 2))] for rank in (0, 1)]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert (batch[0::2], batch[1::2]) == (first, second)


def test_the_generator_alone_says_how_an_epoch_goes():
    source = images(shift=1, flip=True)
    first, again, other = (epoch(source, 5, seed)[2][0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_test_shows_all_images_in_order_and_unchanged():
    source = images(2500, shift=1, flip=True)
    batches = list(source.test())
    assert torch.equal(torch.cat([labels for _, labels in batches]), source.labels)
    assert torch.equal(torch.cat([batch for batch, _ in batches]), source.pixels.float() / 255)


def test_about_half_of_the_images_are_mirrored():
    pixels = torch.tensor([0, 1]).repeat(2000, 1, 1, 1)
    flipped = random_flip(pixels, torch.Generator().manual_seed(0))
    mirrored = (flipped[:, 0, 0, 0] == 1).sum().item()
    assert set(map(tuple, flipped[:, 0, 0].tolist())) == {(0, 1), (1, 0)}
    assert abs(mirrored - 1000) < 5 * 22.4  # five standard deviations
