"""FINN custom operators of xnorflow, registered on import.

Abstract operators join FINN's domain ``finn.custom_op.fpgadataflow``, their RTL backends the domain
``finn.custom_op.fpgadataflow.rtl`` and their HLS backends ``finn.custom_op.fpgadataflow.hls``, so that FINN's own
passes (SpecializeLayers, PrepareIP, the analyses) find them.
Import this package before loading a graph that holds them.
"""

from xnorflow.ops.binary_weight_mvau import BinaryWeightMVAU, BinaryWeightMVAU_rtl
from xnorflow.ops.bounded_fifo import BoundedFIFO, BoundedFIFO_rtl
from xnorflow.ops.channel_repeat import ChannelRepeat, ChannelRepeat_rtl
from xnorflow.ops.few_bit_mvau import FewBitMVAU, FewBitMVAU_rtl
from xnorflow.ops.hls import (
    BinaryWeightMVAU_hls,
    ChannelRepeat_hls,
    FewBitMVAU_hls,
    LabelSelect_hls,
    Requantize_hls,
    SlidingWindow_hls,
    StreamAdd_hls,
    StreamFork_hls,
    StreamGate_hls,
    WidthConverter_hls,
    WindowPool_hls,
    XnorMVAU_hls,
)
from xnorflow.ops.junction import StreamAdd, StreamAdd_rtl, StreamFork, StreamFork_rtl
from xnorflow.ops.label_select import LabelSelect_rtl
from xnorflow.ops.requantize import Requantize, Requantize_rtl
from xnorflow.ops.sliding_window import SlidingWindow, SlidingWindow_rtl
from xnorflow.ops.stream_gate import StreamGate, StreamGate_rtl
from xnorflow.ops.width_converter import WidthConverter, WidthConverter_rtl
from xnorflow.ops.window_pool import WindowPool, WindowPool_rtl
from xnorflow.ops.xnor_mvau import XnorMVAU, XnorMVAU_rtl

__all__ = [
    "BinaryWeightMVAU",
    "BinaryWeightMVAU_hls",
    "BinaryWeightMVAU_rtl",
    "BoundedFIFO",
    "BoundedFIFO_rtl",
    "ChannelRepeat",
    "ChannelRepeat_hls",
    "ChannelRepeat_rtl",
    "FewBitMVAU",
    "FewBitMVAU_hls",
    "FewBitMVAU_rtl",
    "LabelSelect_hls",
    "LabelSelect_rtl",
    "Requantize",
    "Requantize_hls",
    "Requantize_rtl",
    "SlidingWindow",
    "SlidingWindow_hls",
    "SlidingWindow_rtl",
    "StreamAdd",
    "StreamAdd_hls",
    "StreamAdd_rtl",
    "StreamFork",
    "StreamFork_hls",
    "StreamFork_rtl",
    "StreamGate",
    "StreamGate_hls",
    "StreamGate_rtl",
    "WidthConverter",
    "WidthConverter_hls",
    "WidthConverter_rtl",
    "WindowPool",
    "WindowPool_hls",
    "WindowPool_rtl",
    "XnorMVAU",
    "XnorMVAU_hls",
    "XnorMVAU_rtl",
]
