"""A FIFO of the depth it says, in place of FINN's, which open simulators take only as an unbounded gauge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from finn.custom_op.fpgadataflow.streamingfifo import StreamingFIFO

from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["BoundedFIFO", "BoundedFIFO_rtl", "fifo_luts"]


def fifo_luts(bits: int, depth: int) -> int:
    """Return LUTs of a FIFO: 32 x 6 bits in four LUTs of distributed memory, and the pointers."""
    return -(-bits // 6) * 4 * -(-depth // 32) + 3 * max(depth - 1, 1).bit_length() + 12


@register_abstract
class BoundedFIFO(StreamingFIFO):
    """FINN's StreamingFIFO, holding exactly ``depth`` beats."""

    def get_exp_cycles(self) -> int:
        """Return the beats of a frame."""
        return int(np.prod(self.get_folded_output_shape()[:-1]))


@register_rtl
class BoundedFIFO_rtl(RtlNode, BoundedFIFO):
    """RTL backend: ``xnorflow_fifo``."""

    library_modules = ("xnorflow_fifo",)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        bits, depth = self.get_instream_width(), int(self.get_nodeattr("depth"))
        port = Port(bits, f"{self.get_exp_cycles()} beats of {self.get_folded_output_shape()[-1]} elements a frame")
        instance = Instance("xnorflow_fifo", {"Width": bits, "Depth": depth}, bits)
        name = self.get_verilog_top_module_name()
        return render_wrapper(name, f"FIFO of {depth} beats of {bits} bits.", port, port, [instance])

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        return fifo_luts(int(self.get_instream_width()), int(self.get_nodeattr("depth")))

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 0: distributed memory."""
        return 0

    def uram_estimation(self, fpgapart: str) -> int:
        """Return 0."""
        return 0
