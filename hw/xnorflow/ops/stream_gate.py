"""Values shifted by codes that come in a stream of their own: activations of several magnitudes without multipliers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow import register_custom_op as register_abstract
from finn.custom_op.fpgadataflow.rtl import register_custom_op as register_rtl

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.junction import JoinRtl, StreamJoin

__all__ = ["StreamGate", "StreamGate_rtl"]


@register_abstract
class StreamGate(StreamJoin):
    """``(Scale * x + Offset) << code``, value by value, of a stream of values and one of codes.

    Attributes beside those of every vector operator: codeDataType, of the codes, without sign; Scale, 1 or 2; Offset;
    MaxShift, the largest code that occurs. With Scale 2, x is a count of 0 to -Offset ones, and the result is made of
    the sum of as many terms of -1 and +1. The output is signed.
    """

    second_key = "codeDataType"

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        own = {
            "codeDataType": ("s", False, "BINARY"), "Scale": ("i", False, 1, {1, 2}), "Offset": ("i", False, 0),
            "MaxShift": ("i", False, 1),
        }  # fmt: skip
        return {**super().get_nodeattr_types(), **own}

    def settings(self) -> tuple[int, int, int]:
        """Return Scale, Offset and MaxShift."""
        scale, offset, most = (int(self.get_nodeattr(key)) for key in ("Scale", "Offset", "MaxShift"))
        return scale, offset, most

    def result_range(self) -> tuple[int, int]:
        """Return the least and the largest result."""
        (scale, offset, most), kind = self.settings(), self.get_input_datatype(0)
        low, high = int(kind.min()), int(kind.max())
        if scale == 2:
            low, high = 0, min(high, -offset)
        low, high = scale * low + offset, scale * high + offset
        return min(low, low << most), max(high, high << most)

    def check_settings(self) -> None:
        """Refuse what the hardware would.

        Raises:
            GenerateError: codes, Offset or the output's datatype do not fit.
        """
        codes, (scale, offset, most) = self.get_input_datatype(1), self.settings()
        where, kind, (low, high) = f"node {self.onnx_node.name}", self.get_output_datatype(), self.result_range()
        if codes.signed() or codes.bitwidth() > 3 or not 1 <= most <= codes.max():
            raise GenerateError(
                where, f"codes of {codes.name}, MaxShift={most}", "codes of 1 to 3 bits without sign, and one of them",
                "set codeDataType and MaxShift",
            )  # fmt: skip
        if scale == 2 and offset > -1:
            raise GenerateError(
                where, f"Scale=2, Offset={offset}", "with Scale=2 an Offset of minus the number of terms", "set Offset"
            )
        if not (kind.signed() and kind.allowed(low) and kind.allowed(high)):
            raise GenerateError(
                where, f"results of {low:,} to {high:,} as {kind.name}", "an INT<n> that holds them", "infer datatypes"
            )

    def execute_node(self, context: Any, graph: Any) -> None:
        """Compute in numpy.

        Raises:
            ValueError: a code is not in 0 to MaxShift, or a count not in 0 to -Offset.
        """
        (values, codes), (scale, offset, most) = self.integers(context), self.settings()
        for what, found, largest in (("codes", codes, most), ("counts", values, -offset)):
            if (what == "codes" or scale == 2) and (found.min() < 0 or found.max() > largest):
                ends = f"{found.min()} to {found.max()}"
                raise ValueError(f"node {self.onnx_node.name}: {what} are {ends}, expected 0 to {largest}")
        context[self.onnx_node.output[0]] = ((scale * values + offset) << codes).astype(np.float32)


@register_rtl
class StreamGate_rtl(JoinRtl, StreamGate):
    """RTL backend: ``xnorflow_gate``."""

    library_modules = ("xnorflow_fifo", "xnorflow_join", "xnorflow_gate")

    def write_sources(self, model: Any, folder: Path) -> str:
        """Return the wrapper's text."""
        values, codes = (self.get_input_datatype(side) for side in (0, 1))
        scale, offset, most = self.settings()
        self.check_settings()
        parameters: dict[str, bool | int | str] = {
            "Width": int(values.bitwidth()), "Signed": bool(values.signed()), "CodeWidth": int(codes.bitwidth()),
            "MaxShift": most, "Scale": scale, "Offset": offset, "OutWidth": int(self.get_output_datatype().bitwidth()),
        }  # fmt: skip
        return self.render("xnorflow_gate", "Values shifted by codes", parameters)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: for each lane an offset, the choice of a shift, and a buffer of two results."""
        _, offset, most = self.settings()
        lane = 2 * int(self.get_output_datatype().bitwidth()) + (5 if most > 2 else 0) + (3 if offset else 0)
        return 8 + self.fold() * lane + self.buffer_luts()
