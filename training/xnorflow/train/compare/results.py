"""The results of a comparison: a JSON file that is committed, of one record a training and the settings behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.files import write_json
from xnorflow.train.compare.config import TEACHER_METHOD
from xnorflow.train.compare.plan import Run

__all__ = ["Record", "Results"]

FORMAT = 1
STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
Key = tuple[str, str, int]


class Record(BaseModel):
    """What one training came to.

    Args:
        network: name of the ``[[networks]]`` table.
        method: name of the ``[[methods]]`` table, or ``teacher``.
        seed: of the training.
        accuracy_float: share of test images that are right, computed by torch; in [0, 1].
        test_frames: number of test images.
        held_out: whether these were taken out of the training set.
        loss: mean of the last epoch.
        epochs: over all stages.
        seconds: wall time of the epochs.
        cpu_seconds: CPU time of all threads over the same.
        parameters: of the deployed network.
        teacher_accuracy_float: of its teacher; None where it has none.
        settings: hash of what it was made from.
        tools: versions.
        cpu: name of the processor.
        date: day on which it ended, UTC.
    """

    model_config = STRICT

    network: str
    method: str
    seed: int
    accuracy_float: float = Field(ge=0, le=1)
    test_frames: int = Field(ge=1)
    held_out: bool
    loss: float
    epochs: int = Field(ge=1)
    seconds: float = Field(ge=0)
    cpu_seconds: float = Field(ge=0)
    parameters: int = Field(ge=1)
    teacher_accuracy_float: float | None
    settings: str
    tools: dict[str, str]
    cpu: str
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")

    @property
    def key(self) -> Key:
        """Network, method, seed."""
        return self.network, self.method, self.seed


class _Content(BaseModel):
    model_config = STRICT

    format: int = Field(ge=FORMAT, le=FORMAT)
    comparison: str
    settings: dict[str, dict[str, Any]]
    teachers: tuple[Record, ...]
    records: tuple[Record, ...]


class Results:
    """The records of one comparison.

    Args:
        path: the JSON file; need not exist.
        comparison: name of the comparison.

    Raises:
        ConfigError: the file is not one of this comparison's results.
    """

    def __init__(self, path: Path, comparison: str) -> None:
        self._path, self._comparison = path, comparison
        content = _read(path, comparison)
        self._settings = content.settings if content else {}
        known = (*content.teachers, *content.records) if content else ()
        self._records: dict[Key, Record] = {record.key: record for record in known}

    @property
    def records(self) -> list[Record]:
        """All records, sorted by network, method and seed; those of teachers too."""
        return [self._records[key] for key in sorted(self._records)]

    def find(self, run: Run) -> Record | None:
        """Return the record of a run, made from whatever settings."""
        return self._records.get((*run.cell, run.seed))

    def is_current(self, record: Record, run: Run) -> bool:
        """Return whether ``record`` was made from the settings of ``run``."""
        return record.settings == run.hash

    def has(self, run: Run) -> bool:
        """Return whether there is a current record of ``run``."""
        record = self.find(run)
        return record is not None and self.is_current(record, run)

    def add(self, record: Record, run: Run) -> bool:
        """Put the record of ``run`` in and write the file; returns whether it replaces one of other settings."""
        before = self.find(run)
        stale = before is not None and not self.is_current(before, run)
        self._records[record.key] = record
        self._settings[record.settings] = run.identity
        self._save()
        return stale

    def _save(self) -> None:
        used = {record.settings for record in self.records} & self._settings.keys()
        self._settings = {name: self._settings[name] for name in sorted(used)}
        write_json(
            self._path,
            {
                "format": FORMAT,
                "comparison": self._comparison,
                "settings": self._settings,
                "teachers": _dump(record for record in self.records if record.method == TEACHER_METHOD),
                "records": _dump(record for record in self.records if record.method != TEACHER_METHOD),
            },
        )


def _dump(records: Iterable[Record]) -> list[dict[str, Any]]:
    return [record.model_dump(mode="json") for record in records]


def _read(path: Path, comparison: str) -> _Content | None:
    allowed, fix = f"what `xnorflow compare` wrote, format {FORMAT}", "restore the file, or remove it to begin anew"
    try:
        content = _Content.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise ConfigError(f"results {path}", reason.strerror or "unreadable", allowed, "check the path") from reason
    except ValidationError as reason:
        first = reason.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ConfigError(f"results {path}", f"{place}: {first['msg']}", allowed, fix) from reason
    except ValueError as reason:
        raise ConfigError(f"results {path}", f"not JSON: {reason}", allowed, fix) from reason
    if content.comparison != comparison:
        raise ConfigError(f"results {path}", f"of the comparison {content.comparison!r}", repr(comparison),
                          "give each comparison a file of its own")  # fmt: skip
    return content
