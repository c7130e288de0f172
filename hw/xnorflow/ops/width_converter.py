"""Change of stream width, by any ratio of elements."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from finn.custom_op.fpgadataflow.streamingdatawidthconverter import StreamingDataWidthConverter

from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["WidthConverter", "WidthConverter_rtl", "width_converter_luts"]


def _widths(source: int, sink: int) -> list[int]:
    """Return the stream widths in order: in, perhaps their least common multiple, out."""
    common = math.lcm(source, sink)
    return [source, sink] if common in (source, sink) else [source, common, sink]


def width_converter_luts(source: int, sink: int) -> int:
    """Return LUTs from ``source`` to ``sink`` bits: a multiplexer a bit of the narrower side, and a counter."""
    return sum(max(a, b) // 2 + min(a, b) + 10 for a, b in pairwise(_widths(source, sink)))


@register_abstract
class WidthConverter(StreamingDataWidthConverter):
    """FINN's StreamingDataWidthConverter; FINN's RTL backend is neither -Wall clean nor read by yosys."""

    def get_exp_cycles(self) -> int:
        """Return the beats of a frame on the narrower side."""
        beats = (int(np.prod(shape[:-1])) for shape in (self.get_folded_input_shape(), self.get_folded_output_shape()))
        return max(beats)

    def widths(self) -> list[int]:
        """Return the stream widths in order: in, perhaps their least common multiple, out."""
        return _widths(int(self.get_instream_width()), int(self.get_outstream_width()))


@register_rtl
class WidthConverter_rtl(RtlNode, WidthConverter):
    """RTL backend: one ``xnorflow_dwc`` for an integer ratio, else one up to the least common multiple and one down."""

    library_modules = ("xnorflow_dwc",)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        widths = self.widths()
        bits = self.get_input_datatype().bitwidth()
        chain = [
            Instance("xnorflow_dwc", {"InWidth": before, "OutWidth": after}, after)
            for before, after in pairwise(widths)
        ]
        source = Port(widths[0], f"{widths[0] // bits} elements a beat")
        sink = Port(widths[-1], f"{widths[-1] // bits} elements a beat")
        name = self.get_verilog_top_module_name()
        return render_wrapper(name, f"Width converter, {widths[0]} to {widths[-1]} bits.", source, sink, chain)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs."""
        return width_converter_luts(int(self.get_instream_width()), int(self.get_outstream_width()))
