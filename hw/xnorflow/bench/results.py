"""What was measured, when and of which commit: one JSON file, in which rows not measured again keep what they had."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.files import write_json
from xnorflow.bench.row import Measurement, Row

__all__ = ["Entry", "Results", "load_results", "make_entry", "save_results", "source_commit"]


@dataclass(frozen=True)
class Entry:
    """A row's latest measurement.

    Args:
        what: the row's text at that time.
        value: in ``unit``.
        unit: of the value.
        plain: the value of plain code; None where there is none.
        path: how the value was found.
        commit: of the sources; ends in ``+`` where these had changes that were not committed; empty if not known.
        date: day, ``YYYY-MM-DD``, UTC.
        seconds: that measuring took.
        cpus: processors of the machine.
        details: everything measured.
    """

    what: str
    value: float
    unit: str
    plain: float | None
    path: str
    commit: str
    date: str
    seconds: float
    cpus: int
    details: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


Results = Mapping[str, Entry]
"""By row id."""


def load_results(path: Path) -> dict[str, Entry]:
    """Read the file; empty where there is none yet.

    Raises:
        ConfigError: it is there but not such a file.
    """
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        return {str(name): Entry(**content) for name, content in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise ConfigError(
            f"results {path}", "unreadable, or not what `xnorflow bench` writes", "its JSON file, or none",
            "mend the file, or give another --output",
        ) from reason  # fmt: skip


def save_results(path: Path, results: Results, order: tuple[str, ...]) -> None:
    """Write the file: rows in ``order``, then those of other names, which an earlier version measured.

    Raises:
        OutputError: it cannot be written.
    """
    names = [*(name for name in order if name in results), *(name for name in results if name not in order)]
    write_json(path, {"rows": {name: results[name].to_json() for name in names}})


def make_entry(row: Row, measured: Measurement, seconds: float, cpus: int) -> Entry:
    """Note a measurement with today's date and the sources' commit."""
    return Entry(
        row.what, measured.value, measured.unit, measured.plain, measured.path, source_commit(),
        datetime.now(UTC).date().isoformat(), round(seconds, 1), cpus, measured.details,
    )  # fmt: skip


def source_commit() -> str:
    """Return the short hash of the sources' commit, with ``+`` where something is changed; empty outside git."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        if not git("ls-files", "row.py"):  # installed into somebody else's tree
            return ""
        head = git("rev-parse", "--short=10", "HEAD")
        return head + ("+" if head and git("status", "--porcelain", "--", ":/hw", ":/export", ":/training") else "")
    except OSError:  # no git
        return ""
