"""The ImageNet recipes: each is read, and takes one step on synthetic images of full size."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import torch

from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.schedule import make_optimizer
from xnorflow.train.trainee import Trainee

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
IMAGENET = sorted(CONFIGS.glob("imagenet_*.toml"))
SHAPE = (3, 224, 224)


def read(path):
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    assert DataSettings.model_validate(content["data"]).dataset == "imagenet"
    return TrainSettings.model_validate(content["train"])


def network_of(stage, settings=None):
    chosen = NetworkSettings.model_validate(stage.model_dump(include=set(NetworkSettings.model_fields)))
    return build_network(chosen, SHAPE, 1000, stage.form)


def test_there_is_a_recipe_for_each_method():
    assert [path.stem for path in IMAGENET] == [
        "imagenet_resnet18_block_distillation",
        "imagenet_resnet18_latent_weights",
        "imagenet_resnet18_rbcn",
        "imagenet_resnet18_real_to_binary",
    ]


@pytest.mark.parametrize("path", IMAGENET, ids=lambda path: path.stem.removeprefix("imagenet_resnet18_"))
def test_the_last_stage_takes_a_step_on_full_size_images(path):
    torch.manual_seed(0)
    settings = read(path)
    stages = {stage.name: stage for stage in settings.all_stages()}
    last = settings.all_stages()[-1]
    teacher = network_of(stages[last.teacher]).eval() if last.teacher else None
    trainee = Trainee(network_of(last), last.losses, teacher, last.name)
    images, labels = torch.rand(2, *SHAPE), torch.tensor([3, 777])
    trainee.attach(images, labels)
    optimizer = make_optimizer(trainee, last)
    before = {name: weight.detach().clone() for name, weight in trainee.student.named_parameters()}
    loss, logits, parts = trainee(images, labels, 0.5)
    loss.backward()
    optimizer.step()
    trainee.after_step()
    assert logits.shape == (2, 1000)
    assert torch.isfinite(loss)
    assert list(parts) == [term.kind for term in last.losses]
    still = [name for name, weight in trainee.student.named_parameters() if torch.equal(weight, before[name])]
    # A side branch begins at 0 by one of its factors: the others have no gradient until that one has moved.
    assert [name for name in still if ".side." not in name] == []
    assert len(still) < len(before) / 4


def test_real_to_binary_has_the_schedule_of_the_published_stages():
    stages = read(CONFIGS / "imagenet_resnet18_real_to_binary.toml").all_stages()
    assert [(stage.form.value, stage.epochs, stage.batch_size, stage.learning_rate) for stage in stages] == [
        ("float", 100, 512, 0.1),
        ("tanh", 75, 256, 1e-3),
        ("binary_activations", 75, 256, 1e-3),
        ("binary", 75, 256, 2e-4),
    ]
    assert [stage.weight_decay for stage in stages] == [0.0, 1e-5, 1e-5, 0.0]
    assert [[(term.kind, term.weight) for term in stage.losses] for stage in stages[1:]] == [
        [("cross_entropy", 1), ("attention", 30), ("distillation", 3)],
        [("cross_entropy", 1), ("attention", 30), ("distillation", 3)],
        [("cross_entropy", 1), ("distillation", 0.8)],
    ]
