"""Frames as they lie in memory, for the accelerator's DMA engines: shapes, and integers to bytes and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xnorflow.artifact.streams import StreamSpec, pack, unpack

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

__all__ = ["MemoryFrame"]


@dataclass(frozen=True)
class MemoryFrame:
    """How a frame lies in memory, and in which steps a stream's beats become words of it.

    Frames follow each other without gaps. Where a frame has whole bytes its elements do so too, the first one in the
    lowest bits: 784 bits are 98 bytes, as ``np.packbits(bits, bitorder="little")`` gives them. Else each beat takes
    whole bytes of its own, as FINN's drivers pack them.

    Args:
        stream: the port.
        data_bits: of a word of memory, 8 to 1,024, a power of 2.
    """

    stream: StreamSpec
    data_bits: int = 64

    @property
    def dense(self) -> bool:
        """Whether no bits are left unused between elements."""
        return self.stream.elements * self.stream.bits % 8 == 0

    @property
    def beat_bits(self) -> int:
        """Bits that a beat takes in memory."""
        return self.stream.per_beat * self.stream.bits if self.dense else self.stream.tdata_bits

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame."""
        return self.stream.beats * self.beat_bits // 8

    @property
    def piece_bytes(self) -> int:
        """Bytes in which an engine takes or gives a frame: the largest power of 2 that divides word and frame."""
        return math.gcd(self.data_bits // 8, self.frame_bytes)

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of a piece, of what it is gathered in where neither divides the other, and of a beat."""
        piece, beat = 8 * self.piece_bytes, self.beat_bits
        if piece == beat:
            return (piece,)
        wide = piece * beat // math.gcd(piece, beat)  # math.lcm is younger than boards' Python
        return (piece, beat) if wide in (piece, beat) else (piece, wide, beat)

    def pack(self, values: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
        """Return frames as bytes, uint8 (frames, ``frame_bytes``).

        Args:
            values: integers (frames, elements), in the range of the stream's datatype.
        """
        return pack(values, self._spec).reshape(len(values), self.frame_bytes)

    def unpack(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Return integers (frames, elements): the inverse of :meth:`pack`."""
        spec = self._spec
        return unpack(frames.reshape(-1, spec.tdata_bytes), spec)

    @property
    def _spec(self) -> StreamSpec:
        """A stream with the same bytes: of one beat where there are no gaps."""
        return replace(self.stream, per_beat=self.stream.elements) if self.dense else self.stream
