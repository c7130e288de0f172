"""Memory words, as the RTL reads them, as integers for constant arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["WORD_PART", "integers_of", "read_words", "word_parts"]

WORD_PART = 64
"""Bits of a part of a word in constant arrays; ``xnorflow::Word`` has the same."""


def integers_of(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.object_]:
    """Return the integers that the last axis spells.

    Args:
        bits: 0/1 (..., width), least significant bit first.

    Returns:
        Python integers (...), without sign.
    """
    packed = np.packbits(bits, axis=-1, bitorder="little")
    flat = [int.from_bytes(word.tobytes(), "little") for word in packed.reshape(-1, packed.shape[-1])]
    result = np.empty(len(flat), object)
    result[:] = flat
    return result.reshape(bits.shape[:-1])


def read_words(text: str, width: int) -> npt.NDArray[np.uint8]:
    """Return the bits (words, width) of a ``$readmemh`` file, least significant bit first."""
    words = [int(line, 16) for line in text.split()]
    data = b"".join(word.to_bytes(-(-width // 8), "little") for word in words)
    planes = np.frombuffer(data, np.uint8).reshape(len(words), -1)
    return np.unpackbits(planes, axis=1, bitorder="little")[:, :width]


def word_parts(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.object_]:
    """Return words in parts of at most 64 bits.

    Args:
        bits: 0/1 (..., width), least significant bit first.

    Returns:
        Python integers (..., parts), the lowest part first.
    """
    width = bits.shape[-1]
    parts = [integers_of(bits[..., low : low + WORD_PART]) for low in range(0, width, WORD_PART)]
    return np.stack(parts, axis=-1)
