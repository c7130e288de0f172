"""Compiled designs as shared libraries in this process."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path

from xnorflow.artifact.errors import ToolError

__all__ = ["MESSAGE_BYTES", "STARTING", "open_library"]

MESSAGE_BYTES = 1024
"""Room for what a library has to say."""
STARTING = threading.Lock()
"""Held while a design starts: that changes the working folder, which is the whole process's."""


def open_library(library: Path) -> ctypes.CDLL:
    """Load a compiled design.

    Raises:
        ToolError: it cannot be loaded.
    """
    try:
        return ctypes.CDLL(str(library.resolve()))
    except OSError as reason:
        raise ToolError(
            f"compiled design {library}",
            f"cannot be loaded: {reason}",
            "a file that this machine can read and run",
            "give a cluster's machines a folder that all share, and one kind of system",
        ) from reason
