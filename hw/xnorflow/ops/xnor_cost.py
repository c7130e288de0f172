"""What a matrix-vector unit of 1-bit inputs and weights costs, by what it is made of (yosys, xc7, mapped cells)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xnorflow.ops.mvau_cost import MvauShape

__all__ = ["CONSTANT_WORDS", "LOGIC_WORDS", "MOST_LOGIC_WORDS", "xnor_luts"]

CONSTANT_WORDS = 4
"""Weight words that a carry's LUT can tell apart: two address bits beside three of the inputs, for two neurons."""
LOGIC_WORDS = 32
"""Weight words up to which a bit of each costs half a LUT, a LUT5 of two in one."""
MOST_LOGIC_WORDS = 64
"""Words of which one LUT holds a bit: more are not put into LUTs."""
_START_BITS = 0.85
"""Part of the bits of start values that is not the same in all neurons, or in several of them."""


def _compressor(bits: int, columns: int) -> float:
    """Estimate the counters' LUTs, two bits less for each, without planning them.

    Args:
        bits: that are counted.
        columns: different weights of theirs.
    """
    if bits <= 2 * columns:
        return 0
    if columns == 1:
        return (bits - bits.bit_length()) / 2 + min(bits / 12, 2)
    return (bits - 1.6 * (math.ceil(bits / columns).bit_length() + columns + 1)) / 2 + 3


def _carries(simd: int, pe: int, words: int) -> float:
    """Return the LUTs of a bit plane's carries with constant weights in them."""
    nodes = simd // 2
    functions = 8.0**words
    different = functions * (1 - (1 - 1 / functions) ** pe)
    return nodes * (different + 0.5 * (different > 1)) / 2  # two in a LUT, and one alone where their number is odd


def _starts(words: int, bits: int) -> float:
    """Return the LUTs of the start values: equal functions of the few bits of a word's number are there once."""
    if words <= LOGIC_WORDS:
        return min(_START_BITS * bits, 2.0**words - 2)
    if words <= MOST_LOGIC_WORDS:  # with the choice between them and zero more inputs than a LUT has
        return 2 * _START_BITS * bits
    return _START_BITS * bits * (words / MOST_LOGIC_WORDS + words / 256)


def xnor_luts(shape: MvauShape) -> int:
    """Return the LUTs of a unit with weights of one bit and a SIMD of at least 2, distributed memory included.

    Several windows share weights, start values and control; width converters in front and behind are not in it.
    """
    simd, pe, planes, windows = shape.simd, shape.pe, shape.input_bits, shape.windows
    sf, nf = shape.mw // simd, shape.mh // pe
    words, bits = sf * nf, planes * (simd // 2 + 1) - 1
    constant = words <= CONSTANT_WORDS and not shape.weights_in_bram
    carries = windows * planes * (_carries(simd, pe, words) if constant else pe * (simd // 2))
    parities = windows * planes * (0.7 * simd + (min(pe, 2**words) if constant else pe))
    counters = windows * pe * _compressor(bits, planes)
    weights = 0 if constant or shape.weights_in_bram else simd * pe / (2 if words <= LOGIC_WORDS else 1)
    # A start value that never changes leaves the accumulator's first and last bit without a LUT.
    sums = windows * pe * (shape.acc_bits if words > 1 else shape.acc_bits - 2) + _starts(nf, pe * shape.acc_bits)
    buffer = 4 * math.ceil(windows * simd * planes / 6) * math.ceil(sf / 32) if sf > 1 and nf > 1 else 0
    results = 4 * math.ceil(windows * pe / 6)
    control = 30 + 2 * (words - 1).bit_length() + 8 * (sf == 1)
    return round(carries + parities + counters + weights + sums + buffer + results + control)
