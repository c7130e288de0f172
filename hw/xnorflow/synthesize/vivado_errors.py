"""What went wrong in one of AMD's tools, told from its log in one line."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xnorflow.artifact.errors import OutputError, SynthesizeError, ToolError, UserError

__all__ = ["disk_full", "explain", "newest_failure", "telling_of_full_disks"]

_ERROR = re.compile(r"^\s*(?:ERROR|FATAL|CRITICAL ERROR)\s*:?\s*(.*)$", re.MULTILINE)
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_LICENSE = re.compile(r"^.*(?:Common 17-345|Common 17-348|valid license was not found|license check-?out failed).*$",
                      re.IGNORECASE | re.MULTILINE)  # fmt: skip
_BOARD = re.compile(r"\[Board 49-71\].*?not found for ([\w.:-]+?)[.,;]?(?:\s|$)")
_PART = re.compile(r"(?<=ERROR: )\[[^\]\n]+\].*\bpart\b.*(?:not be found|not found|invalid|not installed).*")
_CPP = re.compile(r"ERROR: \[HLS 207-\d+\] (.+?)\s*\(([^():\s]+):(\d+)(?::\d+)?\)")
_TAIL_LINES, _TAIL_CHARACTERS = 3, 300


def _line(text: str) -> str:
    return " ".join(text.split())[:_TAIL_CHARACTERS]


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-_TAIL_LINES:])[-_TAIL_CHARACTERS:]


def disk_full(where: str, folder: Path, log: Path | None = None) -> OutputError:
    """Return the error of a disk that is full."""
    see = f"; see {log}" if log else ""
    return OutputError(
        where, f"no space left on the disk of {folder}", "some GB for Vivado's project",
        f"make room and run the command again with --resume{see}",
    )  # fmt: skip


@contextmanager
def telling_of_full_disks(where: str, folder: Path) -> Iterator[None]:
    """Run the body; where it ends since the disk, or one's share of it, is full, raise :func:`disk_full`'s error."""
    try:
        yield
    except OSError as reason:
        if reason.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(where, folder) from reason
        raise


def explain(where: str, found: str, text: str, log: Path) -> UserError:
    """Return the error that a log tells of.

    Args:
        where: what the tool worked on.
        found: what is known without the log, e.g. the exit code.
        text: the log.
        log: where it lies.
    """
    see = f"see {log}"
    if _FULL.search(text):
        return disk_full(where, log.parent, log)
    if match := _LICENSE.search(text):
        return ToolError(
            "Vivado's license", _line(match[0]), "a license for this part (small parts need none)",
            f"set XILINXD_LICENSE_FILE, or install a license; {see}",
        )  # fmt: skip
    if match := _BOARD.search(text):
        return ToolError(
            "Vivado's board files", f"{match[1]} is not among them", "the board's own files",
            f"put them into the folder board_files of FINN_DEPS, or install them from Vivado's board store; {see}",
        )  # fmt: skip
    if match := _PART.search(text):
        return ToolError("Vivado's parts", _line(match[0]), "an installation with this family", f"install it; {see}")
    if match := _CPP.search(text):
        source, line = Path(match[2]), match[3]
        return SynthesizeError(where, f"{source.name}, line {line}: {_line(match[1])}", "C++ that Vitis HLS takes", see)
    if match := _ERROR.search(text):
        return SynthesizeError(where, f"{found}: {_line(match[1])}; the log ends: {_tail(text)}", fix=see)
    return SynthesizeError(where, f"{found}; the log ends: {_tail(text) or 'empty'}", fix=see)


def newest_failure(folder: Path) -> Path | None:
    """Return the log below ``folder`` that tells most of a failure; None where there is none.

    FINN's scripts hide the exit code of the tools that they call, so their logs are what tells.

    Returns:
        The last that holds an error, else the last at all.
    """
    names = ("vivado.log", "vitis_hls.log", "runme.log")
    logs = sorted(
        (path for name in names for path in folder.rglob(name)), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in logs:
        text = path.read_text(encoding="utf-8", errors="replace")
        if any(pattern.search(text) for pattern in (_ERROR, _FULL, _LICENSE)):
            return path
    return logs[0] if logs else None
