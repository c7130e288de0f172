"""RTL of matrix-vector units with +-1 weights on DSP multipliers, two neurons on each: ``xnorflow_dsp_unit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.counted_mvau import CountedMvauRtl
from xnorflow.ops.dsp_cost import Multipliers
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.mvau_rtl import CONTROL_MODULES, fold_starts, fold_weights, hex_words
from xnorflow.ops.wrapper import Instance, render_wrapper

__all__ = ["DspMvauRtl"]

DSP_MODULES = (
    *CONTROL_MODULES, "xnorflow_beat_buffer", "xnorflow_sum_result", "xnorflow_dsp_pair", "xnorflow_dsp_unit",
)  # fmt: skip
"""Library modules of a unit on multipliers, dependencies first."""


class DspMvauRtl(CountedMvauRtl):
    """RTL backend of units that are counted, or multiplied where FINN's attribute ``resType`` is ``dsp``."""

    def multiplied(self) -> bool:
        """Return whether DSP multipliers compute it."""
        return str(self.get_nodeattr("resType")) == "dsp"

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write memories and return the wrapper's text.

        Raises:
            GenerateError: a folding that does not divide, or numbers that a multiplier does not hold.
        """
        shape = self.shape()
        if not shape.multiplied:
            return super().write_sources(model, folder)
        self.check_folding(shape)
        self._check_width(shape)
        name, pe, simd = self.get_verilog_top_module_name(), shape.pe, shape.simd
        negative = fold_weights(~self.positive_weights(model), pe, simd).reshape(-1, pe, simd)
        for place in range(simd):
            (folder / f"{name}_weights_{place}.mem").write_text(hex_words(negative[:, :, place]))
        # Above half of the range, so that the sums of two neurons in one word are never negative.
        starts = self.start_values(model) + (1 << (shape.acc_bits - 1))
        (folder / f"{name}_start.mem").write_text(hex_words(fold_starts(starts, pe, shape.acc_bits)))
        parameters: dict[str, bool | int | str] = {
            "Mw": shape.mw, "Mh": shape.mh, "Simd": simd, "Pe": pe,
            "InputWidth": shape.input_bits, "AccWidth": shape.acc_bits,
            "Thresholded": self.thresholded, "OutputWidth": self.lane_bits,
            "WeightFiles": f"{name}_weights", "StartFile": f"{name}_start.mem",
            "WeightStyle": "block" if shape.weights_in_bram else "logic",
            **self.output_parameters(),
        }  # fmt: skip
        source, sink = self.ports(shape)
        purpose = (
            f"Matrix-vector unit, {shape.mw} inputs, {shape.mh} neurons, SIMD={simd}, PE={pe}: "
            f"{shape.cycles} cycles, {shape.dsps} multipliers."
        )
        return render_wrapper(
            name, purpose, source, sink, [Instance("xnorflow_dsp_unit", parameters, pe * self.lane_bits)]
        )

    def _check_width(self, shape: MvauShape) -> None:
        if not Multipliers(shape.input_bits, shape.acc_bits).fits:
            raise GenerateError(
                f"node {self.get_verilog_top_module_name()}, resType",
                f"'dsp' for inputs of {shape.input_bits} bits, sums of {shape.acc_bits}",
                "dsp for inputs of up to 18 bits and sums of up to 23", "choose lut",
            )  # fmt: skip

    @property
    def library_modules(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the library's modules for this folding."""
        return DSP_MODULES if self.multiplied() else super().library_modules

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return the multipliers, exactly where weights change from one cycle to the next."""
        return self.shape().dsps
