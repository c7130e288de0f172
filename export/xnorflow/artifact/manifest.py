"""manifest.json: what an artifact consists of, with a SHA-256 for each file, and which tools made it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import sha256_of, write_json

__all__ = ["MANIFEST_NAME", "Manifest", "tool_versions"]

MANIFEST_NAME = "manifest.json"


def tool_versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each named distribution; one that is absent is left out."""
    found: dict[str, str] = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Manifest:
    """Contents of an artifact folder.

    Args:
        name: name of the network or run.
        stage: the stage that wrote the folder.
        files: file name to SHA-256.
        tools: distribution to version.
        facts: stage-specific values (accuracy, shapes, seeds), JSON types only.
    """

    name: str
    stage: str
    files: dict[str, str]
    tools: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_folder(
        cls, folder: Path, files: list[str], *, name: str, stage: str, tools: dict[str, str], facts: dict[str, Any]
    ) -> Manifest:
        """Hash ``files`` in ``folder``."""
        return cls(name, stage, {file: sha256_of(folder / file) for file in files}, tools, facts)

    def save(self, folder: Path) -> None:
        """Write ``manifest.json`` into ``folder``."""
        write_json(folder / MANIFEST_NAME, asdict(self))

    @classmethod
    def load(cls, folder: Path, *, verify: bool = True) -> Manifest:
        """Read the manifest of ``folder`` and check every hash.

        Raises:
            InputModelError: the manifest is missing or malformed, or a file is missing or was changed.
        """
        path = folder / MANIFEST_NAME
        try:
            manifest = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as reason:
            raise InputModelError(
                f"artifact {folder}",
                f"no readable {MANIFEST_NAME}",
                "a folder that an xnorflow stage wrote",
                "run the stage before this one again",
            ) from reason
        for file, expected in manifest.files.items() if verify else ():
            if not (folder / file).is_file():
                raise InputModelError(
                    f"artifact {folder}", f"{file} is missing", fix="run the stage that writes it again"
                )
            if sha256_of(folder / file) != expected:
                raise InputModelError(
                    f"artifact {folder / file}",
                    "its SHA-256 differs from the manifest's",
                    fix="the file was changed or cut short; run the stage that writes it again",
                )
        return manifest
