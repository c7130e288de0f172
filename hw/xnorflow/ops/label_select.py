"""RTL backend of FINN's LabelSelect, which FINN has as HLS only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.labelselect import LabelSelect
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["LabelSelect_rtl"]


@register_rtl
class LabelSelect_rtl(RtlNode, LabelSelect):
    """``xnorflow_argmax``: the index of the first maximum (K=1)."""

    library_modules = ("xnorflow_fifo", "xnorflow_credit_fifo", "xnorflow_argmax")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        name = self.get_verilog_top_module_name()
        labels, pe, k = (int(self.get_nodeattr(key)) for key in ("Labels", "PE", "K"))
        if k != 1 or labels % pe:
            raise GenerateError(
                f"node {name}", f"K={k}, PE={pe} for {labels} labels", "K=1 and a PE that divides the labels",
                "take TopK with k=1",
            )  # fmt: skip
        source, sink = self.get_input_datatype(), self.get_output_datatype()
        parameters: dict[str, bool | int | str] = {
            "Labels": labels, "Pe": pe, "Width": source.bitwidth(),
            "Signed": bool(source.signed()), "LabelWidth": sink.bitwidth(),
        }  # fmt: skip
        return render_wrapper(
            name,
            f"Index of the first maximum of {labels} values.",
            Port(self.get_instream_width(), f"{labels // pe} beats of {pe} x {source.name} a frame"),
            Port(self.get_outstream_width(), f"one {sink.name} a frame"),
            [Instance("xnorflow_argmax", parameters, sink.bitwidth())],
        )

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: in each match of the tournament, and against the best so far, scores are compared and chosen."""
        width, pe = int(self.get_input_datatype().bitwidth()), int(self.get_nodeattr("PE"))
        return round(38 + 1.5 * width + (pe - 1) * (2.2 * width - 4))
