"""Sliding window: from maps to the windows that a matrix unit multiplies, padding included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.map_operator import MapOperator
from xnorflow.ops.window_memory import WindowMemory
from xnorflow.ops.wrapper import Instance, Port, RtlNode, Sized, render_wrapper

__all__ = ["SlidingWindow", "SlidingWindow_rtl", "window_instance"]


@register_abstract
class SlidingWindow(MapOperator):
    """Im2Col with padding of any value; FINN's ConvolutionInputGenerator leaves padding to a node that knows only 0.

    Output pixels hold a window by row, column and channel, the channels in beats of SIMD. With ``parallel_window`` (as
    FINN calls it) a beat holds a whole window, and SIMD is all channels; there must be no padding. M such windows,
    neighbors in a row, may leave in one beat.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes of all operators over maps, ``parallel_window`` and ``M``."""
        return {**super().get_nodeattr_types(), "parallel_window": ("i", False, 0, {0, 1}), "M": ("i", False, 1)}

    def parallel(self) -> bool:
        """Return whether a beat holds a whole window."""
        return bool(self.get_nodeattr("parallel_window"))

    def can_be_parallel(self) -> bool:
        """Return whether ``parallel_window`` may be set: there is more than one pixel a window, and no padding."""
        window = self.window()
        return window.positions > 1 and not window.padding and not window.whole

    def windows(self) -> int:
        """Return M, the windows of a beat where one holds a whole window."""
        return int(self.get_nodeattr("M"))

    def pixels_of_a_row(self) -> int:
        """Return what M must divide."""
        return int(self.window().output[1])

    def get_folded_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the output's shape in beats."""
        if not self.parallel():
            return super().get_folded_output_shape(ind)
        one, rows, columns, values = self.get_normal_output_shape()
        return one, rows, columns // self.windows(), 1, self.windows() * values

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of an output beat."""
        whole = self.windows() * self.window().positions if self.parallel() else 1
        return super().get_outstream_width(ind) * whole

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


def parallel_instance(operator: SlidingWindow) -> Instance:
    """Return the ``xnorflow_swg_parallel`` of an operator's windows."""
    window, bits = operator.window(), operator.get_instream_width()
    parameters: dict[str, bool | int | str | Sized] = {
        "Rows": window.rows, "Columns": window.columns, "Width": bits,
        "KernelRows": window.kernel[0], "KernelColumns": window.kernel[1],
        "StrideRows": window.stride[0], "StrideColumns": window.stride[1], "Windows": operator.windows(),
    }  # fmt: skip
    return Instance("xnorflow_swg_parallel", parameters, operator.get_outstream_width())


@register_rtl
class SlidingWindow_rtl(RtlNode, SlidingWindow):
    """RTL backend: ``xnorflow_swg`` or ``xnorflow_swg_parallel``, or wires where the only window is the map."""

    library_modules = ("xnorflow_fifo", "xnorflow_swg_parallel", "xnorflow_swg_ring", "xnorflow_swg")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        self._check_folding()
        window, kind, windows = self.window(), self.get_input_datatype().name, self.windows()
        (beats_in, beats_out), widths = self.beats(), (self.get_instream_width(), self.get_outstream_width())
        source = Port(widths[0], f"{beats_in} beats of {self.fold()} x {kind} a frame")
        sink = Port(widths[1], f"{beats_out} beats of {self.get_folded_output_shape()[-1]} x {kind} a frame")
        purpose = (
            f"Windows of {window.kernel[0]}x{window.kernel[1]} pixels over maps of {window.rows}x{window.columns}, "
            f"{window.channels} channels, SIMD={self.fold()}{f', M={windows}' if windows > 1 else ''}: "
            f"{self.get_exp_cycles()} cycles."
        )
        chain = [parallel_instance(self) if self.parallel() else window_instance(self)] if not window.whole else []
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, chain)

    def _check_folding(self) -> None:
        """Refuse a folding that is none.

        Raises:
            GenerateError: ``parallel_window`` with padding, or with a SIMD of fewer than all channels; M that does not
                divide the windows of a row, or is not 1 without ``parallel_window``.
        """
        window, where = self.window(), f"node {self.onnx_node.name}"
        if self.parallel() and (self.fold() != window.channels or not self.can_be_parallel()):
            raise GenerateError(
                where, f"parallel_window with SIMD={self.fold()}, windows of {window.kernel}, padding {window.pads}",
                f"SIMD={window.channels}, windows of several pixels, no padding", "correct the folding",
            )  # fmt: skip
        windows, row = self.windows(), self.pixels_of_a_row()
        if windows < 1 or row % windows or (windows > 1 and not self.parallel()):
            raise GenerateError(
                where, f"M={windows} with parallel_window={int(self.parallel())}",
                f"1, or with parallel_window=1 a divisor of the {row} windows of a row", "correct the folding",
            )  # fmt: skip

    def _memory(self) -> WindowMemory | None:
        window = self.window()
        return None if window.whole else WindowMemory(window, self.fold(), int(self.get_input_datatype().bitwidth()))

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        memory, window, bits = self._memory(), self.window(), self.get_instream_width()
        if self.parallel():
            above = 4 * -(-bits * (window.kernel[0] - 1) // 6) * -(-window.columns // 32)
            return above + bits + 40
        return memory.luts if memory else 0

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of the ring."""
        memory = self._memory()
        return memory.bram18 if memory and not self.parallel() else 0
