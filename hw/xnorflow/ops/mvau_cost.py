"""What a matrix-vector unit costs by its folding, fitted to mapped netlists (yosys, xc7, unpacked cells)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xnorflow.ops.dsp_cost import dsp_luts, dsps
from xnorflow.ops.memories import Rom, block_ram18
from xnorflow.ops.xnor_cost import CONSTANT_WORDS, LOGIC_WORDS, MOST_LOGIC_WORDS, xnor_luts

__all__ = ["MvauShape"]

LOGIC_ROM_WORDS = 16
"""Above this many words a weight word's bits cost more LUTs than the rest of the unit: yosys spends 3.5 a bit at 64."""


@dataclass(frozen=True)
class MvauShape:
    """Shape and folding of a unit.

    Args:
        mw: inputs.
        mh: neurons.
        simd: inputs a cycle; divides ``mw``.
        pe: neurons a cycle; divides ``mh``.
        input_bits: bits of an input.
        acc_bits: bits of an accumulator.
        weight_bits: bits of a weight.
        ram_style: memory of the weights, as FINN calls it: ``block``, ``distributed`` (LUTs), ``auto`` by the cost.
        windows: frames side by side, which share the weights that are read.
        multiplied: whether DSP multipliers compute it; weights of one bit, inputs of several.
        lane_bits: bits of a neuron's result.
    """

    mw: int
    mh: int
    simd: int
    pe: int
    input_bits: int
    acc_bits: int
    weight_bits: int = 1
    ram_style: str = "auto"
    windows: int = 1
    multiplied: bool = False
    lane_bits: int = 1

    @property
    def cycles(self) -> int:
        """SF * NF: cycles of the frames side by side, and words of the weight memory."""
        return (self.mw // self.simd) * (self.mh // self.pe)

    @property
    def counted(self) -> bool:
        """Whether an array of counters computes it: weights of one bit, at least two inputs at a time."""
        return self.weight_bits == 1 and self.simd > 1 and not self.multiplied

    @property
    def weights_in_bram(self) -> bool:
        """Whether the weight memory goes into block RAM."""
        if self.ram_style == "auto":
            return self.cycles > (LOGIC_WORDS if self.counted or self.multiplied else LOGIC_ROM_WORDS)
        return self.ram_style == "block"

    @property
    def ram_styles(self) -> tuple[str, ...]:
        """Memories of which either may be the better one, by how scarce LUTs and block RAM are; ``auto`` first."""
        fewest = 1 if self.multiplied else CONSTANT_WORDS
        if not (self.counted or self.multiplied) or not fewest < self.cycles <= MOST_LOGIC_WORDS:
            return ("auto",)
        return "auto", "block" if self.cycles <= LOGIC_WORDS else "distributed"

    @property
    def _rom(self) -> Rom:
        return Rom(self.simd * self.pe * self.weight_bits, self.cycles)

    @property
    def luts(self) -> int:
        """LUTs, distributed memory included."""
        if self.multiplied:
            return dsp_luts(self)
        choice = self._rom.luts if self.weights_in_bram else 0
        if self.counted:
            return xnor_luts(self) + choice
        factor = 1.95 if self.weight_bits == 1 else 1.7 * self.weight_bits
        lanes = self.simd * self.pe * (2.15 if self.input_bits == 1 else factor * self.input_bits)
        # With several neuron folds the inputs are buffered and chosen from: 32 x 6 bits take four LUTs.
        folds = 1 + 4 / 6 * math.ceil(self.mw / self.simd / 32)
        buffer = self.simd * self.input_bits * folds if self.mh > self.pe else 0
        rom = 0.8 * self.simd * self.pe * self.weight_bits if not self.weights_in_bram and self.cycles > 1 else 0
        return round(lanes + buffer + 1.2 * self.pe * self.acc_bits + rom + choice + 60)

    @property
    def bram18(self) -> int:
        """18 Kib blocks of the weight memory."""
        if not self.weights_in_bram:
            return 0
        if self.multiplied:  # a memory for each input of a beat
            return self.simd * block_ram18(self.pe, self.cycles)
        return self._rom.bram18

    @property
    def dsps(self) -> int:
        """DSP multipliers."""
        return dsps(self) if self.multiplied else 0
