"""What our operators over channels share as FINN sees them: shapes and streams in beats."""

from __future__ import annotations

from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow.hwcustomop import HWCustomOp
from qonnx.core.datatype import DataType

__all__ = ["Shape", "StreamOperator"]

Shape = tuple[int, ...]


class StreamOperator(HWCustomOp):
    """An operator over tensors whose last axis are channels, ``fold()`` of them a beat.

    A subclass says by ``fold_key`` what the channels of a beat are called, and gives the normal shapes.
    """

    fold_key = "PE"
    streams_in = 1
    """Inputs that are streams, the first ones; those behind them are constants."""

    def fold(self) -> int:
        """Return the channels of a beat."""
        return int(self.get_nodeattr(self.fold_key))

    def can_be_parallel(self) -> bool:
        """Return whether a beat may hold a whole window; only a sliding window's may."""
        return False

    def get_input_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of an input's values."""
        return DataType[self.get_nodeattr("inputDataType")]

    def infer_node_datatype(self, model: Any) -> None:
        """Take the input tensor's datatype, and give the outputs theirs."""
        self.set_nodeattr("inputDataType", model.get_tensor_datatype(self.onnx_node.input[0]).name)
        for index, name in enumerate(self.onnx_node.output):
            model.set_tensor_datatype(name, self.get_output_datatype(index))

    def get_folded_input_shape(self, ind: int = 0) -> Shape:
        """Return an input's shape in beats."""
        return self._folded(tuple(self.get_normal_input_shape()))

    def get_folded_output_shape(self, ind: int = 0) -> Shape:
        """Return an output's shape in beats."""
        return self._folded(tuple(self.get_normal_output_shape()))

    def _folded(self, shape: Shape) -> Shape:
        return *shape[:-1], shape[-1] // self.fold(), self.fold()

    def get_instream_width(self, ind: int = 0) -> int:
        """Return the bits of an input beat; 0 for a constant, which FINN takes for no interface then."""
        if ind >= self.streams_in:
            return 0
        return self.fold() * int(self.get_input_datatype(ind).bitwidth())

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of an output beat."""
        return self.fold() * int(self.get_output_datatype(ind).bitwidth())

    def beats(self) -> tuple[int, int]:
        """Return the beats of a frame coming in and going out."""
        shapes = self.get_folded_input_shape(), self.get_folded_output_shape()
        return int(np.prod(shapes[0][:-1])), int(np.prod(shapes[1][:-1]))

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return 0: no multipliers."""
        return 0

    def uram_estimation(self, fpgapart: str) -> int:
        """Return 0."""
        return 0
