from __future__ import annotations

import json

import pytest
import torch

from xnorflow.artifact.errors import TrainError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.binarize.form import Form
from xnorflow.train.checkpoint import load_checkpoint, read_checkpoint
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.stage import train

DIGITS = DataSettings(dataset="digits")
COMMON = {
    "network": "TFC_1W1A",
    "hidden": (16, 16),
    "epochs": 2,
    "batch_size": 64,
    "dropout": 0.0,
    "accelerator": "cpu",
}


def run(directory, *stages, **common):
    settings = TrainSettings.model_validate({**COMMON, **common, "stages": list(stages)})
    return train(DIGITS, settings, 1, directory / "train", SilentProgress())


@pytest.fixture(scope="module")
def progressive(tmp_path_factory):
    """The four forms after one another, each with the one before as teacher."""
    directory = tmp_path_factory.mktemp("progressive")
    losses = [{"kind": "cross_entropy"}, {"kind": "attention", "weight": 3.0}, {"kind": "distillation", "weight": 0.8}]
    run(
        directory,
        {"name": "teacher", "form": "float", "learning_rate": 0.005},
        {"name": "tanh", "form": "tanh", "teacher": "teacher", "losses": losses},
        {"name": "signs", "form": "binary_activations", "init": "tanh", "teacher": "tanh", "losses": losses},
        {"name": "binary", "init": "signs", "teacher": "signs", "losses": losses, "epochs": 3},
    )
    return directory / "train"


