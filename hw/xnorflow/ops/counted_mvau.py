"""RTL of the matrix-vector units with +-1 weights: an array of counters in ``xnorflow_xnor_unit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.counters.compressor import compressor_name, render_compressor
from xnorflow.counters.tree import weight_tree
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.mvau_rtl import BitArray, MvauRtl, fold_starts, fold_weights, hex_words
from xnorflow.ops.xnor_array import UNIT_MODULES, ArrayShape, WeightStyle, render_array, render_unit

__all__ = ["CountedMvauRtl"]


class CountedMvauRtl(MvauRtl):
    """RTL backend of units with +-1 weights; thresholds are start values, the sign is the output.

    Where one input comes at a time there is nothing to count, and it is ``xnorflow_mvau``.
    """

    def array(self) -> ArrayShape:
        """Return the shape of the array."""
        shape = self.shape()
        return ArrayShape(shape.simd, shape.pe, shape.cycles, shape.input_bits)

    def folded_starts(self, model: Any, shape: MvauShape) -> BitArray:
        """Return the words of the memory of start values.

        The array counts the sign bits of inputs of several bits the other way round, which adds
        ``2**(input_bits - 1)`` for each of the MW products.
        """
        if shape.input_bits == 1 or not shape.counted:
            return super().folded_starts(model, shape)
        offset = shape.mw << (shape.input_bits - 1)
        return fold_starts(self.start_values(model) - offset, shape.pe, shape.acc_bits)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write array, compressor and memories, and return the wrapper's text."""
        shape = self.shape()
        if not shape.counted:
            return super().write_sources(model, folder)
        self.check_folding(shape)
        name, array = self.get_verilog_top_module_name(), self.array()
        bits = fold_weights(self.positive_weights(model), shape.pe, shape.simd)
        trees = weight_tree(bits.reshape(-1, shape.simd)).reshape(bits.shape)
        files = f"{name}_weights.mem", f"{name}_weight_trees.mem"
        (folder / files[0]).write_text(hex_words(bits))
        (folder / files[1]).write_text(hex_words(trees))
        (folder / f"{name}_start.mem").write_text(hex_words(self.folded_starts(model, shape)))
        style = WeightStyle.of(array.words, in_bram=shape.weights_in_bram)
        text = render_array(f"{name}_array", array, style, bits, files)
        (folder / f"{name}_array.sv").write_text(text)
        (folder / f"{compressor_name(array.heights)}.sv").write_text(render_compressor(array.heights))
        return render_unit(name, shape, array, self.lane_bits, thresholded=self.thresholded)

    @property
    def library_modules(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the library's modules for this folding."""
        return UNIT_MODULES if self.shape().counted else MvauRtl.library_modules

    def own_modules(self) -> list[str]:
        """Return the generated modules below the wrapper."""
        if not self.shape().counted:
            return []
        return [compressor_name(self.array().heights), f"{self.get_nodeattr('gen_top_module')}_array"]
