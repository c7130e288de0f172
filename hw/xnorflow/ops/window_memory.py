"""The ring of beats behind sliding windows: which memory it takes, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnorflow.artifact.windows import Window

__all__ = ["WindowMemory"]

DISTRIBUTED_WORDS = 128
"""Up to here LUTs are the cheaper memory."""
ASPECTS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))


@dataclass(frozen=True)
class WindowMemory:
    """Memory of a sliding window.

    Args:
        window: over which maps.
        simd: channels of a beat; divides the channels.
        bits: of a value.
    """

    window: Window
    simd: int
    bits: int

    @property
    def words(self) -> int:
        """Words of the ring: a power of two that holds the rows of a window, and one window more."""
        folds = self.window.channels // self.simd
        rows, columns = self.window.kernel
        span = (rows - 1) * self.window.columns * folds + columns * folds
        return 1 << max(span + rows * columns * folds, 2).bit_length()

    @property
    def style(self) -> str:
        """``MemoryStyle`` of the module."""
        return "distributed" if self.words <= DISTRIBUTED_WORDS else "block"

    @property
    def luts(self) -> int:
        """LUTs: counters and steps of the walk, and 32 x 6 bits in four where the ring is distributed."""
        ring = 4 * math.ceil(self.simd * self.bits / 6) * math.ceil(self.words / 32)
        return 90 + (ring if self.style == "distributed" else 0)

    @property
    def bram18(self) -> int:
        """18 Kib blocks."""
        if self.style == "distributed":
            return 0
        width = self.simd * self.bits
        return min(math.ceil(width / wide) * math.ceil(self.words / deep) for wide, deep in ASPECTS)
