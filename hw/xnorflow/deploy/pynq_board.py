"""A PYNQ board. pynq is imported when a board is opened, since it is there only."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xnorflow.artifact.errors import DeployError
from xnorflow.deploy.bitfile import check_part
from xnorflow.deploy.board import Engine, Register
from xnorflow.deploy.board_lock import hold_board, release_board
from xnorflow.deploy.overlay import OverlayDescription

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

__all__ = ["CELLS", "CYCLES", "VIRTUAL_MARK", "PynqBoard"]

CELLS = {Engine.READ: "idma0", Engine.WRITE: "odma0"}
"""The engines' cells in the block design: FINN's names."""
CYCLES = "virtual_board_cycles"
"""A cell that only virtual boards have: it counts the clock cycles that were simulated."""
VIRTUAL_MARK = b"xnorflow VIRTUAL bitstream"
"""In bit files for virtual boards, behind the header."""
ENGINE_BYTES = 0x10000
SAME_BOARDS = {"Pynq-Z1", "Pynq-Z2"}
"""Boards of one part, whose bitstreams run on each other: accelerators use no pins."""
_REST_SECONDS = 2e-5


class _PynqBuffer:
    """Contiguous memory by ``pynq.allocate``."""

    def __init__(self, array: Any) -> None:
        self._array = array

    @property
    def address(self) -> int:
        return int(self._array.device_address)

    @property
    def bytes(self) -> npt.NDArray[np.uint8]:
        return np.asarray(self._array)  # a plain view: slices of slices of pynq's remote buffers do not work

    def flush(self) -> None:
        self._array.flush()

    def invalidate(self) -> None:
        self._array.invalidate()

    def free(self) -> None:
        self._array.freebuffer()


class PynqBoard:
    """The board that this runs on, with a bitstream loaded.

    Args:
        bitfile: bitstream, its ``.hwh`` beside it.
        description: what it holds.

    Raises:
        DeployError: pynq is not installed, a file is missing, the bitstream is for another part or board or holds
            something else, or another process uses the board.
    """

    def __init__(self, bitfile: Path, description: OverlayDescription) -> None:
        for path in (bitfile, bitfile.with_suffix(".hwh")):
            if not path.is_file():
                raise DeployError(
                    f"overlay {path}", "missing", "a .bit and the .hwh of the same build beside it",
                    f"build the bitstream for {description.board}, or run on a virtual board",
                )  # fmt: skip
        check_part(bitfile, description.part, description.board)
        _check_board(description.board)
        try:
            import pynq
        except ImportError as reason:
            raise DeployError(
                "package pynq", f"cannot be imported: {reason}", f"a PYNQ image on a {description.board}",
                "run this on the board, or give a virtual one: Accelerator(folder, board=...)",
            ) from reason  # fmt: skip
        if VIRTUAL_MARK in bitfile.read_bytes() and type(pynq.Device.active_device).__name__ == "EmbeddedDevice":
            raise DeployError(
                f"overlay {bitfile}", "for virtual boards, it holds no logic", f"a bitstream for {description.board}",
                "build it by `xnorflow synthesize --target vivado`",
            )  # fmt: skip
        self._pynq = pynq
        hold_board()
        self._open = True
        try:
            self._load(bitfile)
        except BaseException:
            release_board()
            raise

    def _load(self, bitfile: Path) -> None:
        self._overlay = self._pynq.Overlay(str(bitfile))
        blocks = [self._overlay.ip_dict.get(CELLS[engine]) for engine in Engine]
        if any(block is None for block in blocks):
            found = ", ".join(self._overlay.ip_dict) or "none"
            raise DeployError(
                f"overlay {bitfile}", f"IP {found}", f"cells {' and '.join(CELLS.values())}",
                "load a bitstream that was made for this folder",
            )  # fmt: skip
        self._registers = [self._pynq.MMIO(block["phys_addr"], ENGINE_BYTES) for block in blocks]
        counter = self._overlay.ip_dict.get(CYCLES)
        self.simulated = counter is not None
        self._counter = None if counter is None else self._pynq.MMIO(counter["phys_addr"], ENGINE_BYTES)

    def allocate(self, size: int) -> _PynqBuffer:
        """Return ``size`` bytes of contiguous memory."""
        return _PynqBuffer(self._pynq.allocate((size,), np.uint8))

    def write(self, engine: Engine, register: Register, value: int) -> None:
        """Write a register."""
        self._registers[engine].write(int(register), int(value))

    def read(self, engine: Engine, register: Register) -> int:
        """Read a register."""
        return int(self._registers[engine].read(int(register)))

    def rest(self) -> None:
        """Wait some microseconds."""
        time.sleep(_REST_SECONDS)

    def cycles(self) -> int | None:
        """Return the clock cycles that a virtual board simulated; None on a board, where nobody counts them."""
        if self._counter is None:
            return None
        low = int(self._counter.read(0))  # holds the high half, too
        return int(self._counter.read(4)) << 32 | low

    def close(self) -> None:
        """Free the overlay; a second time does nothing."""
        if self._open:
            self._open = False
            self._overlay.free()
            release_board()


def _check_board(board: str) -> None:
    """Refuse a board that says it is another one; PYNQ's images say it in the environment."""
    here = os.environ.get("BOARD", "")
    if here and here != board and {here, board} != SAME_BOARDS:
        raise DeployError(
            "this board", f"a {here}", f"a {board}, which this folder was made for",
            f"build for it: xnorflow build ... --board {here}",
        )  # fmt: skip
