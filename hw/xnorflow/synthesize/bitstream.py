"""What a way to a bitstream comes to, and whether a file is Vivado's bitstream for a chip, by its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.synthesize.vivado_report import Timing

__all__ = ["BitstreamReport", "check_bitstream", "part_of"]

_START = bytes.fromhex("00090ff00ff00ff00ff0000001")  # nine bytes of a pattern, then one field
_FIELDS = b"abcd"  # design, part, date, time; then e and the length of the data
_HEADER_BYTES = 4096


@dataclass(frozen=True)
class BitstreamReport:
    """A bitstream, with its hardware handoff.

    Args:
        board: what it is for, by our name.
        part: its chip.
        clock_ns: clock period that it was made for.
        vivado: version.
        timing: routed, of the whole chip.
        files: all that was written, the bitstream first.
    """

    board: str
    part: str
    clock_ns: float
    vivado: str
    timing: Timing
    files: tuple[Path, ...]


def part_of(head: bytes) -> str | None:
    """Return the part that the head of a .bit file names, e.g. ``7z020clg400``; None where it is none."""
    if not head.startswith(_START):
        return None
    place, found = len(_START), {}
    for key in _FIELDS:
        if head[place : place + 1] != bytes([key]):
            return None
        length = int.from_bytes(head[place + 1 : place + 3], "big")
        found[key] = head[place + 3 : place + 3 + length]
        place += 3 + length
    is_whole = head[place : place + 1] == b"e"
    return found[_FIELDS[1]].rstrip(b"\0").decode("ascii", errors="replace") if is_whole else None


def check_bitstream(path: Path, part: str, log: Path) -> None:
    """Refuse what is no bitstream, or one for another chip.

    Args:
        path: the file.
        part: the chip, e.g. ``xc7z020clg400-1``.
        log: where to look.

    Raises:
        SynthesizeError: naming what was found.
    """
    with path.open("rb") as stream:
        found = part_of(stream.read(_HEADER_BYTES))
    if found is None:
        raise SynthesizeError(f"bitstream {path}", "no header of a .bit file", f"a bitstream for {part}", f"see {log}")
    if not part.removeprefix("xc").startswith(found.removeprefix("xc")):
        raise SynthesizeError(f"bitstream {path}", f"is for {found}", f"one for {part}", f"see {log}")
