"""One process of a training that several share: ``torchrun ddp_training.py FOLDER``; prints a digest of its weights."""

import hashlib
import sys
from pathlib import Path

import torch

from xnorflow.artifact.progress import SilentProgress
from xnorflow.train import stages
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.stage import train

SETTINGS = {
    "network": "TFC_1W1A",
    "hidden": (16, 16),
    "dropout": 0.0,
    "epochs": 2,
    "batch_size": 64,
    "accelerator": "cpu",
    "devices": 2,
    "stages": [
        {"name": "teacher", "form": "float", "learning_rate": 0.003},
        {
            "name": "binary",
            "teacher": "teacher",
            "losses": [
                {"kind": "cross_entropy"},
                {"kind": "distillation"},
                {"kind": "latent_weights"},
                {"kind": "adversarial", "warmup": 0.0},
            ],
        },
    ],
}


def main(folder: Path) -> None:
    """Train, and tell what this process's own network came to."""
    original = stages.fit

    def watch(fabric, trainee, *arguments):
        original(fabric, trainee, *arguments)
        learned = torch.cat([weight.detach().flatten() for weight in trainee.parameters()])
        digest = hashlib.sha256(learned.numpy().tobytes()).hexdigest()
        (folder / f"rank{fabric.global_rank}-{arguments[2].name}").write_text(digest)

    stages.fit = watch
    settings = TrainSettings.model_validate(SETTINGS)
    train(DataSettings(dataset="digits"), settings, 1, folder / "train", SilentProgress())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
