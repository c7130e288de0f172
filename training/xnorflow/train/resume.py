"""What an unfinished training has come to, kept on disk so that the same command continues it, bit for bit.

The folder ``train.partial/`` beside the run's ``train/`` holds ``journal.json`` and the files that it names by SHA-256:
one checkpoint for each finished stage and the state after the last finished epoch. A file is complete before the
journal names it, and the journal is replaced in one step: a process killed at any instant leaves the state before or
after.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from xnorflow.artifact.errors import TrainError
from xnorflow.artifact.files import make_folder, sha256_of, write_json
from xnorflow.train.checkpoint import save_content
from xnorflow.train.loop import EpochMetrics

__all__ = ["Journal", "discard", "journal_key"]

JOURNAL = "journal.json"
FORMAT = 1


@dataclass
class Journal:
    """The journal of one training.

    Args:
        folder: where it lies.
        key: says which training it belongs to.
        metrics: every finished epoch's, over all stages.
        stages: finished stages in order, to the SHA-256 of their checkpoints ``<stage>.pt``.
        state: file name and SHA-256 of the state to continue from, or None.
    """

    folder: Path
    key: str
    metrics: list[EpochMetrics] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)
    state: tuple[str, str] | None = None

    @classmethod
    def open(cls, folder: Path, key: str) -> Journal:
        """Open the journal in ``folder``, or begin one where there is none of this training.

        Raises:
            TrainError: a file that the journal names is missing or was damaged.
            OutputError: the folder cannot be made.
        """
        content = _read(folder / JOURNAL)
        if content is None or content.get("format") != FORMAT or content.get("key") != key:
            discard(folder)
            make_folder(folder)
            return cls(folder, key)
        try:
            metrics = [EpochMetrics(**line) for line in content["metrics"]]
            state = (str(content["state"][0]), str(content["state"][1])) if content["state"] else None
            journal = cls(folder, key, metrics, dict(content["stages"]), state)
        except (KeyError, IndexError, TypeError, ValueError) as reason:
            raise _damaged(folder / JOURNAL, "corrupt") from reason
        for name, digest in [*((f"{stage}.pt", digest) for stage, digest in journal.stages.items()),
                             *([journal.state] if journal.state else [])]:  # fmt: skip
            _check(folder / name, digest)
        return journal

    def checkpoint(self, stage: str) -> Path:
        """Return the path of a finished stage's checkpoint."""
        return self.folder / f"{stage}.pt"

    def load_state(self) -> dict[str, Any] | None:
        """Return the state to continue from, as :meth:`save_state` got it, or None at the beginning of a stage."""
        if self.state is None:
            return None
        state: dict[str, Any] = torch.load(self.folder / self.state[0], map_location="cpu", weights_only=True)
        return state

    def save_state(self, state: dict[str, Any], metrics: EpochMetrics) -> None:
        """Keep ``state`` in place of the one before, and the epoch's metrics with it."""
        name, before = f"state-{metrics.stage}-{metrics.epoch}.pt", self.state
        save_content(self.folder / name, state)
        self.state = (name, _settled(self.folder / name))
        self.metrics.append(metrics)
        self._write()
        if before is not None:
            (self.folder / before[0]).unlink(missing_ok=True)

    def finish_stage(self, stage: str) -> None:
        """Note that ``<stage>.pt`` is complete; its last state is no longer needed."""
        self.stages[stage] = _settled(self.checkpoint(stage))
        before, self.state = self.state, None
        self._write()
        if before is not None:
            (self.folder / before[0]).unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the folder."""
        discard(self.folder)

    def _write(self) -> None:
        write_json(
            self.folder / JOURNAL,
            {"format": FORMAT, "key": self.key, "stages": self.stages, "state": self.state,
             "metrics": [asdict(line) for line in self.metrics]},
        )  # fmt: skip


def journal_key(*parts: Any) -> str:
    """Return a hash of JSON-like values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def discard(folder: Path) -> None:
    """Delete a journal's folder, if it is there."""
    with contextlib.suppress(OSError):
        (folder / JOURNAL).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as reason:
        raise _damaged(path, "unreadable") from reason
    return content if isinstance(content, dict) else None


def _check(path: Path, digest: str) -> None:
    if not path.is_file():
        raise _damaged(path, "missing")
    if sha256_of(path) != digest:
        raise _damaged(path, "corrupt: its SHA-256 is not the one in journal.json")


def _damaged(path: Path, found: str) -> TrainError:
    return TrainError(f"checkpoint {path}", found, "the file as the interrupted training wrote it",
                      f"train from the start with --force; finished stages are still in {path.parent}")  # fmt: skip


def _settled(path: Path) -> str:
    """Have the disk keep a file before it is named; returns its SHA-256."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return sha256_of(path)
