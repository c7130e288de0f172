"""HLS backends of the windows over maps, and of their maxima and sums."""

from __future__ import annotations

from typing import Any

from finn.custom_op.fpgadataflow.hls import register_custom_op as register_hls

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.hls.code import Call, template_call
from xnorflow.ops.hls.node import HlsNode
from xnorflow.ops.map_operator import MapOperator
from xnorflow.ops.sliding_window import SlidingWindow
from xnorflow.ops.window_memory import WindowMemory
from xnorflow.ops.window_pool import WindowPool

__all__ = ["SlidingWindow_hls", "WindowPool_hls"]


def _shape(operator: MapOperator) -> str:
    window = operator.window()
    return template_call("WindowShape", window.rows, window.columns, *window.kernel, *window.stride, *window.pads)


def _window_call(operator: MapOperator) -> Call:
    """Return the windows in beats of some channels, with the ring that the RTL has."""
    window, bits, simd = operator.window(), int(operator.get_input_datatype().bitwidth()), operator.fold()
    words = WindowMemory(window, simd, bits).words
    function = template_call(
        "sliding_window", _shape(operator), window.channels // simd, simd, bits, window.pad_value, words
    )
    return Call("xnorflow_sliding_window", function, simd * bits)


@register_hls
class SlidingWindow_hls(HlsNode, SlidingWindow):
    """Windows by row, column and channel; whole ones with ``parallel_window``; the map where it is the only one."""

    def calls(self, model: Any) -> list[Call]:
        """Return the windows.

        Raises:
            GenerateError: ``parallel_window`` with padding, or with a SIMD of fewer than all channels.
        """
        window, bits = self.window(), int(self.get_instream_width())
        if self.parallel() and (self.fold() != window.channels or not self.can_be_parallel()):
            raise GenerateError(
                f"node {self.onnx_node.name}",
                f"parallel_window with SIMD={self.fold()}, windows of {window.kernel}, padding {window.pads}",
                f"SIMD={window.channels}, windows of several pixels, no padding", "correct the folding",
            )  # fmt: skip
        if window.whole:
            return [Call("xnorflow_forward", template_call("forward", bits, self.beats()[0]), bits)]
        if not self.parallel():
            return [_window_call(self)]
        function = template_call("whole_windows", _shape(self), bits)
        return [Call("xnorflow_sliding_window", function, int(self.get_outstream_width()))]


@register_hls
class WindowPool_hls(HlsNode, WindowPool):
    """Columns and then rows where no windows overlap, else the positions of a sliding window."""

    def calls(self, model: Any) -> list[Call]:
        """Return the pools in series, behind windows where these overlap."""
        datatype, pe, mode = self.get_input_datatype(), self.fold(), self.get_nodeattr("PoolMode")
        calls = [_window_call(self)] if self.reads_windows() else []
        before, reduced, beats = int(datatype.bitwidth()), 1, self.beats()
        coming = beats[1] * self.window().positions if self.reads_windows() else beats[0]
        for positions, folds in self.reductions():
            reduced *= positions
            after = int(self.datatype_after(reduced).bitwidth())
            signed = before > 1 and bool(datatype.signed())
            operator = template_call("Largest", before, signed)
            if mode == "sum":
                operator = template_call("Total", before, after, signed)
            windows = coming // (positions * folds)
            function = template_call("pool", operator, windows, positions, folds, pe)
            calls.append(Call("xnorflow_pool", function, pe * after))
            coming, before = windows * folds, after
        if not calls:  # windows of a single pixel
            bits = int(self.get_instream_width())
            calls = [Call("xnorflow_forward", template_call("forward", bits, beats[0]), bits)]
        return calls
