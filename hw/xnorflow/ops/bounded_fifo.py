"""A FIFO of the depth it says, in place of FINN's, which open simulators take only as an unbounded gauge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from finn.custom_op.fpgadataflow.streamingfifo import StreamingFIFO

from xnorflow.ops.memories import Memory
from xnorflow.ops.wrapper import Instance, Port, RtlNode, render_wrapper

__all__ = ["BoundedFIFO", "BoundedFIFO_rtl", "fifo_luts", "fifo_memory"]


def fifo_memory(bits: int, depth: int) -> Memory:
    """Return the memory behind the output register of a FIFO of three beats or more."""
    words = depth - 1
    return Memory(bits, 1 << (words - 1).bit_length() if words <= 1024 else words)


def fifo_luts(bits: int, depth: int) -> int:
    """Return LUTs of a FIFO: its memory, two pointers and a count; with two beats a multiplexer a bit."""
    if depth <= 2:
        return 3 + (bits if depth == 2 else 0)
    memory = fifo_memory(bits, depth)
    counters = 2 * (memory.words - 1).bit_length() + 6
    wrap = 8 + bits if memory.words & (memory.words - 1) else 0
    return memory.luts + counters + wrap


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
        parameters: dict[str, bool | int | str] = {"Width": bits, "Depth": depth}
        if depth > 2:
            parameters["MemoryStyle"] = fifo_memory(bits, depth).style
        instance = Instance("xnorflow_fifo", parameters, bits)
        name = self.get_verilog_top_module_name()
        return render_wrapper(name, f"FIFO of {depth} beats of {bits} bits.", port, port, [instance])

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        return fifo_luts(int(self.get_instream_width()), int(self.get_nodeattr("depth")))

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks."""
        bits, depth = int(self.get_instream_width()), int(self.get_nodeattr("depth"))
        return fifo_memory(bits, depth).bram18 if depth > 2 else 0

    def uram_estimation(self, fpgapart: str) -> int:
        """Return 0."""
        return 0
