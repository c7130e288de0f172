"""What the cycle model knows of any module of the RTL library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

__all__ = ["Machine", "clog2"]


def clog2(number: int) -> int:
    """Return the bits of ``number - 1``, as SystemVerilog's ``$clog2`` does."""
    return (number - 1).bit_length()


@dataclass(frozen=True)
class Machine(ABC):
    """A module with its handshakes. All parameters are whole numbers.

    Raises:
        ValueError: a parameter is out of the range that the RTL checks.
    """

    inputs: ClassVar[int] = 1
    lowest: ClassVar[dict[str, int]] = {}
    """Least values of the parameters for which it is not 1."""

    def __post_init__(self) -> None:
        """Check the range of every parameter."""
        for field in fields(self):
            value, least = getattr(self, field.name), self.lowest.get(field.name, 1)
            if value < least:
                raise ValueError(f"{type(self).__name__}: {field.name} is {value}, expected at least {least}")

    @property
    def output_count(self) -> int:
        """Streams that leave it."""
        return 1

    @property
    @abstractmethod
    def beats(self) -> tuple[int, int]:
        """Least number of beats that it takes from each input and gives on each output to be as it was before."""

    @property
    @abstractmethod
    def cycles(self) -> int:
        """Cycles for these beats while they are offered and taken."""

    @property
    @abstractmethod
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Kind of state machine and its numbers, as machines.hpp reads them."""

    def _must_divide(self, part: str, whole: str) -> None:
        small, large = getattr(self, part), getattr(self, whole)
        if large % small:
            raise ValueError(f"{type(self).__name__}: {part} is {small}, expected a divisor of {whole}, {large}")
