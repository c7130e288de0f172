"""Channels of a pixel, several times one after the other: the shortcut of a block that doubles them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.vector_operator import VectorOperator
from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["ChannelRepeat", "ChannelRepeat_rtl"]


@register_abstract
class ChannelRepeat(VectorOperator):
    """Tile along the channels, Times times."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        return {**super().get_nodeattr_types(), "Times": ("i", False, 2)}

    def output_channels(self) -> int:
        """Return the channels of all copies."""
        return int(self.get_nodeattr("NumChannels")) * int(self.get_nodeattr("Times"))

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of the copies, the input's."""
        return self.get_input_datatype()

    def execute_node(self, context: Any, graph: Any) -> None:
        """Repeat in numpy."""
        node, times = self.onnx_node, int(self.get_nodeattr("Times"))
        context[node.output[0]] = np.concatenate([context[node.input[0]]] * times, axis=-1)


@register_rtl
class ChannelRepeat_rtl(RtlNode, ChannelRepeat):
    """RTL backend: ``xnorflow_repeat``."""

    library_modules = ("xnorflow_repeat",)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        bits, times = self.get_instream_width(), int(self.get_nodeattr("Times"))
        beats = int(self.get_nodeattr("NumChannels")) // self.fold()
        kind = f"{self.fold()} x {self.get_input_datatype().name} a frame"
        source, sink = (Port(bits, f"{count} beats of {kind}") for count in self.beats())
        instance = Instance("xnorflow_repeat", {"Width": bits, "Beats": beats, "Times": times}, bits)
        purpose = f"Channels {times} times, PE={self.fold()}: {self.get_exp_cycles()} cycles."
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, [instance])

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a memory of two pixels, and counters."""
        words = 2 * int(self.get_nodeattr("NumChannels")) // self.fold()
        return 20 + 4 * -(-self.get_instream_width() // 6) * -(-words // 32)
