"""Which stages of a run are done, and from what: lets an unchanged stage be kept instead of repeated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xnorflow.artifact.files import sha256_of, write_json

__all__ = ["WHOLE", "StageRecords", "fingerprint", "source_hash"]

RECORDS_NAME = "stages.json"
UPSTREAM = ("train", "export", "reference")
MAKERS = ("lower", "generate")
"""Stages that make a design anew; what other stages made of the one before is void then."""
WHOLE = ("export", "reference", *MAKERS)
"""Stages that replace all of their files or, where they fail, none."""
SOURCE_SUFFIXES = frozenset({".py", ".sv", ".svh", ".cpp", ".hpp", ".j2", ".toml"})


def fingerprint(*parts: Any) -> str:
    """Return one hash of settings, strings and files.

    Args:
        parts: JSON values, or paths of files (hashed by content; a missing one counts as such).
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            text = sha256_of(part) if part.is_file() else "absent"
        else:
            text = json.dumps(part, sort_keys=True, default=str)
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def source_hash(*packages: str) -> str:
    """Return one hash of the sources of ``packages``, so that a new xnorflow repeats what it does differently."""
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        for location in sorted(spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(location).rglob("*")):
                if path.suffix in SOURCE_SUFFIXES:
                    digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class StageRecords:
    """What each stage of one run was made from and what it wrote, kept in ``stages.json``.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / RECORDS_NAME
        self._stages = self._read()

    def is_current(self, stage: str, key: str) -> bool:
        """Return whether ``stage`` was done from the inputs behind ``key`` and all it wrote is still there."""
        record = self._stages.get(stage)
        if record is None or record["key"] != key:
            return False
        return all(
            (self._folder / name).is_file() and sha256_of(self._folder / name) == expected
            for name, expected in record["files"].items()
        )

    def write(self, stage: str, key: str, files: Iterable[Path], tools: dict[str, str] | None = None) -> None:
        """Note that ``stage`` wrote ``files`` from the inputs behind ``key`` with ``tools`` (name to version).

        A design made anew drops what was noted of the one before.
        """
        names = {str(path.relative_to(self._folder)): sha256_of(path) for path in sorted(files)}
        if stage in MAKERS:
            self._stages = {name: record for name, record in self._stages.items() if name in UPSTREAM}
        self._stages[stage] = {"key": key, "files": names, "tools": tools or {}}
        write_json(self._path, self._stages)

    def written(self) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
        """Return by stage what it wrote (path relative to the run folder to SHA-256) and its tools."""
        return {name: (record["files"], record.get("tools", {})) for name, record in self._stages.items()}

    def forget(self, stage: str) -> dict[str, Any] | None:
        """Drop the record of ``stage``, because its files are about to be replaced; returns it for :meth:`restore`."""
        record = self._stages.pop(stage, None)
        if record is not None:
            write_json(self._path, self._stages)
        return record

    def restore(self, stage: str, record: dict[str, Any]) -> None:
        """Take back :meth:`forget`, because the files were not replaced after all."""
        self._stages[stage] = record
        write_json(self._path, self._stages)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # no record: every stage is done anew
        well_formed = isinstance(content, dict) and all(
            isinstance(record, dict) and isinstance(record.get("files"), dict) and "key" in record
            for record in content.values()
        )
        return content if well_formed else {}
