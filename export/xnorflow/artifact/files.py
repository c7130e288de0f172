"""Writing results so that nothing is ever half-written: temporary folder, then rename."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import OutputError

__all__ = [
    "UNREADABLE", "copy_together", "disk_full", "make_folder", "output_lock", "replaced", "sha256_of",
    "stage_directory", "write_json", "write_text",
]  # fmt: skip

UNFINISHED = ".unfinished-"
FULL = (errno.ENOSPC, errno.EDQUOT)
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading an .npz file raises that is missing, damaged or without an array."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def disk_full(folder: Path, reason: BaseException | None) -> OutputError | None:
    """Return what to tell the user where a full disk, or a quota, is behind ``reason``; None where it is not.

    Args:
        folder: where results go; the system does not always say which file it was.
        reason: an exception, with those that it was raised from.
    """
    while reason is not None:
        if isinstance(reason, OSError) and reason.errno in FULL:
            return OutputError(
                f"output folder {folder}", f"no space left on its disk, or on that of {tempfile.gettempdir()}",
                fix="make room and give the same command again; what was finished before is as it was",
            )  # fmt: skip
        reason = reason.__cause__ or reason.__context__
    return None


def _unwritable(path: Path, reason: OSError) -> OutputError:
    full = disk_full(path, reason)
    if full is not None:
        return full
    return OutputError(
        f"output folder {path}", reason.strerror or str(reason), "a folder you may write to", "choose another folder"
    )


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise _unwritable(path, reason) from reason


@contextlib.contextmanager
def stage_directory(final: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``final`` and rename it to ``final`` on success.

    An earlier ``final`` stays as it was until the new one is complete, and for good when the body raises
    (Ctrl-C included). What a killed process left beside it is removed; one process at a time may write ``final``.

    Raises:
        OutputError: the parent folder cannot be written.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        previous = _clear_leftovers(final)
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}{UNFINISHED}", dir=final.parent))
    except OSError as reason:
        raise _unwritable(final, reason) from reason
    try:
        yield work
        work.chmod(0o755)
        if final.exists():
            final.rename(previous)
        work.rename(final)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _clear_leftovers(final: Path) -> Path:
    """Undo what a process killed in :func:`stage_directory` left; returns where an earlier folder is to step aside."""
    previous = final.with_name(f".{final.name}.previous")
    if previous.exists() and not final.exists():  # killed between the two renames
        previous.rename(final)
    for leftover in (previous, *final.parent.glob(f".{glob.escape(final.name)}{UNFINISHED}*")):
        shutil.rmtree(leftover, ignore_errors=True)
    return previous


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a file name beside ``path``; what the body writes there takes the place of ``path`` on success.

    When the body raises, Ctrl-C included, an earlier ``path`` stays as it was and nothing else is left.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=f".{path.name}", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(0o644)
        Path(name).rename(path)
    finally:
        Path(name).unlink(missing_ok=True)


def copy_together(copies: Mapping[Path, Path]) -> None:
    """Copy files, and put the copies in their places only once all of them are written; makes folders.

    Args:
        copies: from target to source.

    Raises:
        OSError: one could not be written. Unless that was the last renaming's, earlier targets are as they were.
    """
    with contextlib.ExitStack() as stack:
        for target, source in copies.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, stack.enter_context(replaced(target)))


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` through a temporary file and a rename.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as reason:
        raise _unwritable(path.parent, reason) from reason


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as indented JSON, keys in the order given, through :func:`write_text`."""
    write_text(path, json.dumps(content, indent=2) + "\n")


@contextlib.contextmanager
def output_lock(directory: Path) -> Iterator[None]:
    """Hold ``directory`` for this process, so that two runs never write into the same folder.

    The lock is a file naming the process; it is removed on the way out, after Ctrl-C too. One left behind by a process
    that no longer exists is taken over.

    Raises:
        OutputError: another living process holds the folder, or it cannot be written.
    """
    lock = directory / ".lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _take(lock)
    except OSError as reason:
        raise _unwritable(directory, reason) from reason
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    for _ in range(2):
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            holder = lock.read_text(encoding="utf-8").strip()
            if holder.isdigit() and Path(f"/proc/{holder}").exists():
                raise OutputError(
                    f"output folder {lock.parent}",
                    f"process {holder} is writing to it",
                    fix=f"wait for it to end, or remove {lock} if it is not an xnorflow process",
                ) from None
            lock.unlink(missing_ok=True)
        else:
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(f"{os.getpid()}\n")
            except OSError:  # a full disk
                lock.unlink(missing_ok=True)
                raise
            return
    raise OutputError(f"output folder {lock.parent}", "its lock keeps changing hands", fix="run one xnorflow at a time")
