"""The board's files, in memory: none of the machine's own is read or written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from xnorflow.virtual_board.limits import MOST_FILE_BYTES, MOST_FILES, Code, RefusedError, shown

__all__ = ["FIRMWARE", "MANAGER", "Arrival", "FileStore", "checked_path"]

MANAGER = "/sys/class/fpga_manager/fpga0"
FIRMWARE = "/lib/firmware/"
SCRATCH = "/tmp/"
LONGEST_NAME = 255
"""Characters of a file's name."""


class FileStore:
    """Files by path: fixed ones, and those that clients put into ``/lib/firmware`` and ``/tmp``.

    Args:
        fixed: content by path.
    """

    def __init__(self, fixed: dict[str, bytes]) -> None:
        self._fixed = fixed
        self._written: dict[str, bytes | bytearray] = {}
        self._arriving = 0  # bytes of unfinished writes
        self._lock = threading.Lock()

    def exists(self, path: str) -> bool:
        """Return whether there is a file."""
        return path in self._fixed or path in self._written

    def read(self, path: str) -> bytes | bytearray:
        """Return a file's content.

        Raises:
            RefusedError: there is none.
        """
        content = self._fixed.get(path, self._written.get(path))
        if content is None:
            raise RefusedError(Code.NOT_FOUND, f"file {shown(path)}", "missing on the virtual board")
        return content

    def take(self, path: str) -> bytes:
        """Return a file that a client wrote, and remove it.

        Raises:
            RefusedError: there is none.
        """
        with self._lock:
            content = self._written.pop(path, None)
        if content is None:
            raise RefusedError(
                Code.NOT_FOUND, f"file {shown(path)}", "missing on the virtual board", "", "write it first"
            )
        return bytes(content)

    def fix(self, path: str, content: bytes) -> None:
        """Change a fixed file."""
        self._fixed[path] = content

    @contextmanager
    def arrival(self, most: int = MOST_FILE_BYTES) -> Iterator[Arrival]:
        """Take the bytes of a file; what was counted for them is given back at the end, put or not.

        Args:
            most: bytes.
        """
        arrival = Arrival(self, most)
        try:
            yield arrival
        finally:
            with self._lock:
                self._arriving -= len(arrival.content)

    def grow(self, size: int) -> None:
        """Count bytes of a file that arrives.

        Raises:
            RefusedError: there is no room for them.
        """
        with self._lock:
            held = self._arriving + sum(map(len, self._written.values())) + size
            if held > MOST_FILE_BYTES:
                raise RefusedError(
                    Code.RESOURCE_EXHAUSTED, "files of the virtual board", f"{held:,} bytes",
                    f"{MOST_FILE_BYTES:,} in all", "write less, or start the board again",
                )  # fmt: skip
            self._arriving += size

    def put(self, path: str, content: bytearray) -> None:
        """Put what has arrived at its place, whole.

        Raises:
            RefusedError: there are too many files.
        """
        with self._lock:
            if path not in self._written and len(self._written) >= MOST_FILES:
                raise RefusedError(
                    Code.RESOURCE_EXHAUSTED, f"file {shown(path)}", f"one more than {MOST_FILES} on the virtual board",
                    f"{MOST_FILES}", "start the board again",
                )  # fmt: skip
            self._written[path] = content


class Arrival:
    """A file whose bytes come in.

    Args:
        store: that has room for them.
        most: bytes.
    """

    def __init__(self, store: FileStore, most: int) -> None:
        self._store, self._most = store, most
        self.content = bytearray()

    def add(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            RefusedError: they are too many.
        """
        size = len(self.content) + len(data)
        if size > self._most:
            raise RefusedError(Code.RESOURCE_EXHAUSTED, "file", f"{size:,} bytes", f"{self._most:,}", "write less")
        self._store.grow(len(data))
        self.content += data


def checked_path(path: str) -> str:
    """Return a path that clients may write.

    Raises:
        RefusedError: it is another one.
    """
    folder = next((folder for folder in (FIRMWARE, SCRATCH) if path.startswith(folder)), "")
    name = path[len(folder) :]
    if not folder or not 0 < len(name) <= LONGEST_NAME or "/" in name or name[0] == "." or not name.isprintable():
        raise RefusedError(
            Code.PERMISSION_DENIED, f"file {shown(path)}", "cannot be written on the virtual board",
            f"{FIRMWARE}NAME, {SCRATCH}NAME, {MANAGER}/flags and {MANAGER}/firmware",
        )  # fmt: skip
    return path
