"""Which ONNX operators a network may be made of, by what lowering does with them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "HOST_TAIL",
    "JOIN_OPS",
    "LABEL_OPS",
    "MATRIX_OPS",
    "ORDER_OPS",
    "PRODUCT_OPS",
    "QUANTIZER_OPS",
    "SHAPE_OPS",
    "SOFTMAX_OPS",
    "SUM_POOL_OPS",
    "SUPPORTED_OPS",
    "attributes_of",
    "node_name",
]

LABEL_OPS = frozenset({"TopK", "ArgMax"})
SOFTMAX_OPS = frozenset({"LogSoftmax", "Sigmoid", "Softmax", "Tanh"})
"""At the end of a network: host work that keeps the order of the logits."""
MATRIX_OPS = frozenset({"MatMul", "Gemm"})
PRODUCT_OPS = MATRIX_OPS | {"Conv"}
"""Sums of weights times inputs."""
SUM_POOL_OPS = frozenset({"AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum"})
MAP_OPS = frozenset({"MaxPool", "Pad", "Tile", "Expand"}) | SUM_POOL_OPS
"""Operators that need to know what is next to what."""
QUANTIZER_OPS = frozenset({"Quant", "IntQuant", "BipolarQuant", "MultiThreshold"})
ELEMENTWISE_OPS = frozenset(
    {
        "Add",
        "BatchNormalization",
        "Clip",
        "Div",
        "Floor",
        "HardSigmoid",
        "LeakyRelu",
        "Mul",
        "Neg",
        "PRelu",
        "Relu",
        "Sigmoid",
        "Sign",
        "Sub",
        "Tanh",
    }
)
JOIN_OPS = frozenset({"Add", "Div", "Mul", "Sub"})
"""Operators that may have two tensors that are no constants."""
ORDER_OPS = frozenset({"Transpose"})
"""Operators that only move values about."""
SHAPE_OPS = frozenset({"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}) | ORDER_OPS
"""Operators that leave the values alone."""
SUPPORTED_OPS = LABEL_OPS | SOFTMAX_OPS | PRODUCT_OPS | MAP_OPS | QUANTIZER_OPS | ELEMENTWISE_OPS | SHAPE_OPS
HOST_TAIL = "xnorflow_host_tail"
"""Metadata property of a tidied graph: the final operators left to the host, in order, separated by commas."""


def attributes_of(node: Any) -> dict[str, Any]:
    """Return a node's attributes as Python values."""
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def node_name(node: Any) -> str:
    """Return what to call a node in a message; nodes need not have names."""
    return str(node.name) or f"{node.op_type} -> {node.output[0]}"
