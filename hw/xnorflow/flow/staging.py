"""Replace parts of a folder only when all of them are ready."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from xnorflow.artifact.errors import OutputError

__all__ = ["staged_contents"]

PREFIX = ".staged."


@contextlib.contextmanager
def staged_contents(final: Path) -> Iterator[Path]:
    """Yield a temporary folder inside ``final``; on success its entries replace those of the same names there.

    Other entries of ``final`` stay. When the body raises, Ctrl-C included, ``final`` is as it was. The caller holds the
    output lock, so that a temporary folder found there is what a killed process left, and is removed.

    Raises:
        OutputError: ``final`` cannot be written.
    """
    fresh = not final.exists()
    try:
        final.mkdir(parents=True, exist_ok=True)
        for leftover in final.glob(f"{PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=final))
    except OSError as reason:
        raise OutputError(
            f"output folder {final}",
            reason.strerror or str(reason),
            "a folder you may write to",
            "choose another folder",
        ) from reason
    done = False
    try:
        yield work
        for entry in sorted(work.iterdir()):
            _remove(final / entry.name)
            entry.rename(final / entry.name)
        done = True
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if fresh and not done:
            with contextlib.suppress(OSError):  # not empty: not ours to remove
                final.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
