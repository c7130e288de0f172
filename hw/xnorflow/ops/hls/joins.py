"""HLS backends of the joins of two streams, on ``xnorflow_join.hpp``."""

from __future__ import annotations

from typing import Any

from finn.custom_op.fpgadataflow.hls import register_custom_op as register_hls

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.hls.code import Call, template_call
from xnorflow.ops.hls.node import HlsNode
from xnorflow.ops.junction import StreamAdd
from xnorflow.ops.stream_gate import StreamGate

__all__ = ["StreamAdd_hls", "StreamGate_hls"]


class JoinHls(HlsNode):
    """HLS backend on ``xnorflow::join``; a subclass gives the operator."""

    def lane_operator(self) -> str:
        """Return the operator type of two lanes."""
        raise NotImplementedError

    def calls(self, model: Any) -> list[Call]:
        """Return the join.

        Raises:
            GenerateError: an input or the output is not of whole numbers in two's complement or without sign.
        """
        for kind in (self.get_input_datatype(0), self.get_input_datatype(1), self.get_output_datatype()):
            if not kind.is_integer() or kind.name == "BIPOLAR":
                raise GenerateError(
                    f"node {self.onnx_node.name}", f"values of {kind.name}", "INT<n>, UINT<n> or BINARY",
                    "set the datatypes",
                )  # fmt: skip
        function = template_call("join", self.lane_operator(), self.fold(), self.beats()[0])
        return [Call("xnorflow_join", function, int(self.get_outstream_width()))]


@register_hls
class StreamAdd_hls(JoinHls, StreamAdd):
    """Both lanes shifted and added, saturated."""

    def lane_operator(self) -> str:
        """Return the operator type."""
        sides: list[int | bool] = []
        for side, shift in enumerate(self.shifts()):
            kind = self.get_input_datatype(side)
            sides += [int(kind.bitwidth()), bool(kind.signed()), shift]
        return template_call("Sum", *sides, int(self.get_output_datatype().bitwidth()))


@register_hls
class StreamGate_hls(JoinHls, StreamGate):
    """A value, scaled, moved and shifted by a code."""

    def lane_operator(self) -> str:
        """Return the operator type.

        Raises:
            GenerateError: codes, Offset or the output's datatype do not fit.
        """
        values, codes, (scale, offset, most) = self.get_input_datatype(0), self.get_input_datatype(1), self.settings()
        self.check_settings()
        return template_call(
            "Gated", int(values.bitwidth()), bool(values.signed()), int(codes.bitwidth()), most, scale, offset,
            int(self.get_output_datatype().bitwidth()),
        )  # fmt: skip
