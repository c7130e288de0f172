from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.golden import GoldenVectors


def make(frames=5, logits=None):
    generator = np.random.default_rng(0)
    return GoldenVectors(
        generator.random((frames, 1, 8, 8), np.float32),
        generator.random((frames if logits is None else logits, 10), np.float32),
        np.arange(frames),
    )


def test_it_reads_back_as_it_was_written(tmp_path):
    golden = make()
    golden.save(tmp_path / "golden.npz")
    found = GoldenVectors.load(tmp_path / "golden.npz")
    for name in ("inputs", "logits", "labels"):
        assert np.array_equal(getattr(found, name), getattr(golden, name))
        assert getattr(found, name).dtype == getattr(golden, name).dtype


def test_files_that_hold_something_else_are_refused(tmp_path):
    path = tmp_path / "golden.npz"
    make().save(tmp_path / "good.npz")
    good = (tmp_path / "good.npz").read_bytes()
    np.savez(tmp_path / "other.npz", inputs=np.zeros(3))
    contents = [None, b"", b"junk", good[: len(good) // 2], (tmp_path / "other.npz").read_bytes()]
    for content in contents:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(
            InputModelError, match=r"golden vectors .*golden\.npz: missing or unreadable; allowed: an \.npz"
        ):
            GoldenVectors.load(path)


def test_arrays_of_different_length_are_refused(tmp_path):
    make(5, logits=4).save(tmp_path / "golden.npz")
    with pytest.raises(InputModelError, match="5 inputs but 4 logits; allowed: as many of each"):
        GoldenVectors.load(tmp_path / "golden.npz")
