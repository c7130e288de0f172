"""checkpoint.pt: weights, what it takes to build the network that they belong to, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xnorflow.artifact.errors import InputModelError, OutputError, TrainError
from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.manifest import MANIFEST_NAME, Manifest
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import set_form
from xnorflow.train.config import DatasetName
from xnorflow.train.models.base import Network
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

__all__ = ["CHECKPOINT", "Checkpoint", "load_checkpoint", "load_network", "read_checkpoint",
           "save_checkpoint", "save_content"]  # fmt: skip

CHECKPOINT = "checkpoint.pt"
FORMAT = 2


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    Args:
        settings: what the network is made from.
        form: which of its parts are binary.
        dataset: what it was trained on.
        image_shape: channels, height, width.
        classes: number of logits.
        seed: seed of the training.
        stage: the stage that it is the result of.
        epoch: epochs done in that stage.
        config: the experiment's ``[train]`` table as run.
        weights: ``state_dict`` of the network, on the CPU.
    """

    settings: NetworkSettings
    form: Form
    dataset: DatasetName
    image_shape: tuple[int, int, int]
    classes: int
    seed: int
    stage: str
    epoch: int
    config: dict[str, Any]
    weights: dict[str, Tensor]

    def network(self) -> Network:
        """Build the network with its weights, on the CPU, in eval mode and in its form.

        Raises:
            RuntimeError: the weights are another network's.
        """
        network = build_network(self.settings, self.image_shape, self.classes)
        network.load_state_dict(self.weights)
        set_form(network, self.form)
        return network.eval()

    def facts(self) -> dict[str, Any]:
        """Return all but form and weights as JSON values."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "dataset": self.dataset.value,
            "image_shape": list(self.image_shape),
            "classes": self.classes,
            "seed": self.seed,
            "stage": self.stage,
            "epoch": self.epoch,
            "config": self.config,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], form: Form, weights: dict[str, Tensor]) -> Checkpoint:
        """Make a checkpoint of what :meth:`facts` returned; other keys are not looked at."""
        channels, height, width = facts["image_shape"]
        return cls(
            settings=NetworkSettings(**facts["settings"]),
            form=form,
            dataset=DatasetName(facts["dataset"]),
            image_shape=(channels, height, width),
            classes=facts["classes"],
            seed=facts["seed"],
            stage=facts["stage"],
            epoch=facts["epoch"],
            config=facts["config"],
            weights=weights,
        )


def save_content(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values so that ``torch.load(..., weights_only=True)`` reads them.

    Raises:
        OutputError: the file cannot be written; in most cases the disk is full.
    """
    try:
        torch.save(content, path)
    except (OSError, RuntimeError) as reason:  # torch wraps the system's errors in RuntimeError
        raise OutputError(
            f"checkpoint {path}",
            f"cannot be written ({' '.join(str(reason).split())[:120]})",
            "a disk with room",
            "make room; the same command goes on behind the last epoch that was kept",
        ) from reason


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint file; for errors see :func:`save_content`."""
    weights = {key: tensor.detach().cpu() for key, tensor in checkpoint.weights.items()}
    save_content(path, {"format": FORMAT, **checkpoint.facts(), "form": checkpoint.form.value, "weights": weights})


def load_checkpoint(train_directory: Path) -> Checkpoint:
    """Read ``checkpoint.pt`` of a folder that :func:`xnorflow.train.stage.train` wrote.

    Raises:
        TrainError: it is missing, corrupt, or not a checkpoint of a network of this version.
    """
    return read_checkpoint(train_directory / CHECKPOINT)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint file; where a manifest lies beside it or one folder up, its SHA-256 must be the one there.

    Raises:
        TrainError: it is missing, corrupt, or not a checkpoint of a network of this version.
    """
    if not path.is_file():
        raise TrainError(f"checkpoint {path}", "no such file", "a file that `xnorflow train` wrote", "train first")
    _check_hash(path)
    try:
        checkpoint = _parse(torch.load(path, map_location="cpu", weights_only=True))
        checkpoint.network()
    except Exception as reason:  # torch raises a dozen unrelated types on damaged files, struct.error among them
        raise TrainError(
            f"checkpoint {path}",
            f"corrupt, or not a checkpoint of this version ({type(reason).__name__})",
            f"what `xnorflow train` writes, format {FORMAT}",
            "train again",
        ) from reason
    return checkpoint


def load_network(train_directory: Path) -> Network:
    """Return the trained network on the CPU in eval mode; for errors see :func:`load_checkpoint`."""
    return load_checkpoint(train_directory).network()


def _check_hash(path: Path) -> None:
    for folder in (path.parent, path.parent.parent):
        if not (folder / MANIFEST_NAME).is_file():
            continue
        try:
            expected = Manifest.load(folder, verify=False).files.get(path.relative_to(folder).as_posix())
        except InputModelError:  # some other program's manifest: nothing is known of the checkpoint
            return
        if expected is not None and sha256_of(path) != expected:
            raise TrainError(
                f"checkpoint {path}",
                f"corrupt: its SHA-256 differs from {folder / MANIFEST_NAME}",
                "the file as written",
                "copy it again, or train again",
            )
        return


def _parse(content: Any) -> Checkpoint:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}")
    return Checkpoint.from_facts(content, Form(content["form"]), content["weights"])
