"""The generalized parallel counters that plans are made of: which bits they take, what they cost.

All of them stand on one carry chain of at most four positions. A *pair* is two positions of the chain which add six
bits of one weight and the carry that comes in: the first LUT6_2 gives the parity of six and of five bits, the second
tells whether those five hold one or two pairs. A *single* is one position that adds two bits and the carry, a full
adder. The bit that goes into the chain's start comes for nothing, and the last carry is an output.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

__all__ = ["COUNTERS", "Atom", "Counter"]


class Atom(StrEnum):
    """A part of a carry chain."""

    PAIR = "pair"
    """Six bits of weight w on two positions, which give w and 2w."""
    SINGLE = "single"
    """Two bits of weight w on one position, which gives w."""

    @property
    def bits(self) -> int:
        """Bits that it adds, the carry not counted."""
        return 6 if self is Atom.PAIR else 2

    @property
    def positions(self) -> int:
        """Positions of the chain, each one LUT6_2."""
        return 2 if self is Atom.PAIR else 1


@dataclass(frozen=True)
class Counter:
    """A counter of bits of several weights.

    Args:
        atoms: along the chain, the least weight first.
    """

    atoms: tuple[Atom, ...]

    @property
    def takes(self) -> tuple[int, ...]:
        """Bits taken of weight 1, 2, 4..., that of the chain's start included."""
        counts: list[int] = []
        for atom in self.atoms:
            counts += [atom.bits] + [0] * (atom.positions - 1)
        return counts[0] + 1, *counts[1:]

    @property
    def pairs(self) -> int:
        """Positions where a pair starts, as bits: parameter ``Pairs`` of ``xnorflow_counter``."""
        starts = accumulate((atom.positions for atom in self.atoms), initial=0)
        return sum((atom is Atom.PAIR) << start for atom, start in zip(self.atoms, starts, strict=False))

    @property
    def gives(self) -> int:
        """Bits given: one of each weight 1, 2, 4..."""
        return len(self.takes) + 1

    @property
    def luts(self) -> int:
        """LUT6_2, one a position."""
        return len(self.takes)

    @property
    def removes(self) -> int:
        """Bits fewer behind it than in front of it."""
        return sum(self.takes) - self.gives


_P, _S = Atom.PAIR, Atom.SINGLE
COUNTERS = tuple(
    Counter(atoms)
    for atoms in ((_P, _P), (_P,), (_P, _S, _S), (_P, _S), (_S, _P, _S), (_S, _S, _P), (_S, _P),
                  (_S, _S, _S, _S), (_S, _S, _S), (_S, _S), (_S,))
)  # fmt: skip
"""(6,0,7;5), (7;3), (2,2,0,7;5), (2,0,7;4)...: most bits removed per LUT first."""
