"""What a ``.bit`` file says of itself in front of its data: the part it is for."""

from __future__ import annotations

from pathlib import Path

from xnorflow.artifact.errors import DeployError

__all__ = ["check_part", "read_part"]

_MOST_HEADER = 4096


def read_part(bitfile: Path) -> str:
    """Return the part that a bitstream is for, e.g. ``7z020clg400`` or ``xczu7ev-ffvc1156-2-e``.

    The header is a list of fields: a length of two bytes, a constant, then keys ``a`` (design) and ``b`` (part), each
    with a length of two bytes and a string that ends in a zero.

    Raises:
        DeployError: the file is none, or cannot be read.
    """
    try:
        with bitfile.open("rb") as stream:
            header = stream.read(_MOST_HEADER)
        place = 2 + int.from_bytes(header[:2], "big") + 2
        fields = {}
        for _ in range(2):
            key, size = header[place : place + 1], int.from_bytes(header[place + 1 : place + 3], "big")
            fields[key] = header[place + 3 : place + 3 + size].rstrip(b"\0").decode("ascii")
            place += 3 + size
        return fields[b"b"]
    except (OSError, KeyError, UnicodeDecodeError) as reason:
        raise DeployError(
            f"overlay {bitfile}", "not a bitstream", "a .bit file as Vivado writes it, not a .bin",
            "copy it again from where it was built",
        ) from reason  # fmt: skip


def check_part(bitfile: Path, part: str, board: str) -> None:
    """Refuse a bitstream of another part.

    Raises:
        DeployError: it is for another one, or is none.
    """
    found = read_part(bitfile)
    if not _bare(part).startswith(_bare(found)) or not found:
        raise DeployError(
            f"overlay {bitfile}", f"a bitstream for {found or 'no part'}", f"{part}, the part of a {board}",
            "take the bitstream that was built for this folder",
        )  # fmt: skip


def _bare(part: str) -> str:
    """Return a part without the letters that headers of the 7 series leave out."""
    return part[2:].lower() if part.lower().startswith("xc") else part.lower()
