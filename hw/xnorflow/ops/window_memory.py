"""The ring of beats behind sliding windows: which memory it takes, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from xnorflow.artifact.windows import Window, WindowLine
from xnorflow.ops.memories import Memory, block_ram18

__all__ = ["WindowMemory"]

DISTRIBUTED_WORDS = 128
"""Up to here LUTs are the cheaper memory."""


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
    def line(self) -> WindowLine:
        """The map as beats."""
        return WindowLine(self.window, self.window.channels // self.simd)

    @property
    def words(self) -> int:
        """Words of the ring: a power of two."""
        return 1 << max((self.line.depth - 1).bit_length(), 1)

    @property
    def style(self) -> str:
        """``MemoryStyle`` of the module."""
        return "distributed" if self.words <= DISTRIBUTED_WORDS else "block"

    @property
    def luts(self) -> int:
        """LUTs: counts, addresses and places, each bit of which is a LUT, and the ring where it is distributed."""
        line, window = self.line, self.window
        most = self.words + line.lead + line.span + max(line.steps)
        count = most.bit_length() + 1
        address = (self.words - 1).bit_length()
        place = sum(max((size - 1).bit_length(), 1) for size in window.padded)
        inside = sum((size - 1).bit_length() for size in window.kernel)
        walk = 2 * count + address + place + 2 * inside + (14 if window.padding else 10)
        ring = Memory(self.simd * self.bits, self.words)
        return walk + (ring.distributed_luts if self.style == "distributed" else 0)

    @property
    def bram18(self) -> int:
        """18 Kib blocks."""
        return block_ram18(self.simd * self.bits, self.words) if self.style == "block" else 0
