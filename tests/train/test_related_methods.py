"""Codebooks, fractional activations, thermometer input and RBONN together, through the whole train stage."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from xnorflow.artifact.progress import SilentProgress
from xnorflow.train import sources
from xnorflow.train.binarize.codebook import PERIOD, kernel_numbers
from xnorflow.train.binarize.fractional import FractionalConv2d
from xnorflow.train.checkpoint import load_checkpoint, read_checkpoint
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.stage import train

BATCH, EPOCHS, FRAMES = 40, 10, 160
STEPS = FRAMES // BATCH
RECIPE = {
    "network": "CNV_1W1A", "width": 0.125, "activation": "fractional", "input_encoding": "thermometer", "epochs": 1,
    "batch_size": BATCH, "accelerator": "cpu", "shift": 1, "learning_rate": 0.02,
    "stages": [
        {"name": "real_weights", "form": "binary_activations", "learning_rate": 0.003},
        {
            "name": "binary", "init": "real_weights", "epochs": EPOCHS, "kernel_bits": 4,
            "weight_scale": "rectified_channel",
            "losses": [{"kind": "cross_entropy"}, {"kind": "rbonn"}, {"kind": "precision_gating"}],
        },
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The digits, four times as large and gray, in the files of CIFAR-10."""
    bunch = load_digits()
    pixels = np.repeat(np.repeat(bunch.images * 255 // 16, 4, 1), 4, 2).astype(np.uint8).reshape(-1, 1024)
    records = np.concatenate([bunch.target[:, None].astype(np.uint8), np.tile(pixels, 3)], 1)
    folder = tmp_path_factory.mktemp("digits") / "cifar-10-batches-bin"
    folder.mkdir()
    for index in range(5):
        (folder / f"data_batch_{index + 1}.bin").write_bytes(records[32 * index : 32 * (index + 1)].tobytes())
    (folder / "test_batch.bin").write_bytes(records[FRAMES : FRAMES + 80].tobytes())
    return folder.parent


def run(root, folder):
    data = DataSettings(dataset="cifar10", root=root)
    train(data, TrainSettings.model_validate(RECIPE), 3, folder / "train", SilentProgress())
    return folder / "train"


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    return run(root, tmp_path_factory.mktemp("whole"))


def test_every_loss_and_the_share_of_lower_bits_are_in_the_metrics(whole):
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert list(lines[0]["losses"]) == ["cross_entropy"]
    assert list(lines[-1]["losses"]) == ["cross_entropy", "rbonn", "precision_gating", "precision_gating.lower_bits"]
    terms = [value for kind, value in lines[-1]["losses"].items() if kind != "precision_gating.lower_bits"]
    assert sum(terms) == pytest.approx(lines[-1]["loss"], rel=1e-5)
    assert all(0 < line["losses"]["precision_gating.lower_bits"] < 1 for line in lines[1:])
    assert lines[-1]["losses"]["cross_entropy"] < 0.5 * lines[1]["losses"]["cross_entropy"]
    assert lines[-1]["losses"]["rbonn"] < lines[1]["losses"]["rbonn"]


def test_the_deployed_network_is_the_trained_one_without_codebooks(whole):
    shipped, last = load_checkpoint(whole), read_checkpoint(whole / "stages" / "binary.pt")
    images = torch.randint(0, 256, (40, 3, 32, 32), generator=torch.Generator().manual_seed(0)) / 255
    with torch.no_grad():
        assert torch.equal(shipped.network()(images), last.network()(images))
    assert shipped.settings.kernel_bits is None and last.settings.kernel_bits == 4
    assert (shipped.settings.activation, shipped.settings.input_encoding) == ("fractional", "thermometer")
    assert not [key for key in shipped.weights if "scaling" in key or "codebook" in key]
    layers = [layer for layer in shipped.network().modules() if isinstance(layer, FractionalConv2d)]
    for layer in layers:
        assert set(layer.weight.unique().tolist()) == {-1, 1}
        assert len(kernel_numbers(layer.weight.reshape(-1, 9)).unique()) <= 16
    assert len(layers) == 5


def test_codewords_have_learned(whole):
    weights = read_checkpoint(whole / "stages" / "binary.pt").weights
    books = {key: value for key, value in weights.items() if key.endswith("codebook.latent")}
    assert len(books) == 5
    assert EPOCHS * STEPS > PERIOD
    assert all((book.abs() != 1).any() for book in books.values())


def test_interrupted_it_goes_on_bit_for_bit(root, whole, tmp_path, monkeypatch):
    """In the middle of the eighth epoch, after codewords have learned once."""
    assert 7.5 * STEPS > PERIOD
    seen, shift = [], sources.random_shift

    def stop(*arguments):
        seen.append(None)
        if len(seen) == int(8.5 * STEPS):
            raise KeyboardInterrupt
        return shift(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sources, "random_shift", stop)
        run(root, tmp_path)
    run(root, tmp_path)
    for name in ("checkpoint.pt", "stages/binary.pt"):
        one, other = (read_checkpoint(folder / name).weights for folder in (tmp_path / "train", whole))
        assert one.keys() == other.keys()
        assert all(torch.equal(tensor, other[key]) for key, tensor in one.items())
