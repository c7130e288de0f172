"""A function of one integer for each channel: normalization, activation and rounding in one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.ops.output_buffer import OutputBuffer
from xnorflow.ops.requantize_memory import WIDEST_TABLE, FunctionMemory, read_function
from xnorflow.ops.vector_operator import VectorOperator
from xnorflow.ops.wrapper import Instance, Port, Sized, render_wrapper

__all__ = ["Requantize", "Requantize_rtl"]

IntArray = npt.NDArray[np.int64]


@register_abstract
class Requantize(VectorOperator):
    """Looks up ``table[x - Low]`` for each channel; the table (integers, channels) is the second operand."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        return {**super().get_nodeattr_types(), "Low": ("i", False, 0)}

    def execute_node(self, context: Any, graph: Any) -> None:
        """Look up in numpy."""
        node = self.onnx_node
        values, table = np.asarray(context[node.input[0]]), np.asarray(context[node.input[1]])
        rows = np.rint(values).astype(np.int64) - int(self.get_nodeattr("Low"))
        result = table[rows.reshape(-1, table.shape[1]), np.arange(table.shape[1])]
        context[node.output[0]] = np.asarray(result.reshape(values.shape), np.float32)

    def function(self, model: Any) -> FunctionMemory:
        """Return what the memories hold."""
        table = np.rint(np.asarray(model.get_initializer(self.onnx_node.input[1]))).astype(np.int64)
        width, out = (int(kind.bitwidth()) for kind in (self.get_input_datatype(), self.get_output_datatype()))
        signed = bool(self.get_input_datatype().signed())
        return read_function(table, int(self.get_nodeattr("Low")), width, signed, out, self.fold())


@register_rtl
class Requantize_rtl(OutputBuffer, Requantize):
    """RTL backend: ``xnorflow_requantize``, comparing for few steps, multiplying wide sums, else looking up."""

    library_modules = (
        "xnorflow_fifo", "xnorflow_credit_fifo", "xnorflow_sum_tree", "xnorflow_xnor_popcount",
        "xnorflow_requantize_thresholds", "xnorflow_requantize_affine", "xnorflow_requantize_table",
        "xnorflow_requantize",
    )  # fmt: skip

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write the memories and return the wrapper's text."""
        name, function = self.get_verilog_top_module_name(), self.function(model)
        files = function.files(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        channels, pe = int(self.get_nodeattr("NumChannels")), self.fold()
        widths = [int(kind.bitwidth()) for kind in (self.get_input_datatype(), self.get_output_datatype())]
        parameters: dict[str, bool | int | str | Sized] = {
            "Channels": channels, "Pe": pe, "InWidth": widths[0], "OutWidth": widths[1], "Mode": function.mode,
        }  # fmt: skip
        parameters |= function.parameters
        if function.mode == "table":
            parameters |= {"TableFiles": f"{name}_table"}
        else:
            parameters |= {"ParameterFile": f"{name}_parameters.mem"}
        parameters |= self.output_parameters()
        source = Port(self.get_instream_width(), f"{self.beats()[0]} beats of {pe} x {self.get_input_datatype().name}")
        sink = Port(self.get_outstream_width(), f"{self.beats()[1]} beats of {pe} x {self.get_output_datatype().name}")
        purpose = (
            f"A function of each of {channels} channels, by {function.mode}, PE={pe}: {self.get_exp_cycles()} cycles."
        )
        return render_wrapper(name, purpose, source, sink, [Instance("xnorflow_requantize", parameters, sink.bits)])

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: comparators, multipliers' surroundings or look-up, and the output buffer."""
        bits = [int(kind.bitwidth()) for kind in (self.get_input_datatype(), self.get_output_datatype())]
        if bits[1] == 1:  # a threshold a lane, from a memory of its own bits above four words
            folds = int(self.get_nodeattr("NumChannels")) // self.fold()
            lane = 0.85 * bits[0] + (0.8 * (bits[0] + 1) if folds > 4 else 0)
            return round(22 + 4 * math.ceil(self.fold() / 6) + self.fold() * lane) + self.buffer_luts()
        each = {"affine": 10 * bits[1], "table": 2 * bits[1]}[self._likely_mode()]
        return 60 + self.fold() * each + self.buffer_luts()

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of the tables, two lanes in each, and of a deep output buffer."""
        if self._likely_mode() != "table":
            return self.buffer_bram18()
        words = 2 ** int(self.get_input_datatype().bitwidth()) * int(self.get_nodeattr("NumChannels")) // self.fold()
        bits = 2 * words * int(self.get_output_datatype().bitwidth())
        return math.ceil(self.fold() / 2) * math.ceil(bits / 18432) + self.buffer_bram18()

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return a multiplier a lane, where functions are lines."""
        return self.fold() if self._likely_mode() == "affine" else 0

    def _likely_mode(self) -> str:
        """Return the mode that widths alone suggest, before the function is looked at."""
        if int(self.get_output_datatype().bitwidth()) == 1:
            return "thresholds"
        return "affine" if int(self.get_input_datatype().bitwidth()) > WIDEST_TABLE else "table"
