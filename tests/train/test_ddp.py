from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.manifest import Manifest
from xnorflow.train.checkpoint import load_checkpoint

SCRIPT = Path(__file__).with_name("ddp_training.py")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder of a training that two processes under torchrun did together."""
    folder = tmp_path_factory.mktemp("shared")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(SCRIPT)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, str(folder)], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("stage", ["teacher", "binary"])
def test_all_processes_hold_the_same_weights(shared, stage):
    digests = {(shared / f"rank{rank}-{stage}").read_text() for rank in (0, 1)}
    assert len(digests) == 1


def test_one_of_them_writes_the_folder(shared):
    Manifest.load(shared / "train")
    lines = [json.loads(line) for line in (shared / "train" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [
        ("teacher", 1), ("teacher", 2), ("binary", 1), ("binary", 2)
    ]  # fmt: skip
    assert list(lines[-1]["losses"]) == ["cross_entropy", "distillation", "latent_weights", "adversarial"]
    assert load_checkpoint(shared / "train").epoch == 2
    assert not (shared / "train.partial").exists()


def test_each_image_is_seen_once_an_epoch_by_one_of_them(shared):
    """The accuracy in training is a share of all images in full batches: a multiple of 1 / (22 * 64)."""
    line = json.loads((shared / "train" / "metrics.jsonl").read_text().splitlines()[0])
    right = line["train_accuracy_float"] * 22 * 64
    assert right == pytest.approx(round(right), abs=1e-6)
    assert 0 < right < 22 * 64
