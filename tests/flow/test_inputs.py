"""What ``xnorflow build`` compares on: a file, a data set, or seeded noise."""

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError, DataError
from xnorflow.flow.inputs import RANDOM_FRAMES, choose_inputs


def choose(path=None, dataset=None, frames=None, seed=1):
    return choose_inputs(path, dataset, None, frames, seed)


def test_noise_is_seeded_and_within_range():
    images = choose().shaped((2, 3))
    assert images.shape == (RANDOM_FRAMES, 2, 3) and images.dtype == np.float32
    assert 0 <= images.min() < 0.01 and 0.99 < images.max() < 1
    assert np.array_equal(images, choose().shaped((2, 3)))
    assert not np.array_equal(images, choose(seed=2).shaped((2, 3)))
    assert choose().identity != choose(seed=2).identity


def test_a_test_set_has_labels_and_can_be_cut():
    source = choose(dataset="digits", frames=20)
    assert source.shaped((64,)).shape == (20, 64) and source.frames == 20
    assert len(source.labels) == 360 and source.name == "digits test set"


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_file_is_shaped_like_the_model(tmp_path, kind):
    values = np.arange(24, dtype=np.uint8).reshape(4, 6)
    path = tmp_path / f"given.{kind}"
    if kind == "npy":
        np.save(path, values)
    else:
        np.savez(path, inputs=values, labels=np.arange(4))
    source = choose(path, frames=3)
    assert source.shaped((1, 2, 3)).tolist() == values[:3].reshape(3, 1, 2, 3).tolist()
    assert len(source.labels) == (0 if kind == "npy" else 4)
    with pytest.raises(DataError, match=r"6 elements a frame \(shape 6\); allowed: 7 \(7\), as the model's input"):
        source.shaped((7,))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 3), np.nan), "NaN or infinite values; allowed: finite numbers"),
        (np.zeros(5), r"float64 of shape \(5,\); allowed: numbers of shape \(frames, \.\.\.\)"),
        (np.zeros((0, 5)), r"of shape \(0, 5\)"),
        (np.asarray([["a"]]), "allowed: numbers of shape"),
    ],
)
def test_values_that_are_no_frames_are_refused(tmp_path, values, message):
    np.save(tmp_path / "bad.npy", values)
    with pytest.raises(DataError, match=message):
        choose(tmp_path / "bad.npy")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.npy: no such file; allowed: \.npy of float inputs"):
        choose(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("text", encoding="utf-8")
    with pytest.raises(DataError, match=r"text\.npy: unreadable"):
        choose(tmp_path / "text.npy")
    np.savez(tmp_path / "other.npz", x=np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"other\.npz: unreadable; allowed: .* `inputs`"):
        choose(tmp_path / "other.npz")


def test_one_source_only(tmp_path):
    with pytest.raises(ConfigError, match="options --inputs and --dataset: both given; allowed: one of them"):
        choose(tmp_path / "a.npy", "mnist")