def test_every_stage_leaves_its_network_and_its_metrics(progressive):
    lines = [json.loads(line) for line in (progressive / "metrics.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [
        ("teacher", 1), ("teacher", 2), ("tanh", 1), ("tanh", 2), ("signs", 1), ("signs", 2),
        ("binary", 1), ("binary", 2), ("binary", 3),
    ]  # fmt: skip
    assert list(lines[0]["losses"]) == ["cross_entropy"]
    assert list(lines[-1]["losses"]) == ["cross_entropy", "attention", "distillation"]
    assert sum(lines[-1]["losses"].values()) == pytest.approx(lines[-1]["loss"], rel=1e-5)
    forms = {path.stem: read_checkpoint(path).form for path in (progressive / "stages").glob("*.pt")}
    assert forms == {"teacher": Form.FLOAT, "tanh": Form.TANH, "signs": Form.BINARY_ACTIVATIONS, "binary": Form.BINARY}


def test_the_deployed_network_is_the_last_stages(progressive):
    shipped, last = load_checkpoint(progressive), read_checkpoint(progressive / "stages" / "binary.pt")
    images = torch.rand(50, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(shipped.network()(images), last.network()(images))
    assert (shipped.stage, shipped.epoch) == ("binary", 3)


def test_a_stage_begins_with_the_weights_it_names(tmp_path):
    """With a learning rate that moves nothing, what comes out is what went in."""
    tiny = {"learning_rate": 1e-30, "epochs": 1}
    run(tmp_path, {"name": "a", "form": "float"}, {"name": "b", "form": "binary", "init": "a", **tiny})
    first, second = (read_checkpoint(tmp_path / "train" / "stages" / f"{name}.pt").weights for name in "ab")
    assert torch.equal(first["features.2.weight"].clamp(-1, 1), second["features.2.weight"])
    assert torch.equal(first["features.3.weight"], second["features.3.weight"])


def test_a_teacher_may_be_a_file_and_another_network(tmp_path):
    run(tmp_path / "big", {"name": "teacher", "form": "float", "hidden": (64,)}, {"name": "binary", "epochs": 1})
    file = str(tmp_path / "big" / "train" / "stages" / "teacher.pt")
    summary = run(tmp_path / "small", {"name": "binary", "teacher": file, "losses": [{"kind": "distillation"}]})
    assert summary.epochs == 2


def test_the_freeze_and_update_step_moves_nothing_but_norms(tmp_path, monkeypatch):
    from xnorflow.train import loop

    seen = []
    original = loop._tend_gradients

    def watch(fabric, trainee, optimizer, stage, *, norms_only):
        original(fabric, trainee, optimizer, stage, norms_only=norms_only)
        moving = {name for name, weight in trainee.student.named_parameters() if weight.grad is not None}
        seen.append((norms_only, moving))

    monkeypatch.setattr(loop, "_tend_gradients", watch)
    run(tmp_path, {"name": "binary", "epochs": 1, "update_norms": True})
    steps = len(seen) // 2
    norms = {f"features.{index}.{kind}" for index in (3, 7) for kind in ("weight", "bias")}
    weights = {f"features.{index}.weight" for index in (2, 6, 10)}
    assert steps == 1437 // 64
    assert seen[:steps] == [(False, norms | weights)] * steps
    assert seen[steps:] == [(True, norms)] * steps


@pytest.mark.parametrize("kind", ["distillation", "distributional", "attention", "block_distillation", "adversarial"])
def test_a_loss_that_needs_a_teacher_says_so(tmp_path, kind):
    with pytest.raises(TrainError) as caught:
        run(tmp_path, {"name": "binary", "losses": [{"kind": kind}]})
    assert str(caught.value) == (
        f"stage binary, loss {kind}: the stage has no teacher; allowed: teacher = an earlier stage, or a checkpoint "
        "file; name one, or leave the loss out"
    )


def test_features_of_other_shapes_name_both_layers(tmp_path):
    teacher = {"name": "teacher", "form": "float", "hidden": (32, 16), "epochs": 1}
    with pytest.raises(TrainError, match=r"student.*features\.3.*16.*teacher.*features\.3.*32"):
        run(tmp_path, teacher, {"name": "binary", "teacher": "teacher", "losses": [{"kind": "attention"}]})


def test_weights_of_another_network_are_refused(tmp_path):
    first = {"name": "a", "form": "float", "hidden": (32, 16), "epochs": 1}
    with pytest.raises(TrainError) as caught:
        run(tmp_path, first, {"name": "b", "init": "a"})
    assert str(caught.value) == (
        "stage b, init a: tensor features.2.weight: (32, 64) there, (16, 64) here; allowed: a checkpoint of the same "
        "network and width; give both stages the same network"
    )
    first["hidden"] = (16,)
    with pytest.raises(TrainError, match=r"stage b, init a: tensor features\..*; allowed: a checkpoint of the same"):
        run(tmp_path, first, {"name": "b", "init": "a"})


def test_an_absent_checkpoint_is_found_before_anything_is_trained(tmp_path):
    stages = ({"name": "a", "form": "float"}, {"name": "b", "teacher": str(tmp_path / "absent.pt")})
    with pytest.raises(TrainError, match=r"checkpoint .*absent.pt: no such file; allowed: .*; train first"):
        run(tmp_path, *stages)
    assert not list((tmp_path / "train.partial").glob("*.pt"))


def test_a_checkpoint_of_other_data_is_refused(tmp_path, monkeypatch):
    run(tmp_path / "one", {"name": "binary", "epochs": 1})
    file = tmp_path / "one" / "train" / "checkpoint.pt"
    content = torch.load(file, weights_only=True)
    content["classes"] = 7
    content["weights"]["features.10.weight"] = content["weights"]["features.10.weight"][:7]
    other = tmp_path / "other.pt"
    torch.save(content, other)
    with pytest.raises(TrainError) as caught:
        run(tmp_path / "two", {"name": "binary", "teacher": str(other), "losses": [{"kind": "distillation"}]})
    assert str(caught.value) == (
        f"stage binary, checkpoint {other}: images (1, 8, 8), 7 classes; allowed: those of digits: images (1, 8, 8), "
        "10 classes; name a checkpoint of the same data set"
    )


def test_a_damaged_teacher_is_found_by_its_hash(tmp_path):
    run(tmp_path / "one", {"name": "binary", "epochs": 1})
    file = tmp_path / "one" / "train" / "stages" / "binary.pt"
    content = torch.load(file, weights_only=True)
    content["weights"]["features.2.weight"][0, 0] *= -1
    torch.save(content, file)
    with pytest.raises(TrainError, match=r"checkpoint .*binary.pt: corrupt: its SHA-256 differs from .*manifest.json"):
        run(tmp_path / "two", {"name": "binary", "teacher": str(file), "losses": [{"kind": "distillation"}]})


def test_what_does_not_fit_in_a_later_stage_is_told_before_the_first_is_trained(tmp_path):
    late = [
        {"name": "b", "losses": [{"kind": "distillation"}]},
        {"name": "b", "teacher": "a", "hidden": (32, 16), "losses": [{"kind": "attention"}]},
        {"name": "b", "init": "a", "hidden": (32, 16)},
        {"name": "b", "losses": [{"kind": "kernel_rectification"}]},
        {"name": "b", "weight_scale": "rectified_full"},
    ]
    for index, stage in enumerate(late):
        with pytest.raises(TrainError):
            run(tmp_path / str(index), {"name": "a", "form": "float"}, stage)
        assert not list((tmp_path / str(index) / "train.partial").glob("*.pt"))
