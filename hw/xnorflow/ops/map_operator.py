"""What operators over maps share as FINN sees them: geometry, shapes and streams."""

from __future__ import annotations

from typing import Any

import numpy as np

from xnorflow.artifact.windows import Window
from xnorflow.ops.stream_operator import Shape, StreamOperator

__all__ = ["MapOperator"]


class MapOperator(StreamOperator):
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

    def values_of_output_pixel(self) -> int:
        """Return how many values leave for each window."""
        raise NotImplementedError

    def get_output_datatype(self, ind: int = 0) -> Any:
        """Return the QONNX datatype of a value, the input's."""
        return self.get_input_datatype()

    def get_normal_input_shape(self, ind: int = 0) -> Shape:
        """Return (1, rows, columns, channels)."""
        window = self.window()
        return 1, window.rows, window.columns, window.channels

    def get_normal_output_shape(self, ind: int = 0) -> Shape:
        """Return (1, rows, columns, values of a pixel)."""
        return 1, *self.window().output, self.values_of_output_pixel()

    def windows_of(self, context: Any) -> Any:
        """Return the windows (1, rows, columns, kernel rows, kernel columns, channels) of the input tensor."""
        return self.window().cut(np.asarray(context[self.onnx_node.input[0]]))
