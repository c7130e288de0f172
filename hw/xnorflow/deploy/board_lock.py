"""One process at a time on a board: two would load each other's bitstreams away."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from xnorflow.artifact.errors import DeployError

__all__ = ["LOCK", "hold_board", "release_board"]

LOCK = Path(tempfile.gettempdir()) / "xnorflow_board.lock"
_held = {"descriptor": -1, "users": 0}


def hold_board() -> None:
    """Take the board for this process; accelerators of one process share it, as cells of a notebook that run twice do.

    Raises:
        DeployError: another process has it.
    """
    import fcntl

    if _held["users"] == 0:
        try:
            descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as reason:
            raise DeployError(
                f"this board's lock {LOCK}", str(reason.strerror), "a file that this user may write",
                "run as the user who used the board before, or as root",
            ) from reason  # fmt: skip
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as reason:
            owner = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise DeployError(
                "this board", f"in use by process {owner or 'unknown'}", "one process at a time",
                "end that one, or shut down its notebook's kernel",
            ) from reason  # fmt: skip
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _held["descriptor"] = descriptor
    _held["users"] += 1


def release_board() -> None:
    """Give the board back; the last accelerator of a process does."""
    if _held["users"] == 0:
        return
    _held["users"] -= 1
    if _held["users"] == 0:
        os.close(_held["descriptor"])
