"""checkpoint.pt: weights, and what it takes to build the network that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xnorflow.artifact.errors import TrainError
from xnorflow.train.config import DatasetName, TrainSettings
from xnorflow.train.models.fc import FC
from xnorflow.train.models.registry import build_network

__all__ = ["CHECKPOINT", "Checkpoint", "load_checkpoint", "load_network", "save_checkpoint"]

CHECKPOINT = "checkpoint.pt"
FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A trained network.

    Args:
        settings: recipe it was trained with; names the network.
        dataset: what it was trained on.
        image_shape: channels, height, width.
        classes: number of logits.
        seed: seed of the training.
        epoch: epochs done.
        weights: ``state_dict`` of the network, on the CPU.
    """

    settings: TrainSettings
    dataset: DatasetName
    image_shape: tuple[int, int, int]
    classes: int
    seed: int
    epoch: int
    weights: dict[str, Tensor]

    def network(self) -> FC:
        """Build the network with its weights, on the CPU, in eval mode.

        Raises:
            RuntimeError: the weights are another network's.
        """
        network = build_network(self.settings, self.image_shape, self.classes)
        network.load_state_dict(self.weights)
        return network.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``path`` so that ``torch.load(..., weights_only=True)`` reads it: tensors and plain values, no code."""
    content = {
        "format": FORMAT,
        "settings": checkpoint.settings.model_dump(mode="json"),
        "dataset": checkpoint.dataset.value,
        "image_shape": list(checkpoint.image_shape),
        "classes": checkpoint.classes,
        "seed": checkpoint.seed,
        "epoch": checkpoint.epoch,
        "weights": {key: tensor.detach().cpu() for key, tensor in checkpoint.weights.items()},
    }
    torch.save(content, path)


def load_checkpoint(train_directory: Path) -> Checkpoint:
    """Read ``checkpoint.pt`` of a folder that :func:`xnorflow.train.stage.train` wrote.

    Raises:
        TrainError: it is missing, corrupt, or not a checkpoint of a network of this version.
    """
    path = train_directory / CHECKPOINT
    if not path.is_file():
        raise TrainError(f"checkpoint {path}", "no such file", "a folder that `xnorflow train` wrote", "train first")
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


def load_network(train_directory: Path) -> FC:
    """Return the trained network on the CPU in eval mode; for errors see :func:`load_checkpoint`."""
    return load_checkpoint(train_directory).network()


def _parse(content: Any) -> Checkpoint:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}")
    channels, height, width = content["image_shape"]
    return Checkpoint(
        TrainSettings(**content["settings"]),
        DatasetName(content["dataset"]),
        (channels, height, width),
        content["classes"],
        content["seed"],
        content["epoch"],
        content["weights"],
    )
