"""``xnorflow board``: virtual boards for pynq, as a server or for one script."""

from __future__ import annotations

import dataclasses
import filecmp
import os
from collections.abc import Sequence
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import UserError
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Board, load_board
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.flow.board_environment import board_python, board_variables
from xnorflow.flow.folders import Folders
from xnorflow.flow.session import working_in
from xnorflow.virtual_board.bit import VirtualBit
from xnorflow.virtual_board.design_files import DESIGN_FILES, DesignFiles
from xnorflow.virtual_board.overlay_files import write_overlay

__all__ = ["prepare", "run", "start"]

BOARDS = "virtual_board"
GOLDEN_FRAMES = 20


def start(directory: Path, board: str | None, port: int, *, quiet: bool) -> None:
    """Serve a virtual board to PYNQ.remote; this process becomes the server.

    Raises:
        UserError: there is no design, no such board, or no environment for it.
    """
    python = board_python()
    folder, name = prepare(directory, board, quiet=quiet)
    options = ["--design", str(folder), "--board", name, "--port", str(port)]
    _become(python, "xnorflow.virtual_board.server", options)


def run(
    directory: Path, board: str | None, script: str, arguments: Sequence[str], *, module: bool, quiet: bool
) -> None:
    """Run a script of pynq on a virtual board; this process becomes that of the script.

    Raises:
        UserError: as for :func:`start`.
    """
    python = board_python()
    folder, name = prepare(directory, board, quiet=quiet)
    options = ["--design", str(folder), "--board", name, *["-m"] * module, script, *arguments]
    _become(python, "xnorflow.virtual_board.run", options)


def _become(python: Path, module: str, options: Sequence[str]) -> None:
    os.execve(python, [str(python), "-m", module, *options], board_variables())


def prepare(directory: Path, board: str | None, *, quiet: bool) -> tuple[Path, str]:
    """Write what a virtual board needs, unless it is there, and return the folder and the board's name.

    Args:
        directory: run or build, which gets a folder ``virtual_board/<board>``; or a deployed folder, taken as it is.
        board: name; None: the one that the design was built for.
        quiet: show no progress.

    Raises:
        UserError: there is no design in RTL, no such board, the folder cannot be written, or the simulation not built.
    """
    if (directory / DESIGN_FILES).is_file():
        return directory, load_board(board or OverlayDescription.load(directory).board).name
    folders = Folders.find(directory)
    design = folders.load_rtl_design()
    chosen = load_board(board or design.board)
    design = dataclasses.replace(design, board=chosen.name, part=chosen.part)
    target = folders.root / BOARDS / chosen.name
    if not _is_current(target, folders, design, chosen):
        with working_in(folders.root, quiet=quiet) as session, session.progress.task("virtual board") as advance:
            _write(target, folders, design, chosen, session.progress)
            advance(0, str(target))
    return target, chosen.name


def _write(target: Path, folders: Folders, design: Design, board: Board, progress: Progress) -> None:
    # Loaded only where there is something to write: FINN takes seconds.
    from xnorflow.flow.deploy import DATA_BITS, RTL, compile_shell, write_folder

    write_folder(folders, design, target, GOLDEN_FRAMES, DATA_BITS[board.family], progress)
    library = compile_shell(target, progress)
    name = OverlayDescription.load(target).name
    write_overlay(target, library, target / RTL, axi_dma=True, name=f"{name}_axi_dma")
    write_overlay(target, library, target / RTL)


def _is_current(target: Path, folders: Folders, design: Design, board: Board) -> bool:
    """Return whether a folder holds this design for this board, whole."""
    try:
        found = OverlayDescription.load(target)
        files = DesignFiles.load(target)
        files.check()
        bit = VirtualBit.parse((target / f"{found.name}.bit").read_bytes())
        rtl = target / files.rtl
        same = all(filecmp.cmp(folders.build / name, rtl / Path(name).name, False) for name in design.sources)
    except (UserError, OSError):
        return False
    wanted = (design.artifact_sha256, design.clock_ns, design.cycles_per_frame, design.input, design.output)
    has = (found.artifact_sha256, found.clock_ns, found.cycles_per_frame, found.input, found.output)
    return same and wanted == has and (bit.board, bit.design) == (board.name, files.digest)
