"""A PYNQ board. pynq is imported when a board is opened, since it is there only."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import DeployError
from xnorflow.deploy.board import Engine, Register
from xnorflow.deploy.overlay import OverlayDescription

__all__ = ["PynqBoard"]

SHELL = "xnorflow_shell_0"
"""The shell's cell in the block design."""
ENGINE_BYTES = 0x10000
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
        return self._array  # type: ignore[no-any-return]

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
        DeployError: pynq is not installed, a file is missing, or the bitstream holds something else.
    """

    simulated = False

    def __init__(self, bitfile: Path, description: OverlayDescription) -> None:
        for path in (bitfile, bitfile.with_suffix(".hwh")):
            if not path.is_file():
                raise DeployError(
                    f"overlay {path}", "missing", "a .bit and the .hwh of the same build beside it",
                    f"build the bitstream for {description.board}, or run on a virtual board",
                )  # fmt: skip
        try:
            import pynq
        except ImportError as reason:
            raise DeployError(
                "package pynq", "not installed", f"a PYNQ image on a {description.board}",
                "run this on the board, or give a virtual one: Accelerator(folder, board=...)",
            ) from reason  # fmt: skip
        self._pynq = pynq
        self._overlay = pynq.Overlay(str(bitfile))
        blocks = [self._overlay.ip_dict.get(f"{SHELL}/s_axi_control_{engine.value}") for engine in Engine]
        if any(block is None for block in blocks):
            raise DeployError(
                f"overlay {bitfile}", f"IP {', '.join(self._overlay.ip_dict) or 'none'}", f"a cell {SHELL}",
                "load a bitstream that was made for this folder",
            )  # fmt: skip
        self._registers = [pynq.MMIO(block["phys_addr"], ENGINE_BYTES) for block in blocks]

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

    def cycles(self) -> None:
        """Return None: nobody counts them."""

    def close(self) -> None:
        """Free the overlay."""
        self._overlay.free()
