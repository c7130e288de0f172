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

__all__ = ["WidthConverter", "WidthConverter_rtl", "converter_widths", "width_converter_luts"]


def converter_widths(source: int, sink: int) -> list[int]:
    """Return the stream widths in order: in, perhaps their least common multiple, out."""
    common = math.lcm(source, sink)
    return [source, sink] if common in (source, sink) else [source, common, sink]


def width_converter_luts(source: int, sink: int) -> int:
    """Return LUTs from ``source`` to ``sink`` bits: multiplexers for each bit of the narrower side, and a counter."""
    steps = pairwise(converter_widths(source, sink))
    return sum(_split_luts(a // b, b) if a > b else _join_luts(b // a, a) for a, b in steps)


def _split_luts(ratio: int, bits: int) -> int:
    """Return LUTs of a splitter: a choice of ``ratio`` pieces and what comes in, by multiplexers of four."""
    count = (ratio - 1).bit_length()
    of_two = ratio == 1 << count
    each = 1 if ratio <= 3 else 2
    if ratio > 5:
        groups = ratio // 4 + 1
        each = -(-ratio // 4) + (1 if groups <= 4 else max(3, groups // 2))
    return each * bits + 4 + 3 * count // 2 + (0 if of_two or ratio == 3 else 2)


def _join_luts(ratio: int, bits: int) -> int:
    """Return LUTs of a joiner: a choice for the first piece, and an enable for each of them."""
    enables = ratio if ratio <= 16 else 6 * ratio // 5
    of_two = ratio & (ratio - 1) == 0
    return bits + enables + (3 if ratio <= 3 else 5) + (0 if of_two else 2)


@register_abstract
class WidthConverter(StreamingDataWidthConverter):
    """FINN's StreamingDataWidthConverter; FINN's RTL backend is neither -Wall clean nor read by yosys."""

    def get_exp_cycles(self) -> int:
        """Return the beats of a frame on the narrower side."""
        beats = (int(np.prod(shape[:-1])) for shape in (self.get_folded_input_shape(), self.get_folded_output_shape()))
        return max(beats)

    def widths(self) -> list[int]:
        """Return the stream widths in order: in, perhaps their least common multiple, out."""
        return converter_widths(int(self.get_instream_width()), int(self.get_outstream_width()))


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
