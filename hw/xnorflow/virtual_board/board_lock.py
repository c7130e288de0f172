"""One process at a time on a virtual board, as there is one at a time on a real one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from xnorflow.artifact.errors import DeployError

__all__ = ["BoardLock"]

LOCK = ".board.lock"


class BoardLock:
    """Holds the virtual board of a folder until :meth:`release`, or until this process ends in whatever way.

    Args:
        folder: with the design. Where nobody may write, boards are not held.

    Raises:
        DeployError: it is held, by another process or by this one.
    """

    def __init__(self, folder: Path) -> None:
        self._file: IO[str] | None = None
        try:
            file = (folder / LOCK).open("a+", encoding="utf-8")
        except OSError:  # read-only
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as reason:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            who = "this process" if holder == str(os.getpid()) else f"process {holder}"
            raise DeployError(
                f"virtual board of {folder}", f"{who} is on it", "one at a time, as on a board",
                "close the other one, or wait for its end",
            ) from reason  # fmt: skip
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let others have the board."""
        if self._file is not None:
            self._file.close()
            self._file = None
