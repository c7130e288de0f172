"""What a matrix-vector unit on DSP multipliers costs, by what it is made of (yosys, xc7, mapped cells)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xnorflow.ops.memories import Memory

if TYPE_CHECKING:
    from xnorflow.ops.mvau_cost import MvauShape

__all__ = ["Multipliers", "dsp_latency", "dsp_luts", "dsps"]

_MOST_ACC_BITS = 23
"""Bits of a sum of which two fit: the upper weight and a sign stand above them in a factor of 25 bits."""
_MOST_INPUT_BITS = 18
"""Bits of the other factor."""
_LEAST_PRODUCT_BITS = 9
"""A product of fewer bits is made of LUTs, as that of a last neuron alone with inputs of less than 7 bits."""
_START_BITS = 0.55
"""Part of the bits of start values that is not the same in all neurons, or in several of them."""


@dataclass(frozen=True)
class Multipliers:
    """What multipliers have to hold.

    Args:
        input_bits: bits of an input.
        acc_bits: bits of a sum less a threshold; two sums stand in an accumulator.
    """

    input_bits: int
    acc_bits: int

    @property
    def fits(self) -> bool:
        """Whether they do."""
        return self.input_bits <= _MOST_INPUT_BITS and self.acc_bits <= _MOST_ACC_BITS


def dsp_latency(simd: int, mw: int) -> int:
    """Return the cycles from a beat to its products' sum: the chain, and what is added up behind it."""
    return simd + (simd > 1 and mw > simd)


def dsps(shape: MvauShape) -> int:
    """Return the multipliers: two neurons share those of their inputs."""
    return shape.simd * (shape.pe // 2 + (shape.pe % 2 and not _small(shape)))


def _small(shape: MvauShape) -> bool:
    """Return whether products of one neuron alone are made of LUTs."""
    return shape.input_bits + 2 < _LEAST_PRODUCT_BITS


def dsp_luts(shape: MvauShape) -> int:
    """Return the LUTs, distributed memory included."""
    sf, nf = shape.mw // shape.simd, shape.mh // shape.pe
    acc_bits = shape.pe * shape.acc_bits
    sums = acc_bits if shape.simd > 1 and sf > 1 else 0
    alone = shape.simd * (shape.input_bits + shape.acc_bits) if shape.pe % 2 and _small(shape) else 0
    # Values leave with their top bit inverted, and all of them start from the same number.
    starts = min(_START_BITS * acc_bits, 2.0 ** min(nf, 64) - 2) if shape.lane_bits == 1 else shape.pe
    buffer = Memory(shape.simd * shape.input_bits, sf).luts if sf > 1 and nf > 1 else 0
    in_flight = (dsp_latency(shape.simd, shape.mw) + 5 + sf) // sf + 1
    results = Memory(shape.pe * shape.lane_bits, max(1 << (in_flight - 1).bit_length(), 4)).luts
    control = 20 + 2.5 * (sf * nf - 1).bit_length() + 3 * (nf > 1)
    return round(_weight_luts(shape) + sums + alone + starts + buffer + results + control)


def _weight_luts(shape: MvauShape) -> float:
    """Return the LUTs of the weights, and those that invert a neuron's weight for each multiplier of two."""
    words, pe, inverters = shape.cycles, shape.pe, shape.pe // 2
    if words == 1:
        return 0
    if shape.weights_in_bram:
        return shape.simd * inverters
    functions = 2.0 ** min(words, 16)
    different = functions * (1 - (1 - 1 / functions) ** pe)  # equal ones are there once
    if words <= 8:
        return shape.simd * (0.8 * different if words <= 4 else 0.95 * different + inverters)
    # With five and more bits of address yosys does not find that one LUT is enough.
    each = 0.9 if words <= 16 else 1.4 if words <= 32 else 2.5
    return shape.simd * (each * pe + inverters)
