"""Results that wait inside the layer that made them, instead of in a FIFO behind it."""

from __future__ import annotations

from typing import Any

from xnorflow.ops.bounded_fifo import fifo_luts, fifo_memory
from xnorflow.ops.wrapper import RtlNode

__all__ = ["OUTPUT_DEPTH", "OutputBuffer"]

OUTPUT_DEPTH = "outputDepth"
"""Attribute: results that the layer's output buffer holds at least; 0: as many as its pipeline needs."""


class OutputBuffer(RtlNode):
    """RTL backend whose last module has the parameters OutputDepth and OutputStyle.

    A subclass says by ``least_buffer`` what the buffer holds where nothing is asked for: a place for each result of
    the pipeline in front, 5 at least, which are in memory, where up to 33 cost the same; or 2, which are registers.
    """

    least_buffer = 5

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        return {**super().get_nodeattr_types(), OUTPUT_DEPTH: ("i", False, 0)}

    def output_depth(self) -> int:
        """Return what is asked for; 0 where nothing is."""
        return int(self.get_nodeattr(OUTPUT_DEPTH))

    def buffer_bits(self) -> int:
        """Return the bits of a result in the buffer."""
        return int(self.get_outstream_width())

    def output_parameters(self) -> dict[str, int | str]:
        """Return the module's parameters; none where nothing is asked for."""
        depth = self.output_depth()
        if not depth:
            return {}
        return {"OutputDepth": depth, "OutputStyle": fifo_memory(self.buffer_bits(), depth).style}

    def buffer_luts(self, depth: int | None = None) -> int:
        """Return the LUTs of a buffer of ``depth`` results, the one asked for if None, beyond those of the least."""
        depth = max(self.output_depth() if depth is None else depth, self.least_buffer)
        return fifo_luts(self.buffer_bits(), depth) - fifo_luts(self.buffer_bits(), self.least_buffer)

    def buffer_bram18(self, depth: int | None = None) -> int:
        """Return the 18 Kib blocks of a buffer of ``depth`` results, the one asked for if None."""
        depth = self.output_depth() if depth is None else depth
        return fifo_memory(self.buffer_bits(), depth).bram18 if depth > self.least_buffer else 0
