"""What the two units with 1-bit weights share as FINN sees them: widths that minimization must not spoil."""

from __future__ import annotations

from typing import Any

from finn.custom_op.fpgadataflow.matrixvectoractivation import MVAU
from qonnx.core.datatype import DataType

from xnorflow.ops.xnor_array import count_latency

__all__ = ["OneBitMVAU"]


class OneBitMVAU(MVAU):
    """FINN's MVAU with 1-bit weights. A subclass says which datatype holds its sums."""

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return FINN's attributes, ``signedOutput``: whether raw sums leave as two's complement, and ``M``."""
        return {**super().get_nodeattr_types(), "signedOutput": ("i", False, 0, {0, 1}), "M": ("i", False, 1)}

    def windows(self) -> int:
        """Return M, the pixels computed at a time; more than one come in and leave in one beat, whole."""
        return int(self.get_nodeattr("M"))

    def pixels_of_a_row(self) -> int:
        """Return what M must divide."""
        return int(self.get_nodeattr("numInputVectors")[-1])

    def get_folded_input_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return an input's shape in beats."""
        if ind or self.windows() == 1:
            return tuple(super().get_folded_input_shape(ind))
        return self._whole(int(self.get_nodeattr("MW")))

    def get_folded_output_shape(self, ind: int = 0) -> tuple[int, ...]:
        """Return the output's shape in beats."""
        if self.windows() == 1:
            return tuple(super().get_folded_output_shape(ind))
        return self._whole(int(self.get_nodeattr("MH")))

    def _whole(self, values: int) -> tuple[int, ...]:
        *others, pixels = self.get_nodeattr("numInputVectors")
        return *others, pixels // self.windows(), 1, self.windows() * values

    def get_instream_width(self, ind: int = 0) -> int:
        """Return the bits of an input's beat."""
        if ind or self.windows() == 1:
            return int(super().get_instream_width(ind))
        return self.windows() * int(self.get_nodeattr("MW")) * int(self.get_input_datatype(0).bitwidth())

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of an output beat."""
        if self.windows() == 1:
            return int(super().get_outstream_width(ind))
        return self.windows() * int(self.get_nodeattr("MH")) * int(self.get_output_datatype().bitwidth())

    def sum_datatype(self, thresholded: bool) -> str:
        """Return the QONNX datatype of the sums, and of a threshold above all of them where there are thresholds."""
        raise NotImplementedError

    def count_latency(self) -> int:
        """Return the cycles from a beat to its count in the RTL; 0 where no array of counters computes it."""
        simd, bits = int(self.get_nodeattr("SIMD")), int(self.get_input_datatype(0).bitwidth())
        return count_latency(simd, bits) if simd > 1 else 0

    def minimize_accumulator_width(self, model: Any, datatype_only: bool = False) -> Any:
        """Set and return the accumulator's datatype, which without thresholds is the output's too."""
        silent = bool(self.get_nodeattr("noActivation"))
        datatype = DataType[self.sum_datatype(not silent)]
        self.set_nodeattr("accDataType", datatype.name)
        if silent:
            counts = datatype.name.startswith("U") and self.get_nodeattr("signedOutput")
            self.set_nodeattr("outputDataType", f"INT{datatype.bitwidth() + 1}" if counts else datatype.name)
        return datatype

    def minimize_weight_bit_width(self, model: Any, datatype_only: bool = False) -> Any:
        """Return the weights' datatype as it is: 1 bit is the least."""
        return DataType[self.get_nodeattr("weightDataType")]
