"""What a matrix-vector unit of 1-bit inputs and weights costs, by what it is made of (yosys, xc7, mapped cells)."""

from __future__ import annotations

import math

__all__ = ["CONSTANT_WORDS", "LOGIC_WORDS", "xnor_luts"]

CONSTANT_WORDS = 4
"""Weight words that a carry's LUT can tell apart: two address bits beside three of the inputs, for two neurons."""
LOGIC_WORDS = 32
"""Weight words up to which a bit of each costs half a LUT, a LUT5 of two in one."""


def _compressor(bits: int) -> float:
    """Estimate the counters' LUTs, two bits less for each, without planning them."""
    return max((bits - bits.bit_length() - 2) / 2 + 3, 0) if bits > 2 else 0


def _carries(simd: int, pe: int, words: int) -> float:
    """Return the LUTs of all carries, constant weights in them where there are few words."""
    nodes = simd // 2
    if words > CONSTANT_WORDS:
        return pe * nodes
    functions = 8.0 ** (4 if words == 3 else words)
    different = functions * (1 - (1 - 1 / functions) ** pe)
    return nodes * different / 2


def _rom(words: int, bits: int) -> float:
    """Return the LUTs of a memory of constants, as yosys makes it."""
    if words <= 1:
        return 0
    return bits * (min(0.25 * words, 1) if words <= 64 else words / 64 + words / 256)


def xnor_luts(mw: int, mh: int, simd: int, pe: int, acc_bits: int) -> int:
    """Return the LUTs of a unit, distributed memory included.

    Args:
        mw: inputs.
        mh: neurons.
        simd: inputs a cycle, at least 2; divides ``mw``.
        pe: neurons a cycle; divides ``mh``.
        acc_bits: bits of an accumulator.
    """
    sf, nf = mw // simd, mh // pe
    words = sf * nf
    array = _carries(simd, pe, words) + pe * (_compressor(simd // 2) + 1) + simd / 2
    weights = simd * pe / 2 if CONSTANT_WORDS < words <= LOGIC_WORDS else 0
    starts = _rom(nf, pe * acc_bits)
    buffer = 4 * math.ceil(simd / 6) * math.ceil(sf / 32) if nf > 1 else 0
    results = 4 * math.ceil(pe / 6)
    return round(array + weights + starts + buffer + results + pe * acc_bits + 55)
