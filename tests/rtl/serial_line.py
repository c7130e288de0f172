"""A serial line, 8N1, as the level of each cycle of a clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
BITS = 10


def bits_of(byte: int, stop: int = 1) -> list[int]:
    """Return start bit, data with the lowest bit first, stop bit."""
    return [0, *((byte >> place) & 1 for place in range(8)), stop]


def send_bits(bits: Sequence[int], cycles_per_bit: float) -> Levels:
    """Return levels; where cycles_per_bit is no whole number, edges come at the nearest cycle."""
    edges = np.rint(np.arange(len(bits) + 1) * cycles_per_bit).astype(int)
    return np.repeat(np.array(bits, np.uint8), np.diff(edges))


def send(data: Iterable[int], cycles_per_bit: float) -> Levels:
    """Return the levels of bytes without a pause between them."""
    return send_bits([bit for byte in data for bit in bits_of(byte)], cycles_per_bit)


def idle(cycles: int) -> Levels:
    return np.ones(cycles, np.uint8)


def low(cycles: int) -> Levels:
    return np.zeros(cycles, np.uint8)


def receive(line: npt.NDArray[np.uint8], cycles_per_bit: int) -> list[int]:
    """Return the bytes on a line; each bit must hold its level for all of its cycles."""
    found, place = [], 0
    while place < len(line):
        if line[place]:
            place += 1
            continue
        byte = line[place : place + BITS * cycles_per_bit].reshape(BITS, cycles_per_bit)
        assert (byte == byte[:, :1]).all(), f"a bit changes within itself, cycle {place}"
        bits = byte[:, 0]
        assert bits[0] == 0 and bits[-1] == 1, f"no start or stop bit, cycle {place}"
        found.append(int((bits[1:-1] << np.arange(8)).sum()))
        place += BITS * cycles_per_bit
    return found
