from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.flow.config import load_config
from xnorflow.flow.following import is_follower

CONFIG = """
name = "shared"
[data]
dataset = "digits"
[train]
network = "TFC_1W1A"
hidden = [16]
epochs = 2
accelerator = "cpu"
devices = 2
"""
XNORFLOW = Path(sys.executable).with_name("xnorflow")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "shared.toml"
    path.write_text(CONFIG)
    return path


def train(config, launcher):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*launcher, str(XNORFLOW), "train", str(config), "--runs", str(config.parent / "runs")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    "launcher", [pytest.param(TORCHRUN, marks=pytest.mark.full, id="torchrun"), pytest.param([], id="alone")]
)
def test_two_processes_train_and_one_tells(config, launcher):
    done = train(config, launcher)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("2 epochs") == 1
    folder = config.parent / "runs" / "shared" / "train"
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2
    assert json.loads((folder / "manifest.json").read_text())["facts"]["epochs"] == 2
    again = train(config, launcher)
    assert again.returncode == 0, again.stderr[-3000:]
    assert "unchanged, kept" in again.stdout


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), ({"RANK": "0", "LOCAL_RANK": "0"}, False), ({"RANK": "3", "LOCAL_RANK": "0"}, True),
     ({"SLURM_PROCID": "1"}, True), ({"LOCAL_RANK": "1"}, True)],
)  # fmt: skip
def test_the_first_process_is_told_by_its_rank(config, environment, expected, monkeypatch):
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_follower(load_config(config)) is expected


def test_a_training_of_one_process_follows_nobody(config, monkeypatch):
    config.write_text(CONFIG.replace("devices = 2", ""))
    monkeypatch.setenv("SLURM_PROCID", "5")  # of a job array, say
    assert not is_follower(load_config(config))
