"""What operators over pixels of channels share as FINN sees them: shapes and streams."""

from __future__ import annotations

from typing import Any

from qonnx.core.datatype import DataType

from xnorflow.ops.stream_operator import Shape, StreamOperator

__all__ = ["VectorOperator"]


class VectorOperator(StreamOperator):
    """An operator over vectors of NumChannels values, PE of them a beat.

    Attributes, by FINN's names: NumChannels, PE, numInputVectors, inputDataType, outputDataType.
    """

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        own = {
            "NumChannels": ("i", True, 0), "PE": ("i", False, 1), "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""), "outputDataType": ("s", True, ""),
        }  # fmt: skip
        return {**super().get_nodeattr_types(), **own}

    def output_channels(self) -> int:
        """Return the values of an output vector."""
        return int(self.get_nodeattr("NumChannels"))

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of the results."""
        return DataType[self.get_nodeattr("outputDataType")]

    def get_normal_input_shape(self, ind: int = 0) -> Shape:
        """Return the vectors and their channels."""
        return *(int(size) for size in self.get_nodeattr("numInputVectors")), int(self.get_nodeattr("NumChannels"))

    def get_normal_output_shape(self, ind: int = 0) -> Shape:
        """Return the vectors and their channels."""
        return *self.get_normal_input_shape()[:-1], self.output_channels()

    def get_exp_cycles(self) -> int:
        """Return the beats of the side that has more."""
        return max(self.beats())

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 0: no memory."""
        return 0
