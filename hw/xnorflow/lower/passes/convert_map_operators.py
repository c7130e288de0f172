"""Make hardware layers of the operators over maps."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["ConvertMapOperators"]

DOMAIN = "finn.custom_op.fpgadataflow"


class ConvertMapOperators(Transformation):
    """Replace Im2Col by SlidingWindow and MaxPoolNHWC by WindowPool.

    Precondition: shapes and datatypes inferred; maps are (1, rows, columns, channels).
    """

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Replace in place."""
        from qonnx.custom_op.registry import getCustomOp

        for position, node in enumerate(list(model.graph.node)):
            if node.op_type == "Im2Col":
                made = _layer(model, node, "SlidingWindow", getCustomOp(node), "kernel_size", "stride", "pad_amount")
            elif node.op_type == "MaxPoolNHWC":
                made = _layer(model, node, "WindowPool", getCustomOp(node), "kernel_shape", "strides", "pads")
            else:
                continue
            model.graph.node.insert(position, made)
            model.graph.node.remove(node)
        return model, False


def _layer(model: Any, node: Any, kind: str, operator: Any, *keys: str) -> Any:
    from onnx import helper

    _, rows, columns, channels = model.get_tensor_shape(node.input[0])
    kernel, stride, pads = ([int(size) for size in operator.get_nodeattr(key)] for key in keys)
    value = int(operator.get_nodeattr("pad_value")) if kind == "SlidingWindow" else 0
    return helper.make_node(
        kind, list(node.input[:1]), list(node.output), name=node.name, domain=DOMAIN, backend="fpgadataflow",
        IFMDim=[rows, columns], IFMChannels=channels, ConvKernelDim=kernel, Stride=stride, Padding=pads,
        PadValue=value, inputDataType=model.get_tensor_datatype(node.input[0]).name,
    )  # fmt: skip
