"""Joins and splits of streams: the sum of two branches, and copies for several readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl
from qonnx.core.datatype import DataType

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.mvau_rtl import signed_bits
from xnorflow.ops.output_buffer import OutputBuffer
from xnorflow.ops.vector_operator import VectorOperator
from xnorflow.ops.wrapper import Junction, Port, RtlNode, render_junction

__all__ = ["JoinRtl", "StreamAdd", "StreamAdd_rtl", "StreamFork", "StreamFork_rtl", "StreamJoin"]


class StreamJoin(VectorOperator):
    """An operator that makes one stream of two, value by value; both have the same shape and folding.

    A subclass says by ``second_key`` which attribute holds the second input's datatype, and gives the results' range.
    """

    second_key = "otherDataType"

    streams_in = 2

    def get_input_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of an input's values."""
        return DataType[self.get_nodeattr(self.second_key if ind else "inputDataType")]

    def infer_node_datatype(self, model: Any) -> None:
        """Take the inputs' datatypes, and give the output the least ``INT`` that holds every result."""
        kinds = [model.get_tensor_datatype(name) for name in self.onnx_node.input]
        for key, kind in zip(("inputDataType", self.second_key), kinds, strict=True):
            self.set_nodeattr(key, kind.name)
        self.set_nodeattr("outputDataType", f"INT{max(signed_bits(*self.result_range()), 2)}")
        model.set_tensor_datatype(self.onnx_node.output[0], self.get_output_datatype())

    def result_range(self) -> tuple[int, int]:
        """Return the least and the largest result by the inputs' datatypes."""
        raise NotImplementedError

    def integers(self, context: Any) -> list[Any]:
        """Return both inputs' values as whole numbers."""
        return [np.rint(context[name]).astype(np.int64) for name in self.onnx_node.input]


class JoinRtl(OutputBuffer):
    """What the RTL backends of both joins share: the second stream, and a wrapper around one module."""

    least_buffer = 2

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of a deep output buffer."""
        return self.buffer_bram18()

    def render(self, module: str, purpose: str, parameters: dict[str, bool | int | str]) -> str:
        """Return the wrapper's text, PE among the parameters.

        Raises:
            GenerateError: an input or the output is not of whole numbers in two's complement or without sign.
        """
        pe, beats, out = self.fold(), self.beats()[0], self.get_output_datatype()
        kinds = [self.get_input_datatype(side) for side in (0, 1)]
        for kind in (*kinds, out):
            if not kind.is_integer() or kind.name == "BIPOLAR":
                raise GenerateError(
                    f"node {self.onnx_node.name}", f"values of {kind.name}", "INT<n>, UINT<n> or BINARY",
                    "set the datatypes",
                )  # fmt: skip
        sources = [Port(self.get_instream_width(i), f"{beats} beats of {pe} x {kind.name} a frame")
                   for i, kind in enumerate(kinds)]  # fmt: skip
        sink = Port(self.get_outstream_width(), f"{beats} beats of {pe} x {out.name} a frame")
        junction = Junction(module, {"Pe": pe, **parameters, **self.output_parameters()}, ("_a", "_b"), ("",))
        about = f"{purpose}, {self.output_channels()} channels, PE={pe}: {beats} cycles."
        return render_junction(self.get_verilog_top_module_name(), about, sources, [sink], junction)


@register_abstract
class StreamAdd(StreamJoin):
    """The sum of two streams of integers, each shifted left, value by value; FINN's AddStreams exists as HLS only.

    Attributes beside those of every vector operator: otherDataType, of the second input; ShiftA and ShiftB, 0 to 24,
    places that a value of the first and of the second input moves to the left. The output is signed.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        own = {"otherDataType": ("s", False, "INT2"), "ShiftA": ("i", False, 0), "ShiftB": ("i", False, 0)}
        return {**super().get_nodeattr_types(), **own}

    def shifts(self) -> tuple[int, int]:
        """Return the places that values of either input move."""
        return int(self.get_nodeattr("ShiftA")), int(self.get_nodeattr("ShiftB"))

    def result_range(self) -> tuple[int, int]:
        """Return the least and the largest sum."""
        kinds = [self.get_input_datatype(side) for side in (0, 1)]
        low, high = (
            sum(int(getattr(kind, end)()) << shift for kind, shift in zip(kinds, self.shifts(), strict=True))
            for end in ("min", "max")
        )
        return low, high

    def execute_node(self, context: Any, graph: Any) -> None:
        """Shift and add in numpy; sums beyond the output's datatype become its nearest end."""
        (first, second), (shift_a, shift_b) = self.integers(context), self.shifts()
        kind = self.get_output_datatype()
        sums = np.clip((first << shift_a) + (second << shift_b), int(kind.min()), int(kind.max()))
        context[self.onnx_node.output[0]] = sums.astype(np.float32)


@register_rtl
class StreamAdd_rtl(JoinRtl, StreamAdd):
    """RTL backend: ``xnorflow_add``."""

    library_modules = ("xnorflow_fifo", "xnorflow_join", "xnorflow_add")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        kinds = [self.get_input_datatype(side) for side in (0, 1)]
        widths, signs = [int(kind.bitwidth()) for kind in kinds], [bool(kind.signed()) for kind in kinds]
        (shift_a, shift_b), out = self.shifts(), int(self.get_output_datatype().bitwidth())
        parameters: dict[str, bool | int | str] = {
            "WidthA": widths[0], "WidthB": widths[1], "OutWidth": out,
            "ShiftA": shift_a, "ShiftB": shift_b, "SignedA": signs[0], "SignedB": signs[1],
        }  # fmt: skip
        return self.render("xnorflow_add", "Sum of two branches", parameters)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: for each lane an adder where both operands have bits, and a buffer of two sums."""
        kinds, shifts = [self.get_input_datatype(side) for side in (0, 1)], self.shifts()
        ends = [int(kind.bitwidth()) + shift for kind, shift in zip(kinds, shifts, strict=True)]
        # A sign goes on to the end of the other operand.
        end = max(ends) if kinds[ends.index(min(ends))].signed() else min(ends)
        adder = max(end - max(shifts), 0)
        return 8 + self.fold() * (int(self.get_output_datatype().bitwidth()) - min(shifts) + adder) + self.buffer_luts()


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
