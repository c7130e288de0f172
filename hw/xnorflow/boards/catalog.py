"""Boards that designs are made for: what their chip holds, read from one TOML file a board."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from xnorflow.boards.lookup import find_board, read_files

__all__ = ["Board", "Family", "board_names", "load_board"]


class Family(StrEnum):
    """Chip family, by the name that ``synth_xilinx -family`` knows."""

    XC7 = "xc7"
    """7-series: CARRY4, RAMB18E1/RAMB36E1, DSP48E1."""
    XCUP = "xcup"
    """UltraScale+: CARRY8, RAMB18E2/RAMB36E2, DSP48E2."""


@dataclass(frozen=True)
class Board:
    """A board and the budget of its chip.

    Args:
        name: the name that configurations use, e.g. ``Pynq-Z2``.
        part: full part string, e.g. ``xc7z020clg400-1``.
        board_part: Vivado's name of the board's files, the oldest version that will do.
        family: chip family.
        lut: six-input LUTs.
        ff: flip-flops.
        lutram: LUTs, of those in ``lut``, that can serve as memory.
        bram36: block RAMs of 36 Kbit; each is two of 18 Kbit.
        dsp: DSP slices.
        clock_ns: clock period that a build assumes where the configuration names none.
    """

    name: str
    part: str
    board_part: str
    family: Family
    lut: int
    ff: int
    lutram: int
    bram36: int
    dsp: int
    clock_ns: float


@cache
def _catalog() -> dict[str, Board]:
    boards = {}
    for content in read_files(files(__package__)):
        boards[content["name"]] = Board(
            name=content["name"],
            part=content["part"],
            board_part=content["board_part"],
            family=Family(content["family"]),
            clock_ns=float(content["clock_ns"]),
            **content["resources"],
        )
    return boards


def board_names() -> tuple[str, ...]:
    """Return the names of all boards, sorted."""
    return tuple(_catalog())


def load_board(name: str) -> Board:
    """Return the board called ``name``; upper and lower case are the same.

    Raises:
        ConfigError: there is no such board; the message names the nearest one and all of them.
    """
    return find_board("board", name, _catalog())
