"""What surrounds a command that works in a folder: lock, log file, a terminal free of other libraries' chatter."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import OutputError, UserError
from xnorflow.artifact.files import disk_full, output_lock
from xnorflow.flow.progress import RichProgress, console_for

__all__ = ["LOG_NAME", "Session", "end_children", "working_in"]

LOG_NAME = "build.log"
GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Session:
    """A command at work.

    Args:
        progress: draws on the real terminal.
        log: file that takes what libraries and tools print.
    """

    progress: RichProgress
    log: Path


@contextlib.contextmanager
def working_in(folder: Path, *, quiet: bool = False) -> Iterator[Session]:
    """Lock ``folder`` and send all output except the session's own to its log file.

    File descriptors 1 and 2 themselves are turned, so that child processes and C++ libraries write to the log too.

    Raises:
        OutputError: the folder cannot be written, or another process holds it; whatever the body raises on a full disk.
    """
    with output_lock(folder):
        log = folder / LOG_NAME
        with _redirected(log) as terminal, os.fdopen(terminal, "w", encoding="utf-8") as stream:
            try:
                yield Session(RichProgress(console_for(stream), quiet=quiet), log)
            except Exception as reason:
                with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
                    traceback.print_exception(reason, file=file)
                # An OutputError says where already.
                full = None if isinstance(reason, OutputError) else disk_full(folder, reason)
                if full is not None:
                    raise full from reason
                if not isinstance(reason, UserError):
                    reason.add_note(f"(traceback in {log})")
                raise


@contextlib.contextmanager
def _redirected(log: Path) -> Iterator[int]:
    """Point standard output and error at ``log``; yields a descriptor of the former standard output."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as reason:
        raise OutputError(f"log file {log}", reason.strerror or str(reason), "a file you may write to") from reason
    kept = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    try:
        yield os.dup(kept[0])
    finally:
        _flush()
        for descriptor, original in zip((1, 2), kept, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def _flush() -> None:
    """Flush what was printed into the log; on a full disk it is dropped, lest it come out on the terminal."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
            stream.flush()


def end_children() -> None:
    """Terminate all descendants of this process, and kill those that do not end in time."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(children, timeout=GRACE_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
