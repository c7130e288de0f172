"""XNOR-popcount matrix-vector unit: 1-bit inputs, 1-bit weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.counters.compressor import compressor_name, render_compressor
from xnorflow.counters.tree import weight_tree
from xnorflow.ops.mvau_rtl import IntArray, MvauRtl, fold_weights, hex_words, signed_bits
from xnorflow.ops.one_bit_mvau import OneBitMVAU
from xnorflow.ops.xnor_array import UNIT_MODULES, ArrayShape, WeightStyle, count_latency, render_array, render_unit

__all__ = ["XnorMVAU", "XnorMVAU_rtl"]


@register_abstract
class XnorMVAU(OneBitMVAU):
    """FINN's MVAU with ``binaryXnorMode=1``, whose accumulator is the popcount, 0 to MW.

    FINN ranges over sums of weight times input instead and clips thresholds to that: at MW=144 a threshold of 145
    (never) becomes 128. Here the accumulator type holds 0 to MW + 1, so that "never" survives.
    """

    def sum_datatype(self, thresholded: bool) -> str:
        """Return ``UINT`` of 0..MW+1 with thresholds, of 0..MW without."""
        mw = int(self.get_nodeattr("MW"))
        return f"UINT{(mw + 1 if thresholded else mw).bit_length()}"

    def count_latency(self) -> int:
        """Return the cycles from a beat to its count in the RTL; 0 where no array of counters computes it."""
        simd = int(self.get_nodeattr("SIMD"))
        return count_latency(simd) if simd > 1 else 0


@register_rtl
class XnorMVAU_rtl(MvauRtl, XnorMVAU):
    """RTL backend: an array of counters in ``xnorflow_xnor_unit``; thresholds are start values, the sign is the output.

    Where one input comes at a time there is nothing to count, and it is ``xnorflow_mvau``.
    """

    def start_values(self, model: Any) -> IntArray:
        """Return -T, so that popcount - T is negative where the neuron stays silent; 0 without thresholds."""
        thresholds = self.thresholds(model)
        mh, mw = self.get_nodeattr("MH"), self.get_nodeattr("MW")
        return np.zeros(mh, np.int64) if thresholds is None else -np.clip(thresholds, 0, mw + 1)

    def accumulator_bits(self) -> int:
        """Return the width of popcount - T."""
        mw = int(self.get_nodeattr("MW"))
        return signed_bits(0 if self.get_nodeattr("noActivation") else -(mw + 1), mw)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write array, compressor and memories, and return the wrapper's text."""
        shape = self.shape()
        if not shape.counted:
            return super().write_sources(model, folder)
        self.check_folding(shape)
        name = self.get_verilog_top_module_name()
        array = ArrayShape(shape.simd, shape.pe, shape.cycles)
        bits = fold_weights(self.positive_weights(model), shape.pe, shape.simd)
        files = f"{name}_weights.mem", f"{name}_weight_trees.mem"
        trees = weight_tree(bits.reshape(-1, shape.simd)).reshape(bits.shape)
        (folder / files[0]).write_text(hex_words(bits))
        (folder / files[1]).write_text(hex_words(trees))
        (folder / f"{name}_start.mem").write_text(hex_words(self.folded_starts(model, shape)))
        text = render_array(f"{name}_array", array, WeightStyle.of(array.words), bits, files)
        (folder / f"{name}_array.sv").write_text(text)
        (folder / f"{compressor_name(array.carries)}.sv").write_text(render_compressor(array.carries))
        output_bits = 1 if not self.get_nodeattr("noActivation") else int(self.get_output_datatype().bitwidth())
        return render_unit(name, shape, array, output_bits, thresholded=not self.get_nodeattr("noActivation"))

    @property
    def library_modules(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the library's modules for this folding."""
        return UNIT_MODULES if self.shape().counted else MvauRtl.library_modules

    def own_modules(self) -> list[str]:
        """Return the generated modules below the wrapper."""
        shape = self.shape()
        if not shape.counted:
            return []
        carries = ArrayShape(shape.simd, shape.pe, shape.cycles).carries
        return [compressor_name(carries), f"{self.get_nodeattr('gen_top_module')}_array"]
