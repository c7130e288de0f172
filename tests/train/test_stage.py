from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import torch

from xnorflow.artifact.errors import InputModelError, OutputError, TrainError
from xnorflow.artifact.manifest import Manifest
from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.checkpoint import load_checkpoint, load_network
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.stage import train

DIGITS = DataSettings(dataset="digits")
SHORT = TrainSettings(network="TFC_1W1A", hidden=(16,), epochs=2, dropout=0.1, shift=1, accelerator="cpu")


def run(directory: Path, seed: int = 1, **changes):
    return train(DIGITS, SHORT.model_copy(update=changes), seed, directory, SilentProgress())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "train"
    settings = TrainSettings(network="TFC_1W1A", input_bits=8, epochs=20, batch_size=32, dropout=0.0, accelerator="cpu")
    return directory, train(DIGITS, settings, 1, directory, SilentProgress())


def test_digits_are_learned(trained):
    assert trained[1].accuracy_float > 0.92  # 20 epochs; chance is 0.1


def test_the_folder_tells_what_happened(trained):
    directory, summary = trained
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [("binary", epoch) for epoch in range(1, 21)]
    assert all(line["losses"] == {"cross_entropy": line["loss"]} for line in lines)
    assert lines[-1]["test_accuracy_float"] == summary.accuracy_float
    assert lines[-1]["loss"] == summary.loss < lines[0]["loss"]
    assert lines[0]["learning_rate"] > lines[-1]["learning_rate"] > 0
    config = tomllib.loads((directory / "config.toml").read_text())
    assert (config["seed"], config["data"]["dataset"], config["train"]["input_bits"]) == (1, "digits", 8)
    manifest = Manifest.load(directory)
    assert manifest.facts["accuracy_float"] == summary.accuracy_float
    assert set(manifest.files) == {"checkpoint.pt", "metrics.jsonl", "config.toml", "stages/binary.pt"}
    assert list((directory / "tensorboard").glob("events.out.tfevents.*"))


def test_the_checkpoint_gives_the_accuracy_that_was_reported(trained):
    directory, summary = trained
    splits = load_data(DIGITS)
    network = load_network(directory)
    right = compute_logits(network, torch.from_numpy(splits.test_images)).numpy().argmax(1) == splits.test_labels
    assert right.mean() == summary.accuracy_float
    assert not network.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    weights = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run(tmp_path / name, seed)
        weights.append(load_checkpoint(tmp_path / name).weights)
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not torch.equal(weights[0]["features.2.weight"], weights[2]["features.2.weight"])


def test_threads_are_those_of_the_config_and_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "xnorflow.train.sources.random_shift", lambda images, *_: seen.add(torch.get_num_threads()) or images
    )
    seen: set[int] = set()
    before = torch.get_num_threads()
    run(tmp_path / "train", threads=before + 1)
    assert seen == {before + 1}
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "scheduler": "none"},
        {"scheduler": "step", "milestones": [1]},
        {"losses": [{"kind": "squared_hinge"}, {"kind": "cross_entropy", "weight": 0.5}]},
        {"batch_size": 5000},
        {"adaptive_clip": 0.01, "clip_gradient": 1.0, "update_norms": True},
        {"flip": True, "warmup_epochs": 1},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_recipes_run(tmp_path, changes):
    settings = TrainSettings.model_validate({**SHORT.model_dump(), **changes})
    assert train(DIGITS, settings, 1, tmp_path / "train", SilentProgress()).epochs == 2


def test_a_loss_that_is_not_finite_ends_training_and_keeps_the_epochs_before(tmp_path, monkeypatch):
    calls = 0

    def broken(term, view):
        nonlocal calls
        calls += 1
        return view.logits.sum() * (float("nan") if calls == 14 else 1.0)

    monkeypatch.setattr("xnorflow.train.distill.labels.CrossEntropyTerm.forward", broken)
    message = (
        r"^stage binary, training step 14: the loss is nan at learning rate 0\.00\d+ \(last finite epoch: epoch 1: "
        r"loss .*, test accuracy .*\); allowed: a finite loss; lower learning_rate$"
    )
    with pytest.raises(TrainError, match=message):
        run(tmp_path / "train")
    assert [path.name for path in tmp_path.iterdir()] == ["train.partial"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the accelerator")
def test_an_absent_accelerator_is_refused(tmp_path):
    with pytest.raises(
        TrainError, match="accelerator cuda, devices 1: not found on this machine; allowed: auto, cpu; set"
    ):
        run(tmp_path / "train", accelerator=TrainSettings(network="TFC_1W1A", accelerator="cuda").accelerator)


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"output folder .*file/train"):
        run(tmp_path / "file" / "train")


def test_an_absent_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainError, match=r"checkpoint .*checkpoint.pt: no such file; allowed: .*; train first"):
        load_network(tmp_path)


def test_damaged_and_foreign_checkpoints_are_refused(tmp_path, trained):
    good = (trained[0] / "checkpoint.pt").read_bytes()
    path = tmp_path / "checkpoint.pt"
    content = torch.load(trained[0] / "checkpoint.pt", weights_only=True)
    for damage in ("cut", "junk", "empty", "other weights", "other format", "no dict"):
        match damage:
            case "cut":
                path.write_bytes(good[: len(good) // 2])
            case "junk":
                path.write_bytes(b"junk")
            case "empty":
                path.write_bytes(b"")
            case "other weights":
                torch.save({**content, "weights": {}}, path)
            case "other format":
                torch.save({**content, "format": 99}, path)
            case "no dict":
                torch.save([1, 2], path)
        with pytest.raises(TrainError, match=r"corrupt, or not a checkpoint of this version .*; train again"):
            load_checkpoint(tmp_path)


def test_a_changed_file_is_found_by_its_hash(tmp_path):
    run(tmp_path / "train")
    with (tmp_path / "train" / "metrics.jsonl").open("a") as stream:
        stream.write("{}\n")
    with pytest.raises(InputModelError, match=r"metrics.jsonl: its SHA-256 differs"):
        Manifest.load(tmp_path / "train")
