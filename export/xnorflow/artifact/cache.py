"""The user's cache: results of slow tools under the hash of everything that went into them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_directory", "cache_get", "cache_put", "content_key"]


def cache_directory(kind: str) -> Path:
    """Return the folder for cached files of one kind; ``XNORFLOW_CACHE`` overrides its parent.

    The parent is ``xnorflow`` in the platform's cache folder: ``$XDG_CACHE_HOME``, ``~/Library/Caches``,
    ``%LOCALAPPDATA%`` or ``~/.cache``. Deleting it costs time, never results.
    """
    override = os.environ.get("XNORFLOW_CACHE")
    if override:
        return Path(override) / kind
    if sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return parent / "xnorflow" / kind


def content_key(*parts: str | bytes) -> str:
    """Return a hexadecimal key of 32 digits; different lists of parts give different keys."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:32]


def cache_get(kind: str, name: str, target: Path) -> bool:
    """Copy a cached file to ``target``, whole or not at all; return whether there was one."""
    source = cache_directory(kind) / name
    if not source.is_file():
        return False
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
        source.touch()  # cache_put drops the files that were not asked for in the longest time
    except OSError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def cache_put(kind: str, source: Path, name: str, keep: int = 200) -> None:
    """Copy ``source`` into the cache and drop all but the ``keep`` files used last.

    A cache that cannot be written is no cache: nothing is raised.
    """
    folder = cache_directory(kind)
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=folder)
        os.close(handle)
        try:
            shutil.copyfile(source, temporary)
            Path(temporary).replace(folder / name)
        finally:
            Path(temporary).unlink(missing_ok=True)
        by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in by_age[keep:]:
            old.unlink(missing_ok=True)
