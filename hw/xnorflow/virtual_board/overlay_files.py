"""Writes a virtual overlay into a deployed folder: ``virtual.json``, ``<name>.hwh`` and a virtual ``<name>.bit``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from xnorflow.artifact.files import write_text
from xnorflow.boards.catalog import load_board
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.virtual_board.bit import VirtualBit
from xnorflow.virtual_board.design_files import DesignFiles
from xnorflow.virtual_board.hwh import render_hwh

__all__ = ["write_overlay"]


def write_overlay(folder: Path, library: Path, rtl: Path, *, axi_dma: bool = False, name: str | None = None) -> Path:
    """Write the files that pynq loads, for the board that the folder is for.

    Args:
        folder: with ``accelerator.json``.
        library: compiled shell, in the folder.
        rtl: folder with the memory files, in the folder.
        axi_dma: as for :func:`~xnorflow.virtual_board.layout.layout`.
        name: of the overlay; None: that of the design.

    Returns:
        The ``.bit`` file.

    Raises:
        DeployError: the folder holds no accelerator.
    """
    description = OverlayDescription.load(folder)
    name = name or description.name
    board = load_board(description.board)
    digest = DesignFiles.write(folder, library, rtl).digest
    text = render_hwh(board, name, axi_dma=axi_dma)
    write_text(folder / f"{name}.hwh", text)
    hwh = hashlib.sha256(text.encode()).hexdigest()
    path = folder / f"{name}.bit"
    path.write_bytes(VirtualBit(name, board.name, board.part, axi_dma, digest, hwh).to_bytes())
    return path
