"""HLS backend of functions of one integer, on ``xnorflow_requantize.hpp``, with the parameters of the RTL."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from finn.custom_op.fpgadataflow.hls import register_custom_op as register_hls

from xnorflow.ops.hls.code import Call, ConstantArray, template_call
from xnorflow.ops.hls.node import HlsNode
from xnorflow.ops.hls.words import integers_of, read_words
from xnorflow.ops.requantize import Requantize
from xnorflow.ops.requantize_memory import FunctionMemory

__all__ = ["Requantize_hls"]

BitArray = npt.NDArray[np.uint8]


def _by_lane(bits: BitArray, signed: bool) -> npt.NDArray[np.object_]:
    """Return integers (lanes, folds, ...) of bits (folds, lanes, ..., width)."""
    values = integers_of(bits)
    if signed:
        width = bits.shape[-1]
        values = values - ((values >> (width - 1)) << width)
    return np.moveaxis(values, 0, 1)


@register_hls
class Requantize_hls(HlsNode, Requantize):
    """By thresholds, lines or table, as the RTL chooses."""

    def calls(self, model: Any) -> list[Call]:
        """Return the function's form."""
        function, (steps, base) = self.function(model), (0, 0)
        pixels = math.prod(int(size) for size in self.get_nodeattr("numInputVectors"))
        folds = int(self.get_nodeattr("NumChannels")) // self.fold()
        shape = template_call("ChannelShape", pixels, folds, self.fold(), function.width, function.out_width)
        out_bits, header = int(self.get_outstream_width()), "xnorflow_requantize"
        if function.mode == "thresholds":
            steps, base = function.steps, function.base
            text = template_call("requantize_by_thresholds", shape, steps, base)
            return [Call(header, text, out_bits, ("thresholds", "falls"))]
        if function.mode == "affine":
            widths = [int(function.parameters[key]) for key in ("FactorWidth", "OffsetWidth", "Shift", "Slopes")]
            text = template_call("requantize_by_lines", shape, *widths)
            return [Call(header, text, out_bits, ("factors", "offsets", "knees"))]
        return [Call(header, template_call("requantize_by_table", shape), out_bits, ("table",))]

    def arrays(self, model: Any) -> list[ConstantArray]:
        """Return the parameters by lane and fold."""
        function = self.function(model)
        files = list(function.files("node").values())
        if function.mode == "thresholds":
            return _thresholds(function, files[0])
        return _lines(function, files[0]) if function.mode == "affine" else _table(function, files)


def _thresholds(function: FunctionMemory, text: str) -> list[ConstantArray]:
    pe, steps, wide = function.pe, function.steps, function.width + 1
    words = read_words(text, pe * steps * wide + (pe if function.falling else 0))
    thresholds = _by_lane(words[:, : pe * steps * wide].reshape(-1, pe, steps, wide), signed=True)
    falls = words[:, pe * steps * wide :] if function.falling else np.zeros((len(words), pe), np.uint8)
    return [
        ConstantArray("thresholds", wide, True, "Thresholds of channel f*Pe + p at [p][f].", thresholds),
        ConstantArray("falls", 1, False, "1 where the channel's function falls.", falls.T.astype(object)),
    ]


def _lines(function: FunctionMemory, text: str) -> list[ConstantArray]:
    pieces, pe, knee = function.slopes, function.pe, function.width + 1
    factor, offset = (int(function.parameters[key]) for key in ("FactorWidth", "OffsetWidth"))
    lane = pieces * (factor + offset) + (knee if pieces == 2 else 0)
    lanes = read_words(text, pe * lane).reshape(-1, pe, lane)
    starts = [piece * (factor + offset) for piece in range(pieces)]
    factors = np.stack([_by_lane(lanes[..., start : start + factor], signed=True) for start in starts])
    ends = [start + factor for start in starts]
    offsets = np.stack([_by_lane(lanes[..., end : end + offset], signed=True) for end in ends])
    knees = np.zeros(factors.shape[1:], object)
    if pieces == 2:
        knees = _by_lane(lanes[..., -knee:], signed=True)
    return [
        ConstantArray("factors", factor, True, "Factors of channel f*Pe + p at [piece][p][f].", factors),
        ConstantArray("offsets", offset, True, "What is added to the products.", offsets),
        ConstantArray("knees", knee, True, "Inputs below take the second piece.", knees),
    ]


def _table(function: FunctionMemory, files: list[str]) -> list[ConstantArray]:
    size, lanes = 1 << function.width, []
    for first, text in zip(range(0, function.pe, 2), files, strict=True):
        count = min(2, function.pe - first)
        words = integers_of(read_words(text, function.out_width)).reshape(-1, count, size)
        lanes += [words[:, lane].reshape(-1) for lane in range(count)]
    note = "Results of channel f*Pe + p at [p][f * 2**InBits + x]."
    return [ConstantArray("table", function.out_width, False, note, np.stack(lanes))]
