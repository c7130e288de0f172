"""Which board an accelerator runs on where nobody says: the one that this is, else a virtual one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import DeployError
from xnorflow.deploy.board import Board
from xnorflow.deploy.overlay import OverlayDescription

__all__ = ["VIRTUAL_BOARDS", "find_board"]

VIRTUAL_BOARDS = "xnorflow.virtual_boards"
"""Group of entry points: callables of a folder that return a board. The workstation's package has one."""


def find_board(folder: Path, description: OverlayDescription) -> Board:
    """Return a PYNQ board where pynq is installed, else a virtual board where one is.

    Args:
        folder: that ``xnorflow deploy`` wrote.
        description: what it holds.

    Raises:
        DeployError: there is neither, or the board cannot be opened.
    """
    if importlib.util.find_spec("pynq") is not None:
        from xnorflow.deploy.pynq_board import PynqBoard

        return PynqBoard(folder / f"{description.name}.bit", description)
    for found in _virtual_boards():
        return found(folder)
    raise DeployError(
        "package pynq", "not installed", f"a PYNQ image on a {description.board}, or a virtual board",
        "run this on the board, or install xnorflow with its simulator here",
    )  # fmt: skip


def _virtual_boards() -> list[Callable[[Path], Board]]:
    entries: Any = metadata.entry_points()
    # Python 3.8 and 3.9 return a dictionary.
    group = entries.get(VIRTUAL_BOARDS, ()) if isinstance(entries, dict) else entries.select(group=VIRTUAL_BOARDS)
    return [entry.load() for entry in group]
