"""A board that is not there: the accelerator's RTL in Verilator, with memory and registers around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import DeployError
from xnorflow.deploy.board import Engine, Register
from xnorflow.simulate.soc import SocModel

__all__ = ["VirtualBoard"]

PAGE = 4096
_REST_CYCLES = 256


class _VirtualBuffer:
    """A part of the simulated memory, and the processor's own view of it, as a cache would hold it."""

    def __init__(self, board: VirtualBoard, address: int, size: int) -> None:
        self._board, self.address, self.size = board, address, size
        self.bytes: npt.NDArray[np.uint8] = np.zeros(size, np.uint8)

    def _memory(self) -> npt.NDArray[np.uint8]:
        start = self.address - self._board.soc.base
        return self._board.soc.memory[start : start + self.size]

    def flush(self) -> None:
        """Copy what the processor wrote into memory."""
        self._memory()[:] = self.bytes

    def invalidate(self) -> None:
        """Copy memory into what the processor sees."""
        self.bytes[:] = self._memory()

    def free(self) -> None:
        """Give the memory back."""
        self._board.release(self)


class VirtualBoard:
    """The board that a :class:`~xnorflow.deploy.accelerator.Accelerator` runs on where there is none.

    The processor's view of a buffer and the memory's are apart, so that a forgotten flush or invalidate is always
    wrong, while on a board it is so now and then.

    Args:
        library: what :func:`~xnorflow.simulate.verilator.compile_design` returned for a shell.
        rtl_dir: folder from which ``$readmemh`` paths are resolved.
        memory: bytes.
        stall: probability that memory pauses, in each cycle and on each channel.
        seed: of the pauses.

    Raises:
        SimulateError: the design cannot start.
    """

    simulated = True

    def __init__(
        self, library: Path, rtl_dir: Path, *, memory: int = 1 << 24, stall: float = 0.0, seed: int = 1
    ) -> None:
        self.soc = SocModel(library, rtl_dir, size=memory, stall=stall, seed=seed)
        self._taken: list[_VirtualBuffer] = []

    def allocate(self, size: int) -> _VirtualBuffer:
        """Return ``size`` bytes of memory.

        Raises:
            DeployError: there is no room.
        """
        start = self.soc.base
        for buffer in sorted(self._taken, key=lambda one: one.address):
            if start + size <= buffer.address:
                break
            start = buffer.address + -(-buffer.size // PAGE) * PAGE
        if start + size > self.soc.base + len(self.soc.memory):
            raise DeployError(
                "virtual board's memory", f"no room for {size:,} bytes", f"{len(self.soc.memory):,} in all",
                "free buffers, or send fewer frames at a time",
            )  # fmt: skip
        buffer = _VirtualBuffer(self, start, size)
        self._taken.append(buffer)
        return buffer

    def release(self, buffer: _VirtualBuffer) -> None:
        """Take a buffer's memory back."""
        self._taken.remove(buffer)

    def write(self, engine: Engine, register: Register, value: int) -> None:
        """Write a register."""
        self.soc.write(engine, register, value)

    def read(self, engine: Engine, register: Register) -> int:
        """Read a register."""
        return self.soc.read(engine, register)

    def rest(self) -> None:
        """Let cycles go by."""
        self.soc.run(_REST_CYCLES)

    def cycles(self) -> int:
        """Return the cycles since the reset."""
        return self.soc.cycles

    def close(self) -> None:
        """Free the simulation."""
        self.soc.close()
