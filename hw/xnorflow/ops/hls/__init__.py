"""HLS backends of the operators, registered in FINN's domain ``finn.custom_op.fpgadataflow.hls`` on import."""

from xnorflow.ops.hls.joins import StreamAdd_hls, StreamGate_hls
from xnorflow.ops.hls.maps import SlidingWindow_hls, WindowPool_hls
from xnorflow.ops.hls.mvau import BinaryWeightMVAU_hls, FewBitMVAU_hls, XnorMVAU_hls
from xnorflow.ops.hls.requantize import Requantize_hls
from xnorflow.ops.hls.streams import ChannelRepeat_hls, LabelSelect_hls, StreamFork_hls, WidthConverter_hls

__all__ = [
    "BinaryWeightMVAU_hls",
    "ChannelRepeat_hls",
    "FewBitMVAU_hls",
    "LabelSelect_hls",
    "Requantize_hls",
    "SlidingWindow_hls",
    "StreamAdd_hls",
    "StreamFork_hls",
    "StreamGate_hls",
    "WidthConverter_hls",
    "WindowPool_hls",
    "XnorMVAU_hls",
]
