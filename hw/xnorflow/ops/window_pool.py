"""Max-pools and sums over maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from qonnx.core.datatype import DataType

from xnorflow.ops.map_operator import MapOperator
from xnorflow.ops.memories import Memory
from xnorflow.ops.output_buffer import OutputBuffer
from xnorflow.ops.sliding_window import window_instance
from xnorflow.ops.window_memory import WindowMemory
from xnorflow.ops.wrapper import Instance, Port, Sized, render_wrapper

__all__ = ["WindowPool", "WindowPool_rtl"]


@register_abstract
class WindowPool(MapOperator):
    """The largest value or the sum of each window, channel by channel; FINN's Pool exists as HLS only."""

    fold_key = "PE"

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        return {**super().get_nodeattr_types(), "PoolMode": ("s", False, "max", {"max", "sum"})}

    def values_of_output_pixel(self) -> int:
        """Return the channels."""
        return int(self.get_nodeattr("IFMChannels"))

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of the results."""
        return self.datatype_after(self.window().positions)

    def datatype_after(self, positions: int) -> Any:
        """Return the QONNX datatype of the largest value or the sum of so many."""
        kind = self.get_input_datatype()
        if self.get_nodeattr("PoolMode") == "max":
            return kind
        if not kind.signed():
            return DataType[f"INT{(positions * int(kind.max())).bit_length() + 1}"]
        return DataType[f"INT{int(kind.bitwidth()) + (positions - 1).bit_length()}"]

    def reads_windows(self) -> bool:
        """Whether a sliding window stands in front: not where every pixel is in one window."""
        return not (self.window().apart or self.window().whole)

    def reductions(self) -> list[tuple[int, int]]:
        """Return positions and folds of each ``xnorflow_pool`` in order; a single position needs none."""
        window = self.window()
        folds = window.channels // self.fold()
        if not window.apart or window.whole:
            return [(window.positions, folds)]
        both = [(window.kernel[1], folds), (window.kernel[0], window.output[1] * folds)]
        return [(positions, width) for positions, width in both if positions > 1]

    def get_exp_cycles(self) -> int:
        """Return the beats coming in, or those of the windows where these overlap: the steady-state interval."""
        beats_in, beats_out = self.beats()
        return max(beats_in, beats_out * self.window().positions) if self.reads_windows() else beats_in

    def execute_node(self, context: Any, graph: Any) -> None:
        """Reduce in numpy."""
        windows = self.windows_of(context)
        reduced = windows.max(axis=(3, 4)) if self.get_nodeattr("PoolMode") == "max" else windows.sum(axis=(3, 4))
        context[self.onnx_node.output[0]] = np.asarray(reduced, np.float32)


@register_rtl
class WindowPool_rtl(OutputBuffer, WindowPool):
    """RTL backend: ``xnorflow_pool`` over the columns and then over the rows where no windows overlap.

    Else ``xnorflow_swg``, and one ``xnorflow_pool`` over the positions of its windows.
    """

    least_buffer = 2
    library_modules = ("xnorflow_fifo", "xnorflow_credit_fifo", "xnorflow_swg_ring", "xnorflow_swg", "xnorflow_pool")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        window, datatype, mode = self.window(), self.get_input_datatype(), self.get_nodeattr("PoolMode")
        kinds = datatype.name, self.get_output_datatype().name
        widths = self.get_instream_width(), self.get_outstream_width()
        source, sink = (
            Port(width, f"{count} beats of {self.fold()} x {kind} a frame")
            for width, count, kind in zip(widths, self.beats(), kinds, strict=True)
        )
        chain = [window_instance(self)] if self.reads_windows() else []
        before, reduced = int(datatype.bitwidth()), 1
        for positions, folds in self.reductions():
            reduced *= positions
            after = int(self.datatype_after(reduced).bitwidth())
            parameters: dict[str, bool | int | str | Sized] = {
                "Positions": positions, "Folds": folds, "Pe": self.fold(), "InWidth": before, "OutWidth": after,
                "Mode": mode, "Signed": before > 1 and bool(datatype.signed()),
                "MemoryStyle": Memory(self.fold() * after, folds).style,
            }  # fmt: skip
            chain.append(Instance("xnorflow_pool", parameters, self.fold() * after))
            before = after
        chain[-1:] = [replace(last, parameters={**last.parameters, **self.output_parameters()}) for last in chain[-1:]]
        shape = f"{window.kernel[0]}x{window.kernel[1]} pixels over maps of {window.rows}x{window.columns}"
        kind, cycles = str(mode).capitalize(), self.get_exp_cycles()
        purpose = f"{kind}-pool of {shape}, {window.channels} channels, PE={self.fold()}: {cycles} cycles."
        return render_wrapper(self.get_verilog_top_module_name(), purpose, source, sink, chain)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        luts = sum(self._reduction_luts(*reduction) for reduction in self._stages()) + self.buffer_luts()
        return luts + self._memory().luts if self.reads_windows() else luts

    def _stages(self) -> list[tuple[int, int, int]]:
        """Return positions, folds and bits of a result of each ``xnorflow_pool``."""
        found, reduced = [], 1
        for positions, folds in self.reductions():
            reduced *= positions
            found.append((positions, folds, int(self.datatype_after(reduced).bitwidth())))
        return found

    def _reduction_luts(self, positions: int, folds: int, bits: int) -> int:
        """Return LUTs of a ``xnorflow_pool``: counters, memory, and for each lane what reduces and the buffer."""
        # A largest value is compared and chosen, a sum added; the buffer chooses among two beats.
        largest = 2 * bits - 2 if bits > 1 else 1
        lane = bits + (bits if self.get_nodeattr("PoolMode") == "sum" else largest)
        lane += bits if folds == 1 and positions > 1 else 0
        memory = Memory(self.fold() * bits, folds).luts if folds > 1 and positions > 1 else 0
        return 8 + (folds - 1).bit_length() + (positions - 1).bit_length() + memory + self.fold() * lane

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks."""
        stages = [Memory(self.fold() * bits, folds) for positions, folds, bits in self._stages() if positions > 1]
        blocks = sum(memory.bram18 for memory in stages if memory.words > 1)
        blocks += self.buffer_bram18()
        return blocks + (self._memory().bram18 if self.reads_windows() else 0)

    def _memory(self) -> WindowMemory:
        return WindowMemory(self.window(), self.fold(), int(self.get_input_datatype().bitwidth()))
