"""A network as the alternation of element-wise segments and matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.operators import LABEL_OPS, MATRIX_OPS, ORDER_OPS, SHAPE_OPS, attributes_of, node_name
from xnorflow.lower.segments import Segment

__all__ = ["Chain", "MatrixStage", "split_chain", "weights_of"]

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MatrixStage:
    """A matrix product with the operators behind it, up to the next product.

    Args:
        name: the product's node name in the file.
        weights: float64 (inputs, outputs) as the file has them, scale included; the rows in the order in which the
            layer before gives its values, or the graph input has them.
        bias: float64 (outputs,) added to the product (Gemm), or zeros.
        segment: the operators behind it.
    """

    name: str
    weights: Float64
    bias: Float64
    segment: Segment


@dataclass(frozen=True)
class Chain:
    """A network as the alternation of element-wise segments and matrix products.

    Args:
        head: operators before the first product; the host's part.
        stages: the products.
        ends_in_labels: whether the file ends in an argmax.
    """

    head: Segment
    stages: tuple[MatrixStage, ...]
    ends_in_labels: bool


def split_chain(model: Any) -> Chain:
    """Walk from input to output and cut at every matrix product.

    Args:
        model: from :func:`import_model`.

    Raises:
        InputModelError: the graph branches, a product has no constant weights, its layers do not fit, or there is none.
    """
    groups: list[list[Any]] = [[]]
    products: list[Any] = []
    ends_in_labels = False
    for node in _walk(model):
        if node.op_type in MATRIX_OPS:
            products.append(node)
            groups.append([])
        elif node.op_type in LABEL_OPS:
            ends_in_labels = True
        else:
            groups[-1].append(node)
    if not products:
        raise InputModelError(
            "model", "no layer with weights", "at least one MatMul or Gemm", "check the exported graph"
        )
    orders = _orders(model, groups, products)
    stages = []
    for node, group, order in zip(products, groups[1:], orders, strict=True):
        matrix, bias = weights_of(model, node)
        unordered = np.empty_like(matrix)
        unordered[order] = matrix
        stages.append(MatrixStage(node_name(node), unordered, bias, Segment(model, group, matrix.shape[1])))
    head = Segment(model, groups[0], stages[0].weights.shape[0])
    _check_head(head)
    return Chain(head, tuple(stages), ends_in_labels)


def _walk(model: Any) -> list[Any]:
    tensor = model.graph.input[0].name
    nodes: list[Any] = []
    while True:
        consumers = [node for node in model.graph.node if tensor in node.input]
        if not consumers:
            break
        if len(consumers) > 1:
            names = ", ".join(node_name(node) for node in consumers)
            raise InputModelError(
                f"tensor {tensor}", f"read by {len(consumers)} nodes ({names})",
                "a chain without branches in this version", "residual and branching networks are not lowered yet",
            )  # fmt: skip
        node = consumers[0]
        _check_operands(model, node, tensor)
        nodes.append(node)
        tensor = node.output[-1] if node.op_type in LABEL_OPS else node.output[0]
    if tensor != model.graph.output[0].name:
        raise InputModelError(
            f"output {model.graph.output[0].name}", "not reached from the input", "one chain from input to output",
            "remove what the output does not need",
        )  # fmt: skip
    return nodes


def _check_operands(model: Any, node: Any, tensor: str) -> None:
    others = [name for name in node.input if name and name != tensor]
    free = [name for name in others if model.get_initializer(name) is None]
    if free:
        raise InputModelError(
            f"node {node_name(node)}", f"its operand {free[0]} is no constant", "data and constant operands",
            "joins of two branches are not lowered yet",
        )  # fmt: skip
    if node.op_type in MATRIX_OPS and (node.input[0] != tensor or attributes_of(node).get("transA", 0)):
        raise InputModelError(
            f"node {node_name(node)}", "weights on the left of the data", "data times weights",
            "write the layer as x @ W, one frame a row",
        )  # fmt: skip


def _orders(model: Any, groups: list[list[Any]], products: list[Any]) -> list[IntArray]:
    """Return, for each product, where its inputs stood when the group of operators before it began."""
    orders = []
    for position, group in enumerate(groups):
        start = model.graph.input[0].name if position == 0 else products[position - 1].output[0]
        order = np.arange(int(np.prod(model.get_tensor_shape(start)))).reshape(model.get_tensor_shape(start))
        for node in group:
            if node.op_type in ORDER_OPS:
                order = order.transpose(attributes_of(node).get("perm", list(range(order.ndim))[::-1]))
            elif node.op_type in SHAPE_OPS:
                order = order.reshape(model.get_tensor_shape(node.output[0]))
        if position and (np.diff(order.reshape(-1)) != 1).any():
            raise InputModelError(
                f"node {node_name(products[position - 1])}",
                "a Transpose behind it that changes the order of its values",
                "a Transpose in front of the first layer only",
                "permute the weights instead",
            )  # fmt: skip
        if position < len(products) and order.shape[-1] != order.size:
            rows = order.size // order.shape[-1]
            raise InputModelError(
                f"node {node_name(products[position])}", f"{rows} rows of {order.shape[-1]} values in each frame",
                "one row", "flatten each frame in front of the layer",
            )  # fmt: skip
        orders.append(order.reshape(-1))
    return orders[:-1]


def weights_of(model: Any, node: Any) -> tuple[Float64, Float64]:
    """Return weights (inputs, outputs) in the order in which values arrive, and bias (outputs,), of a MatMul or Gemm.

    Raises:
        InputModelError: the weights are no constant matrix.
    """
    attributes = attributes_of(node)
    matrix = model.get_initializer(node.input[1])
    if matrix is not None and matrix.ndim > 2 and matrix.size == int(np.prod(matrix.shape[-2:])):
        matrix = matrix.reshape(matrix.shape[-2:])
    if matrix is None or matrix.ndim != 2:
        raise InputModelError(
            f"node {node_name(node)}", "weights that are not a constant matrix",
            "one constant (inputs, outputs) matrix", "export the trained network, with its weights as initializers",
        )  # fmt: skip
    matrix = np.asarray(matrix, np.float64)
    bias = np.zeros(1)
    if node.op_type == "Gemm":
        if attributes.get("transB", 0):
            matrix = matrix.T
        matrix = matrix * attributes.get("alpha", 1.0)
        if len(node.input) > 2 and node.input[2]:
            bias = np.asarray(model.get_initializer(node.input[2]), np.float64).reshape(-1)
            bias = bias * attributes.get("beta", 1.0)
    return matrix, np.broadcast_to(bias, (matrix.shape[1],))


def _check_head(head: Segment) -> None:
    found = head.mixed_operand()
    if found:
        raise InputModelError(
            f"node {found[0]}", f"an input operation with {found[1]} different constants",
            "one scale and one offset for all inputs", "normalize with scalars before the first layer",
        )  # fmt: skip
