"""What an accelerator needs of a board: memory that both sides see, and the registers of its two DMA engines."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

__all__ = ["Board", "Buffer", "Control", "Engine", "Register"]


class Engine(IntEnum):
    """A DMA engine."""

    READ = 0
    """Frames from memory (FINN's idma0)."""
    WRITE = 1
    """Results to memory (FINN's odma0)."""


class Register(IntEnum):
    """Offset of a register, in bytes: the layout of FINN's IODMA."""

    CONTROL = 0x00
    ADDRESS_LOW = 0x10
    ADDRESS_HIGH = 0x14
    FRAMES = 0x1C
    FAILURE = 0x28


class Control(IntEnum):
    """Bits of the control register."""

    START = 1
    DONE = 2
    IDLE = 4


class Buffer(Protocol):
    """Memory at a physical address; both sides see what was written only after :meth:`flush` and :meth:`invalidate`."""

    @property
    def address(self) -> int:
        """Physical address of the first byte, a multiple of 4,096."""

    @property
    def bytes(self) -> npt.NDArray[np.uint8]:
        """The memory as the processor sees it, uint8."""

    def flush(self) -> None:
        """Let the accelerator see what the processor wrote."""

    def invalidate(self) -> None:
        """Let the processor see what the accelerator wrote."""

    def free(self) -> None:
        """Give the memory back."""


class Board(Protocol):
    """A board with the accelerator on it."""

    simulated: bool
    """Whether there is no board, and time is what a simulator takes."""

    def allocate(self, size: int) -> Buffer:
        """Return ``size`` bytes of memory."""

    def write(self, engine: Engine, register: Register, value: int) -> None:
        """Write a register."""

    def read(self, engine: Engine, register: Register) -> int:
        """Read a register; done is cleared by that."""

    def rest(self) -> None:
        """Wait a little before the next look at a register."""

    def cycles(self) -> int | None:
        """Return the accelerator's clock cycles so far; None where nobody counts them."""

    def close(self) -> None:
        """Give everything back."""


def registers_of(board: Board) -> dict[str, dict[str, Any]]:
    """Return what the registers hold, for a message: by engine, by register."""
    return {
        engine.name.lower(): {register.name.lower(): hex(board.read(engine, register)) for register in Register}
        for engine in Engine
    }
