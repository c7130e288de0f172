"""Max-pool over maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.map_operator import MapOperator
from xnorflow.ops.sliding_window import window_instance
from xnorflow.ops.window_memory import WindowMemory
from xnorflow.ops.wrapper import Instance, Port, RtlNode, Sized, render_wrapper

__all__ = ["WindowPool", "WindowPool_rtl"]


@register_abstract
class WindowPool(MapOperator):
    """The largest value of each window, channel by channel; FINN's Pool exists as HLS only."""

    fold_key = "PE"

    def values_of_output_pixel(self) -> int:
        """Return the channels."""
        return int(self.get_nodeattr("IFMChannels"))

    def get_exp_cycles(self) -> int:
        """Return the beats coming in, or those of the windows where these overlap: the steady-state interval."""
        window, (beats_in, beats_out) = self.window(), self.beats()
        return beats_in if window.apart else max(beats_in, beats_out * window.positions)

    def execute_node(self, context: Any, graph: Any) -> None:
        """Take the maximum in numpy."""
        context[self.onnx_node.output[0]] = np.asarray(self.windows_of(context).max(axis=(3, 4)), np.float32)


@register_rtl
class WindowPool_rtl(RtlNode, WindowPool):
    """RTL backend: ``xnorflow_pool`` over the columns and then over the rows where no windows overlap.

    Else ``xnorflow_swg``, and one ``xnorflow_pool`` over the positions of its windows.
    """

    library_modules = ("xnorflow_fifo", "xnorflow_credit_fifo", "xnorflow_swg_ring", "xnorflow_swg", "xnorflow_pool")

    def reductions(self) -> list[tuple[int, int]]:
        """Return positions and folds of each ``xnorflow_pool`` in order; a single position needs none."""
        window = self.window()
        folds = window.channels // self.fold()
        if not window.apart:
            return [(window.positions, folds)]
        both = [(window.kernel[1], folds), (window.kernel[0], window.output[1] * folds)]
        return [(positions, width) for positions, width in both if positions > 1]

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        window, bits, (beats_in, beats_out) = self.window(), self.get_instream_width(), self.beats()
        datatype = self.get_input_datatype()
        values = f"{self.fold()} x {datatype.name} a frame"
        source, sink = Port(bits, f"{beats_in} beats of {values}"), Port(bits, f"{beats_out} beats of {values}")
        chain = [] if window.apart else [window_instance(self)]
        width = int(datatype.bitwidth())
        for positions, folds in self.reductions():
            parameters: dict[str, bool | int | str | Sized] = {
                "Positions": positions, "Folds": folds, "Pe": self.fold(), "InWidth": width, "OutWidth": width,
                "Mode": "max", "Signed": width > 1 and bool(datatype.signed()),
            }  # fmt: skip
            chain.append(Instance("xnorflow_pool", parameters, bits))
        purpose = (
            f"Max-pool of {window.kernel[0]}x{window.kernel[1]} pixels over maps of {window.rows}x{window.columns}, "
            f"{window.channels} channels, PE={self.fold()}: {self.get_exp_cycles()} cycles."
        )
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, chain)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        bits, window = self.get_instream_width(), self.window()
        luts = sum(40 + 2 * bits + 4 * -(-bits // 6) * -(-folds // 32) for _, folds in self.reductions())
        return luts if window.apart else luts + self._memory().luts

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks."""
        return 0 if self.window().apart else self._memory().bram18

    def _memory(self) -> WindowMemory:
        return WindowMemory(self.window(), self.fold(), int(self.get_input_datatype().bitwidth()))
