"""What hangs on the virtual board's bus: errors of accesses, and registers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from xnorflow.artifact.errors import UserError

__all__ = ["BusError", "RegisterFile", "Slave"]

WORD = 0xFFFF_FFFF


class BusError(UserError):
    """An access that a real board would answer by an error, a signal or not at all; or memory that is used up."""


class Slave(Protocol):
    """A range of addresses with registers of 32 bits."""

    def read(self, offset: int) -> int:
        """Return the register at a multiple of 4."""

    def write(self, offset: int, value: int) -> None:
        """Write the register at a multiple of 4."""


class RegisterFile:
    """Registers that give back what was written, and do nothing else.

    Args:
        reset: values at the start by offset; all others are 0.
        fixed: offsets of registers that must not change.
    """

    def __init__(self, reset: Mapping[int, int] | None = None, fixed: Collection[int] = ()) -> None:
        self._values, self._fixed = dict(reset or {}), fixed

    def read(self, offset: int) -> int:
        """Return a register."""
        return self._values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register.

        Raises:
            BusError: another value for a fixed one.
        """
        if offset in self._fixed and value & WORD != self._values[offset]:
            raise BusError(
                f"register at offset {offset:#x}", f"{value:#x} written", f"{self._values[offset]:#x}",
                "it clocks the processor itself, which a real board would stop with",
            )  # fmt: skip
        self._values[offset] = value & WORD
