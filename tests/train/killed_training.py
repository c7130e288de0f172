"""Train in processes that kill themselves, one after another, until one gets to the end; a script for test_resume.py.

    python killed_training.py FOLDER SEED

Each process ends by SIGKILL, which runs no clean-up, right before a randomly chosen write, rename or removal of a file
in the folder, or with a checkpoint half-written. Later ones live longer. Prints how many were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.stage import train

DATA = DataSettings(dataset="digits")
RECIPE = {
    "network": "TFC_1W1A", "hidden": [16], "epochs": 3, "batch_size": 64, "shift": 1, "accelerator": "cpu",
    "stages": [
        {"name": "teacher", "form": "float", "learning_rate": 0.003},
        {
            "name": "student", "init": "teacher", "teacher": "teacher", "estimator": "ede", "weight_scale": "mean",
            "warmup_epochs": 1,
            "losses": [
                {"kind": "cross_entropy"},
                {"kind": "distillation", "temperature": 4.0},
                {"kind": "adversarial", "hidden": 8},
            ],
        },
    ],
}  # fmt: skip
SEED = 7
FEWEST_CHANGES, MOST_PROCESSES = 10, 100
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}


def settings() -> TrainSettings:
    return TrainSettings.model_validate(RECIPE)


class Executioner:
    """Kills this process at the given number of changes below a folder."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.left = str(folder), number
        self.save = torch.save

    def strike(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in CHANGES) and str(arguments[0]).startswith(self.folder):
            self.strike()

    def save_half(self, content: Any, path: Path) -> None:
        """Stand for torch.save; C++ opens its files, and no audit hook hears of it."""
        self.save(content, path)
        whole = path.read_bytes()
        os.truncate(path, len(whole) // 2)
        self.strike()
        path.write_bytes(whole)


def attempt(folder: Path, number: int) -> bool:
    """Return whether the training got to its end before the process was killed."""
    child = os.fork()
    if child == 0:
        executioner = Executioner(folder, number)
        torch.save = executioner.save_half
        sys.addaudithook(executioner.hear)
        train(DATA, settings(), SEED, folder / "train", SilentProgress())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert status == 0
    return True


def main() -> None:
    folder, chance = Path(sys.argv[1]).resolve(), random.Random(int(sys.argv[2]))
    for killed in range(MOST_PROCESSES):
        if attempt(folder, chance.randint(1, FEWEST_CHANGES + killed)):
            print(killed)
            return
    sys.exit("never got to the end")


if __name__ == "__main__":
    main()
