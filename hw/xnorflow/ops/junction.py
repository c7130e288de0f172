"""Joins and splits of streams: the sum of two branches, and copies for several readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from qonnx.core.datatype import DataType

from xnorflow.ops.mvau_rtl import signed_bits
from xnorflow.ops.vector_operator import VectorOperator
from xnorflow.ops.wrapper import Junction, Port, RtlNode, render_junction

__all__ = ["StreamAdd", "StreamAdd_rtl", "StreamFork", "StreamFork_rtl"]


@register_abstract
class StreamAdd(VectorOperator):
    """The sum of two streams of integers, value by value; FINN's AddStreams exists as HLS only."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        return {**super().get_nodeattr_types(), "otherDataType": ("s", False, "INT2")}

    def get_input_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of an input's values."""
        return DataType[self.get_nodeattr("otherDataType" if ind else "inputDataType")]

    def infer_node_datatype(self, model: Any) -> None:
        """Take the inputs' datatypes, and give the output the least that holds every sum."""
        kinds = [model.get_tensor_datatype(name) for name in self.onnx_node.input]
        for key, kind in zip(("inputDataType", "otherDataType"), kinds, strict=True):
            self.set_nodeattr(key, kind.name)
        low, high = (int(sum(getattr(kind, end)() for kind in kinds)) for end in ("min", "max"))
        self.set_nodeattr("outputDataType", f"INT{signed_bits(low, high)}")
        model.set_tensor_datatype(self.onnx_node.output[0], self.get_output_datatype())

    def execute_node(self, context: Any, graph: Any) -> None:
        """Add in numpy."""
        node = self.onnx_node
        context[node.output[0]] = np.asarray(context[node.input[0]] + context[node.input[1]], np.float32)


@register_rtl
class StreamAdd_rtl(RtlNode, StreamAdd):
    """RTL backend: ``xnorflow_add``."""

    library_modules = ("xnorflow_fifo", "xnorflow_add")

    def get_verilog_top_module_intf_names(self) -> dict[str, Any]:
        """Return FINN's interface names, with the second stream in."""
        names = super().get_verilog_top_module_intf_names()
        names["s_axis"] = [(f"in{side}_V", self.get_instream_width_padded(side)) for side in (0, 1)]
        return dict(names)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        widths = [int(self.get_input_datatype(side).bitwidth()) for side in (0, 1)]
        out, pe, beats = int(self.get_output_datatype().bitwidth()), self.fold(), self.beats()[0]
        sources = [Port(pe * width, f"{beats} beats of {pe} x INT{width} a frame") for width in widths]
        sink = Port(pe * out, f"{beats} beats of {pe} x INT{out} a frame")
        parameters: dict[str, bool | int | str] = {"Pe": pe, "WidthA": widths[0], "WidthB": widths[1], "OutWidth": out}
        junction = Junction("xnorflow_add", parameters, ("_a", "_b"), ("",))
        purpose = f"Sum of two branches, {self.output_channels()} channels, PE={pe}: {beats} cycles."
        return render_junction(self.get_verilog_top_module_name(), purpose, sources, [sink], junction)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: an adder and a buffer of two sums a lane."""
        return 20 + 2 * self.get_outstream_width()


@register_abstract
class StreamFork(VectorOperator):
    """Copies of a stream for several readers; FINN's DuplicateStreams exists as HLS only."""

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of the copies, the input's."""
        return self.get_input_datatype()

    def execute_node(self, context: Any, graph: Any) -> None:
        """Copy."""
        for name in self.onnx_node.output:
            context[name] = context[self.onnx_node.input[0]]


@register_rtl
class StreamFork_rtl(RtlNode, StreamFork):
    """RTL backend: ``xnorflow_fork``."""

    library_modules = ("xnorflow_fork",)

    def get_verilog_top_module_intf_names(self) -> dict[str, Any]:
        """Return FINN's interface names, with all streams out."""
        names = super().get_verilog_top_module_intf_names()
        outputs = range(len(self.onnx_node.output))
        names["m_axis"] = [(f"out{index}_V", self.get_outstream_width_padded(index)) for index in outputs]
        return dict(names)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        bits, count, beats = self.get_instream_width(), len(self.onnx_node.output), self.beats()[0]
        port = Port(bits, f"{beats} beats of {self.fold()} x {self.get_input_datatype().name} a frame")
        parameters: dict[str, bool | int | str] = {"Width": bits, "Outputs": count}
        junction = Junction("xnorflow_fork", parameters, ("",), tuple(f"[{index}]" for index in range(count)))
        purpose = f"{count} copies of a stream, {self.output_channels()} channels, PE={self.fold()}: {beats} cycles."
        return render_junction(self.get_verilog_top_module_name(), purpose, [port], [port] * count, junction)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: for each output a choice of two beats."""
        return len(self.onnx_node.output) * (self.get_instream_width() + 3)
