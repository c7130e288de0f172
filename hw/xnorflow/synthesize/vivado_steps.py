"""Steps that take hours, kept in a folder, so that an interrupted command goes on behind the last that was done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from xnorflow.artifact.files import make_folder, write_json

__all__ = ["Steps"]

_RECORD = "steps.json"


class Steps:
    """Which steps are done in a work folder, and from what.

    Args:
        folder: theirs alone; emptied where it holds other work than ``key``, or where nothing is to be resumed.
        key: hash of all that the steps start from.
        resume: whether to keep what an earlier command did.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, key: str, *, resume: bool) -> None:
        self.folder, self._key = folder, key
        self._done = self._read() if resume else []
        if not self._done:
            shutil.rmtree(folder, ignore_errors=True)
            make_folder(folder)
            self._write()

    def done(self, name: str) -> bool:
        """Return whether a step needs no second run."""
        return name in self._done

    def finish(self, name: str) -> None:
        """Note that a step is done, all it wrote included."""
        self._done.append(name)
        self._write()

    def _write(self) -> None:
        write_json(self.folder / _RECORD, {"key": self._key, "done": self._done})

    def _read(self) -> list[str]:
        try:
            content = json.loads((self.folder / _RECORD).read_text(encoding="utf-8"))
            return [str(name) for name in content["done"]] if content["key"] == self._key else []
        except (OSError, ValueError, KeyError, TypeError):
            return []
