"""An interrupted training goes on where it was: the same weights, bit for bit, whenever and however it was stopped."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from xnorflow.artifact.errors import OutputError, TrainError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.train import sources
from xnorflow.train.checkpoint import load_checkpoint, read_checkpoint
from xnorflow.train.stage import PARTIAL, train

SCRIPT = Path(__file__).with_name("killed_training.py")
SPEC = importlib.util.spec_from_file_location("killed_training", SCRIPT)
killed_training = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(killed_training)

STEPS = 1437 // 64
"""Steps of an epoch; the recipe has two stages of three epochs."""


class Notes(SilentProgress):
    """Remembers what the training tells of itself."""

    def __init__(self):
        self.heard: list[tuple[int, str]] = []

    @contextlib.contextmanager
    def task(self, label, total=None):
        yield lambda steps, note: self.heard.append((steps, note))


def run(folder: Path, *, seed: int = killed_training.SEED, resume: bool = True, **changes):
    """Train the recipe into ``<folder>/train``; returns what was told on the way."""
    notes, settings = Notes(), killed_training.settings().model_copy(update=changes)
    train(killed_training.DATA, settings, seed, folder / "train", notes, resume=resume)
    return notes.heard


def interrupt_at(step: int, monkeypatch, reason: type[BaseException] = KeyboardInterrupt):
    """Have the training end at its ``step``-th step, counted over all stages."""
    seen, shift = [], sources.random_shift

    def stop(*arguments):
        seen.append(None)
        if len(seen) == step:
            raise reason
        return shift(*arguments)

    monkeypatch.setattr(sources, "random_shift", stop)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a training that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert len(run(folder)) == 6
    return folder


def check_same(found: Path, expected: Path) -> None:
    """Compare the weights of all stages, bit for bit, and the metrics except times."""
    for name in ("checkpoint.pt", "stages/teacher.pt", "stages/student.pt"):
        one, other = (read_checkpoint(folder / "train" / name) for folder in (found, expected))
        assert one.weights.keys() == other.weights.keys()
        assert all(torch.equal(one.weights[key], other.weights[key]) for key in one.weights), name
        assert (one.stage, one.epoch, one.config) == (other.stage, other.epoch, other.config)
    assert metrics(found) == metrics(expected)
    assert not (found / PARTIAL).exists()


def metrics(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "train" / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if "seconds" not in key} for line in lines]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param(5, None, id="first epoch"),
        pytest.param(2 * STEPS + 1, (2, "resumed after epoch 2 of stage teacher"), id="first stage"),
        pytest.param(3 * STEPS + 1, (3, "resumed after epoch 3 of stage teacher"), id="between the stages"),
        pytest.param(5 * STEPS + 9, (5, "resumed after epoch 2 of stage student"), id="second stage"),
    ],
)
def test_an_interrupt_leaves_nothing_half_written_and_the_same_call_goes_on(tmp_path, monkeypatch, whole, step, told):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(step, patch)
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PARTIAL]
    heard = run(tmp_path)
    assert heard[0] == told if told else len(heard) == 6
    assert sum(steps for steps, _ in heard) == 6
    check_same(tmp_path, whole)


@pytest.mark.full
def test_processes_killed_at_any_write_leave_what_the_next_one_goes_on_from(tmp_path, whole):
    """``kill -9``, again and again: before a file is written, renamed or removed, or in the middle of a checkpoint."""
    command = [sys.executable, SCRIPT, tmp_path / "run", "0"]
    (tmp_path / "run").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["train"]
    check_same(tmp_path / "run", whole)


def test_what_was_there_before_stays_until_the_new_one_is_complete(tmp_path, monkeypatch, whole):
    shutil.copytree(whole / "train", tmp_path / "train")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(2 * STEPS, patch)
        run(tmp_path, seed=8)
    check = load_checkpoint(tmp_path / "train")
    assert check.seed == killed_training.SEED
    run(tmp_path, seed=8)
    assert load_checkpoint(tmp_path / "train").seed == 8


def interrupted(folder: Path, monkeypatch, step: int = 4 * STEPS) -> Path:
    """Interrupt the recipe in its second stage; returns the folder of what was kept."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_at(step, patch)
        run(folder)
    return folder / PARTIAL


@pytest.mark.parametrize(
    "changes", [{"seed": 8}, {"shift": 0}, {"resume": False}], ids=["other seed", "other settings", "forced"]
)
def test_another_training_begins_anew(tmp_path, monkeypatch, changes):
    interrupted(tmp_path, monkeypatch)
    heard = run(tmp_path, **changes)
    assert [steps for steps, _ in heard] == [1] * 6
    assert heard[0][1].startswith("teacher: loss ")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: next(folder.glob("state-*.pt")).unlink(), r"state-student-1\.pt: missing"),
        (lambda folder: (folder / "teacher.pt").write_bytes(b"junk"), r"teacher\.pt: corrupt: its SHA-256 is not"),
        (lambda folder: (folder / "journal.json").write_text("{"), r"journal\.json: unreadable"),
        (lambda folder: spoil(folder / "journal.json"), r"journal\.json: corrupt"),
    ],
    ids=["missing state", "corrupt checkpoint", "no JSON", "other JSON"],
)
def test_damage_is_named_with_the_way_out(tmp_path, monkeypatch, damage, message):
    damage(interrupted(tmp_path, monkeypatch, 4 * STEPS + 2))
    with pytest.raises(TrainError, match=message + r".*; allowed: the file as .* wrote it; .*--force") as caught:
        run(tmp_path)
    assert "\n" not in str(caught.value)
    assert len(run(tmp_path, resume=False)) == 6


def spoil(journal: Path) -> None:
    journal.write_text(json.dumps({**json.loads(journal.read_text()), "metrics": [{"loss": 1.0}]}))


def test_a_full_disk_is_named_and_the_training_can_go_on(tmp_path, monkeypatch, whole):
    save = torch.save

    def full(content, path):
        if path.name == "state-student-2.pt":
            path.write_bytes(b"half")
            raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0")
        save(content, path)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OutputError, match=r"state-student-2\.pt: cannot be written \(.*pos 64 vs 0\); .*make room"):
            run(tmp_path)
    assert run(tmp_path)[0] == (4, "resumed after epoch 1 of stage student")
    check_same(tmp_path, whole)
