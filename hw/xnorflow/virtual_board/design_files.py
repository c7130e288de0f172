"""``virtual.json``: the files of a folder that a virtual board runs, with their hashes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.files import sha256_of, write_json
from xnorflow.deploy.overlay import DESCRIPTION

__all__ = ["DESIGN_FILES", "DesignFiles"]

DESIGN_FILES = "virtual.json"
FORMAT = 1


@dataclass(frozen=True)
class DesignFiles:
    """What a folder holds for a virtual board.

    Args:
        folder: that holds it.
        library: compiled shell, relative to the folder.
        rtl: folder of the memory files, relative.
        hashes: SHA-256 by relative path, of description, library and memory files.
    """

    folder: Path
    library: str
    rtl: str
    hashes: dict[str, str]

    @classmethod
    def write(cls, folder: Path, library: Path, rtl: Path) -> DesignFiles:
        """Note the files of a folder in its ``virtual.json``."""
        names = [DESCRIPTION, *(path.relative_to(folder).as_posix() for path in (library, *sorted(rtl.glob("*.mem"))))]
        hashes = {name: sha256_of(folder / name) for name in names}
        files = cls(folder, names[1], rtl.relative_to(folder).as_posix(), hashes)
        content = {"format": FORMAT, "library": files.library, "rtl": files.rtl, "sha256": hashes}
        write_json(folder / DESIGN_FILES, content)
        return files

    @classmethod
    def load(cls, folder: Path) -> DesignFiles:
        """Read what :meth:`write` wrote.

        Raises:
            ConfigError: it is missing, or another format.
        """
        path = folder / DESIGN_FILES
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(content["format"])
            return cls(folder, str(content["library"]), str(content["rtl"]), dict(content["sha256"]))
        except (OSError, ValueError, KeyError, TypeError) as reason:
            raise ConfigError(
                f"virtual board's design {path}", "missing, or of another version of xnorflow",
                "a folder that `xnorflow deploy` wrote", "deploy the run again",
            ) from reason  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 of ``virtual.json``."""
        return sha256_of(self.folder / DESIGN_FILES)

    def check(self) -> None:
        """Compare the files with their hashes.

        Raises:
            ConfigError: one is missing or differs.
        """
        for name, expected in self.hashes.items():
            path = self.folder / name
            if not path.is_file() or sha256_of(path) != expected:
                raise ConfigError(
                    f"virtual board's design {path}", "changed since it was deployed" if path.is_file() else "missing",
                    "the file that belongs to this folder", "deploy the run again",
                )  # fmt: skip
