"""Sliding window: from maps to the windows that a matrix unit multiplies, padding included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.map_operator import MapOperator
from xnorflow.ops.window_memory import WindowMemory
from xnorflow.ops.wrapper import Instance, Port, RtlNode, Sized, render_wrapper

__all__ = ["SlidingWindow", "SlidingWindow_rtl", "window_instance"]


@register_abstract
class SlidingWindow(MapOperator):
    """Im2Col with padding of any value; FINN's ConvolutionInputGenerator leaves padding to a node that knows only 0.

    Output pixels hold a window by row, column and channel, the channels in beats of SIMD.
    """

    def values_of_output_pixel(self) -> int:
        """Return the values of a window."""
        window = self.window()
        return window.positions * window.channels

    def get_exp_cycles(self) -> int:
        """Return the larger number of beats: the steady-state interval, which simulation confirms exactly."""
        return max(self.beats())

    def execute_node(self, context: Any, graph: Any) -> None:
        """Cut the windows out in numpy."""
        node, shape = self.onnx_node, self.get_normal_output_shape()
        context[node.output[0]] = np.ascontiguousarray(self.windows_of(context), np.float32).reshape(shape)


def window_instance(operator: MapOperator) -> Instance:
    """Return the ``xnorflow_swg`` of an operator's windows."""
    window, bits, simd = operator.window(), int(operator.get_input_datatype().bitwidth()), operator.fold()
    top, left, bottom, right = window.pads
    parameters: dict[str, bool | int | str | Sized] = {
        "Rows": window.rows, "Columns": window.columns, "Channels": window.channels, "Simd": simd, "Bits": bits,
        "KernelRows": window.kernel[0], "KernelColumns": window.kernel[1],
        "StrideRows": window.stride[0], "StrideColumns": window.stride[1],
        "PadTop": top, "PadBottom": bottom, "PadLeft": left, "PadRight": right,
        "PadValue": Sized(window.pad_value % 2**bits, bits), "MemoryStyle": WindowMemory(window, simd, bits).style,
    }  # fmt: skip
    return Instance("xnorflow_swg", parameters, simd * bits)


@register_rtl
class SlidingWindow_rtl(RtlNode, SlidingWindow):
    """RTL backend: ``xnorflow_swg``, or wires where the only window is the map."""

    library_modules = ("xnorflow_swg_ring", "xnorflow_swg")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        window, bits, (beats_in, beats_out) = self.window(), self.get_instream_width(), self.beats()
        values = f"{self.fold()} x {self.get_input_datatype().name} a frame"
        source, sink = Port(bits, f"{beats_in} beats of {values}"), Port(bits, f"{beats_out} beats of {values}")
        purpose = (
            f"Windows of {window.kernel[0]}x{window.kernel[1]} pixels over maps of {window.rows}x{window.columns}, "
            f"{window.channels} channels, SIMD={self.fold()}: {self.get_exp_cycles()} cycles."
        )
        chain = [] if window.whole else [window_instance(self)]
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, chain)

    def _memory(self) -> WindowMemory | None:
        window = self.window()
        return None if window.whole else WindowMemory(window, self.fold(), int(self.get_input_datatype().bitwidth()))

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        memory = self._memory()
        return memory.luts if memory else 0

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of the ring."""
        memory = self._memory()
        return memory.bram18 if memory else 0
