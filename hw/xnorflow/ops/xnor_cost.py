"""What a matrix-vector unit of 1-bit inputs and weights costs, by what it is made of (yosys, xc7, mapped cells)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xnorflow.ops.mvau_cost import MvauShape

__all__ = ["CONSTANT_WORDS", "LOGIC_WORDS", "xnor_luts"]

CONSTANT_WORDS = 4
"""Weight words that a carry's LUT can tell apart: two address bits beside three of the inputs, for two neurons."""
LOGIC_WORDS = 32
"""Weight words up to which a bit of each costs half a LUT, a LUT5 of two in one."""


def _compressor(bits: int, columns: int) -> float:
    """Estimate the counters' LUTs, two bits less for each, without planning them.

    Args:
        bits: that are counted.
        columns: different weights of theirs.
    """
    rows = (bits / columns).__ceil__().bit_length() + columns + 1
    return max((bits - rows * (1 if columns == 1 else 1.6)) / 2 + 3, 0) if bits > 2 * columns else 0


def _carries(simd: int, pe: int, words: int) -> float:
    """Return the LUTs of a bit plane's carries, constant weights in them where there are few words."""
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


def xnor_luts(shape: MvauShape) -> int:
    """Return the LUTs of a unit with weights of one bit and a SIMD of at least 2, distributed memory included."""
    simd, pe, planes = shape.simd, shape.pe, shape.input_bits
    sf, nf = shape.mw // simd, shape.mh // pe
    words, bits = sf * nf, planes * (simd // 2 + 1) - 1
    known = words if not shape.weights_in_bram else CONSTANT_WORDS + 1  # by the carries' LUTs
    array = planes * (_carries(simd, pe, known) + simd / 2 + pe) + pe * _compressor(bits, planes)
    weights = simd * pe / 2 if words > CONSTANT_WORDS and not shape.weights_in_bram else 0
    starts = _rom(nf, pe * shape.acc_bits)
    buffer = 4 * math.ceil(simd * planes / 6) * math.ceil(sf / 32) if nf > 1 else 0
    results = 4 * math.ceil(pe / 6)
    return round(array + weights + starts + buffer + results + pe * shape.acc_bits + 55)
