"""Copies of a pixel: its channels several times, for a shortcut that doubles them, or one pixel for a whole map."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.memories import Memory
from xnorflow.ops.stream_operator import Shape
from xnorflow.ops.vector_operator import VectorOperator
from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["ChannelRepeat", "ChannelRepeat_rtl"]


@register_abstract
class ChannelRepeat(VectorOperator):
    """Tile along the channels, Times times; or, with OutputPixels, copy one pixel to every place of a map.

    Attributes beside those of every vector operator: Times; OutputPixels, empty or the map's rows and columns. These
    make Times meaningless, and the input a map of one pixel (1, 1, 1, NumChannels).
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        own = {"Times": ("i", False, 2), "OutputPixels": ("ints", False, [])}
        return {**super().get_nodeattr_types(), **own}

    def output_pixels(self) -> tuple[int, ...]:
        """Return rows and columns of the map that is filled, or nothing."""
        return tuple(int(size) for size in self.get_nodeattr("OutputPixels"))

    def times(self) -> int:
        """Return how many copies of a pixel go out."""
        return math.prod(self.output_pixels()) if self.output_pixels() else int(self.get_nodeattr("Times"))

    def output_channels(self) -> int:
        """Return the channels of an output pixel."""
        return int(self.get_nodeattr("NumChannels")) * (1 if self.output_pixels() else self.times())

    def get_normal_output_shape(self, ind: int = 0) -> Shape:
        """Return the output's pixels and their channels."""
        pixels = self.output_pixels()
        return (1, *pixels, self.output_channels()) if pixels else super().get_normal_output_shape(ind)

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of the copies, the input's."""
        return self.get_input_datatype()

    def check_copies(self) -> None:
        """Refuse what is no repetition.

        Raises:
            GenerateError: fewer than two copies, or a map filled from more than a pixel.
        """
        times, pixels = self.times(), self.output_pixels()
        if times < 2 or (pixels and (len(pixels) != 2 or math.prod(self.get_nodeattr("numInputVectors")) != 1)):
            raise GenerateError(
                f"node {self.onnx_node.name}",
                f"Times={times}, OutputPixels={list(pixels)} of {self.get_nodeattr('numInputVectors')} pixels",
                "at least 2 copies, and with OutputPixels rows and columns, from one pixel", "set the attributes",
            )  # fmt: skip

    def execute_node(self, context: Any, graph: Any) -> None:
        """Repeat in numpy."""
        node = self.onnx_node
        if self.output_pixels():
            pixel = np.reshape(context[node.input[0]], (1, 1, 1, -1))
            context[node.output[0]] = np.tile(pixel, (1, *self.output_pixels(), 1))
        else:
            context[node.output[0]] = np.concatenate([context[node.input[0]]] * self.times(), axis=-1)


@register_rtl
class ChannelRepeat_rtl(RtlNode, ChannelRepeat):
    """RTL backend: ``xnorflow_repeat``."""

    library_modules = ("xnorflow_repeat",)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        self.check_copies()
        bits, times, pixels = self.get_instream_width(), self.times(), self.output_pixels()
        beats = int(self.get_nodeattr("NumChannels")) // self.fold()
        kind = f"{self.fold()} x {self.get_input_datatype().name} a frame"
        source, sink = (Port(bits, f"{count} beats of {kind}") for count in self.beats())
        instance = Instance("xnorflow_repeat", {"Width": bits, "Beats": beats, "Times": times}, bits)
        what = "Pixel" if pixels else "Channels"
        purpose = f"{what} {times} times, PE={self.fold()}: {self.get_exp_cycles()} cycles."
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, [instance])

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a memory of two pixels, and counters."""
        memory = self._memory()
        return 14 + memory.luts + 3 * (memory.words - 1).bit_length() + (self.times() - 1).bit_length() // 2

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of the memory."""
        return self._memory().bram18

    def _memory(self) -> Memory:
        return Memory(int(self.get_instream_width()), 2 * int(self.get_nodeattr("NumChannels")) // self.fold())
