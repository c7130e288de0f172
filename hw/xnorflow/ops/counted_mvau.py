"""RTL of the matrix-vector units with +-1 weights: an array of counters in ``xnorflow_xnor_unit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import GenerateError
from xnorflow.counters.compressor import compressor_name, render_compressor
from xnorflow.counters.tree import weight_tree
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.mvau_rtl import BitArray, MvauRtl, fold_starts, fold_weights, hex_words
from xnorflow.ops.width_converter import width_converter_luts
from xnorflow.ops.xnor_array import UNIT_MODULES, ArrayShape, WeightStyle, render_array, render_unit

__all__ = ["CountedMvauRtl"]


class CountedMvauRtl(MvauRtl):
    """RTL backend of units with +-1 weights; thresholds are start values, the sign is the output.

    Where one input comes at a time there is nothing to count, and it is ``xnorflow_mvau``.
    """

    def array(self) -> ArrayShape:
        """Return the shape of the array."""
        shape = self.shape()
        return ArrayShape(shape.simd, shape.pe, shape.cycles, shape.input_bits, shape.windows)

    def folded_starts(self, model: Any, shape: MvauShape) -> BitArray:
        """Return the words of the memory of start values.

        The array counts the sign bits of inputs of several bits the other way round, which adds
        ``2**(input_bits - 1)`` for each of the MW products.
        """
        if shape.input_bits == 1 or not shape.counted:
            return super().folded_starts(model, shape)
        offset = shape.mw << (shape.input_bits - 1)
        return fold_starts(self.start_values(model) - offset, shape.pe, shape.acc_bits)

    def check_folding(self, shape: MvauShape) -> None:
        """Refuse a folding that does not divide, or several windows of one input at a time.

        Raises:
            GenerateError: SIMD, PE or M do not divide; M of more than 1 with a SIMD of 1.
        """
        super().check_folding(shape)
        row, kind = self.pixels_of_a_row(), ", resType=dsp" if shape.multiplied else ""
        if shape.windows < 1 or row % shape.windows or (shape.windows > 1 and not shape.counted):
            raise GenerateError(
                f"node {self.get_verilog_top_module_name()}", f"M={shape.windows} with SIMD={shape.simd}{kind}",
                f"1, or in LUTs with a SIMD of at least 2 a divisor of the {row} output pixels of a row",
                "correct the folding",
            )  # fmt: skip

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included, and width converters where windows come and go whole."""
        shape = self.shape()
        luts = shape.luts + self.buffer_luts()
        if shape.windows > 1:
            source, sink = self.get_instream_width(), self.get_outstream_width()
            steps = source, source * shape.simd // shape.mw, sink * shape.pe // shape.mh, sink
            luts += sum(width_converter_luts(*pair) for pair in (steps[:2], steps[2:]) if pair[0] != pair[1])
        return luts

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write array, compressor and memories, and return the wrapper's text."""
        shape = self.shape()
        self.check_folding(shape)
        if not shape.counted:
            return super().write_sources(model, folder)
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
        output = self.output_parameters()
        return render_unit(name, shape, array, self.lane_bits, thresholded=self.thresholded, output=output)

    @property
    def library_modules(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the library's modules for this folding."""
        shape = self.shape()
        if not shape.counted:
            return MvauRtl.library_modules
        return UNIT_MODULES if shape.windows == 1 else ("xnorflow_dwc", *UNIT_MODULES)

    def own_modules(self) -> list[str]:
        """Return the generated modules below the wrapper."""
        if not self.shape().counted:
            return []
        return [compressor_name(self.array().heights), f"{self.get_nodeattr('gen_top_module')}_array"]
