"""HLS backends of what changes streams, not values: width, copies, repetition; and of the argmax."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow.hls import register_custom_op as register_hls
from finn.custom_op.fpgadataflow.labelselect import LabelSelect

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.channel_repeat import ChannelRepeat
from xnorflow.ops.hls.code import Call, template_call
from xnorflow.ops.hls.node import HlsNode
from xnorflow.ops.junction import StreamFork
from xnorflow.ops.width_converter import WidthConverter

__all__ = ["ChannelRepeat_hls", "LabelSelect_hls", "StreamFork_hls", "WidthConverter_hls"]


@register_hls
class WidthConverter_hls(HlsNode, WidthConverter):
    """One converter for an integer ratio, else one up to the least common multiple and one down."""

    def calls(self, model: Any) -> list[Call]:
        """Return the converters, or a copy where widths are equal."""
        widths = self.widths()
        total = widths[0] * int(np.prod(self.get_folded_input_shape()[:-1]))
        if widths[0] == widths[-1]:
            function = template_call("forward", widths[0], total // widths[0])
            return [Call("xnorflow_forward", function, widths[0])]
        calls = []
        for before, after in pairwise(widths):
            name, beats = ("widen", total // after) if after > before else ("narrow", total // before)
            calls.append(Call("xnorflow_width_converter", template_call(name, before, after, beats), after))
        return calls


@register_hls
class StreamFork_hls(HlsNode, StreamFork):
    """Copies beat by beat."""

    def calls(self, model: Any) -> list[Call]:
        """Return the fork."""
        bits = int(self.get_instream_width())
        return [Call("xnorflow_forward", template_call("fork", bits, self.beats()[0]), bits)]


@register_hls
class ChannelRepeat_hls(HlsNode, ChannelRepeat):
    """Copies of a pixel."""

    def calls(self, model: Any) -> list[Call]:
        """Return the repetition.

        Raises:
            GenerateError: fewer than two copies, or a map filled from more than a pixel.
        """
        self.check_copies()
        beats = int(self.get_nodeattr("NumChannels")) // self.fold()
        pixels = math.prod(int(size) for size in self.get_nodeattr("numInputVectors"))
        bits = int(self.get_instream_width())
        return [Call("xnorflow_repeat", template_call("repeat", bits, pixels, beats, self.times()), bits)]


@register_hls
class LabelSelect_hls(HlsNode, LabelSelect):
    """The index of the first maximum; in place of FINN's, which needs finn-hlslib."""

    def calls(self, model: Any) -> list[Call]:
        """Return the argmax.

        Raises:
            GenerateError: K is not 1, or PE does not divide the labels.
        """
        labels, pe, k = (int(self.get_nodeattr(key)) for key in ("Labels", "PE", "K"))
        if k != 1 or labels % pe:
            raise GenerateError(
                f"node {self.onnx_node.name}", f"K={k}, PE={pe} for {labels} labels",
                "K=1 and a PE that divides the labels", "take TopK with k=1",
            )  # fmt: skip
        source, sink = self.get_input_datatype(), self.get_output_datatype()
        bits = int(sink.bitwidth())
        function = template_call("argmax", labels, pe, int(source.bitwidth()), bool(source.signed()), bits)
        return [Call("xnorflow_argmax", function, bits)]
