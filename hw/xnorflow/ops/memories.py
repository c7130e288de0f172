"""Memories of one write and one read port: where yosys puts them, and what they take on a 7-series chip."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Memory", "Rom", "block_ram18"]

ASPECTS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
"""Bits and words of an 18 Kib block; two of them are one of 36 Kib."""
COST_LUTRAM = 8
COST_BLOCK = 129
"""What yosys's memory library lets one RAM32M or RAM64M, four LUTs, and an 18 Kib block cost."""


def block_ram18(bits: int, words: int) -> int:
    """Return the 18 Kib blocks of a memory in block RAM."""
    return min(math.ceil(bits / wide) * math.ceil(words / deep) for wide, deep in ASPECTS)


@dataclass(frozen=True)
class Rom:
    """A memory in block RAM that is only read.

    A block is cut by words: what lies above them is other bits of the same words, and a multiplexer behind it chooses.

    Args:
        bits: of a word.
        words: 1 or more.
    """

    bits: int
    words: int

    def _banks(self) -> tuple[int, int]:
        """Return 18 Kib blocks and how many words share an address: as few blocks as can be, then as few words."""
        ways = ((wide, math.ceil(self.words / deep)) for wide, deep in ASPECTS)
        return min((math.ceil(self.bits * banks / wide), banks) for wide, banks in ways)

    @property
    def bram18(self) -> int:
        """18 Kib blocks."""
        return self._banks()[0]

    @property
    def luts(self) -> int:
        """LUTs of the multiplexer: three more words each."""
        return self.bits * math.ceil((self._banks()[1] - 1) / 3)


@dataclass(frozen=True)
class Memory:
    """A memory.

    Args:
        bits: of a word.
        words: 2 or more.
    """

    bits: int
    words: int

    @property
    def style(self) -> str:
        """``MemoryStyle`` of a module whose memory goes where it costs less: "distributed" or "block"."""
        lutram = COST_LUTRAM * self.lutram_luts // 4
        return "block" if lutram > COST_BLOCK * block_ram18(self.bits, self.words) else "distributed"

    @property
    def lutram_luts(self) -> int:
        """LUTs that hold the bits of distributed memory: four for 32 words of 6 bits, or for 64 words of 3."""
        if self.words <= 32:
            return 4 * math.ceil(self.bits / 6)
        return 4 * math.ceil(self.bits / 3) * math.ceil(self.words / 64)

    @property
    def distributed_luts(self) -> int:
        """LUTs in distributed memory: those that hold the bits, those that choose among 64 words each."""
        banks = math.ceil(self.words / 64)
        choice = self.bits * math.ceil((banks - 1) / 3) + banks if banks > 1 else 0
        return self.lutram_luts + choice

    @property
    def luts(self) -> int:
        """LUTs where :attr:`style` puts it."""
        return self.distributed_luts if self.style == "distributed" else 0

    @property
    def bram18(self) -> int:
        """18 Kib blocks where :attr:`style` puts it."""
        return block_ram18(self.bits, self.words) if self.style == "block" else 0
