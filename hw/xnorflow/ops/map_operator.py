"""What operators over maps share as FINN sees them: geometry, shapes and streams."""

from __future__ import annotations

from typing import Any

import numpy as np
from finn.custom_op.fpgadataflow.hwcustomop import HWCustomOp
from qonnx.core.datatype import DataType

from xnorflow.artifact.windows import Window

__all__ = ["MapOperator"]

Shape = tuple[int, ...]


class MapOperator(HWCustomOp):
    """Windows over maps (1, rows, columns, channels) that travel pixel by pixel.

    Attributes, by FINN's names: IFMDim, IFMChannels, ConvKernelDim, Stride (rows and columns each), inputDataType; and
    Padding (above, left, below, right) with PadValue. A subclass says by ``fold_key`` what the channels of a beat are
    called.
    """

    fold_key = "SIMD"

    def get_nodeattr_types(self) -> dict[str, Any]:
        """Return the attributes with their kinds and defaults."""
        own = {
            "IFMDim": ("ints", True, []), "IFMChannels": ("i", True, 0), "ConvKernelDim": ("ints", True, []),
            "Stride": ("ints", False, [1, 1]), "Padding": ("ints", False, [0, 0, 0, 0]), "PadValue": ("i", False, 0),
            "inputDataType": ("s", True, ""), self.fold_key: ("i", False, 1),
        }  # fmt: skip
        return {**super().get_nodeattr_types(), **own}

    def window(self) -> Window:
        """Return the geometry."""
        rows, columns = self.get_nodeattr("IFMDim")
        kernel, stride, pads = (tuple(self.get_nodeattr(key)) for key in ("ConvKernelDim", "Stride", "Padding"))
        channels, value = int(self.get_nodeattr("IFMChannels")), int(self.get_nodeattr("PadValue"))
        return Window(int(rows), int(columns), channels, kernel, stride, pads, value)

    def fold(self) -> int:
        """Return the channels of a beat."""
        return int(self.get_nodeattr(self.fold_key))

    def values_of_output_pixel(self) -> int:
        """Return how many values leave for each window."""
        raise NotImplementedError

    def get_input_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of a value."""
        return DataType[self.get_nodeattr("inputDataType")]

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of a value, the input's."""
        return self.get_input_datatype()

    def infer_node_datatype(self, model: Any) -> None:
        """Take the input tensor's datatype and give it to the output."""
        self.set_nodeattr("inputDataType", model.get_tensor_datatype(self.onnx_node.input[0]).name)
        model.set_tensor_datatype(self.onnx_node.output[0], self.get_output_datatype())

    def get_normal_input_shape(self, ind: int = 0) -> Shape:
        """Return (1, rows, columns, channels)."""
        window = self.window()
        return 1, window.rows, window.columns, window.channels

    def get_normal_output_shape(self, ind: int = 0) -> Shape:
        """Return (1, rows, columns, values of a pixel)."""
        return 1, *self.window().output, self.values_of_output_pixel()

    def get_folded_input_shape(self, ind: int = 0) -> Shape:
        """Return the input's shape in beats."""
        return self._folded(self.get_normal_input_shape())

    def get_folded_output_shape(self, ind: int = 0) -> Shape:
        """Return the output's shape in beats."""
        return self._folded(self.get_normal_output_shape())

    def _folded(self, shape: Shape) -> Shape:
        return *shape[:-1], shape[-1] // self.fold(), self.fold()

    def get_instream_width(self, ind: int = 0) -> int:
        """Return the bits of an input beat."""
        return self.fold() * int(self.get_input_datatype().bitwidth())

    def get_outstream_width(self, ind: int = 0) -> int:
        """Return the bits of an output beat."""
        return self.fold() * int(self.get_output_datatype().bitwidth())

    def beats(self) -> tuple[int, int]:
        """Return the beats of a frame coming in and going out."""
        shapes = self.get_folded_input_shape(), self.get_folded_output_shape()
        return int(np.prod(shapes[0][:-1])), int(np.prod(shapes[1][:-1]))

    def windows_of(self, context: Any) -> Any:
        """Return the windows (1, rows, columns, kernel rows, kernel columns, channels) of the input tensor."""
        return self.window().cut(np.asarray(context[self.onnx_node.input[0]]))

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return 0: no multipliers."""
        return 0

    def uram_estimation(self, fpgapart: str) -> int:
        """Return 0."""
        return 0
