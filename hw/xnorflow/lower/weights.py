"""The weights of a product as one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.operators import attributes_of, node_name

__all__ = ["weights_of"]

Float64 = npt.NDArray[np.float64]


def weights_of(model: Any, node: Any) -> tuple[Float64, Float64]:
    """Return weights (inputs, outputs) and bias (outputs,) of a MatMul, Gemm or Conv.

    The inputs of a Conv are those of a window by row, column and channel; those of the others as they arrive.

    Raises:
        InputModelError: the weights are no constant of the right rank.
    """
    if node.op_type == "Conv":
        return _of_convolution(model, node)
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


def _of_convolution(model: Any, node: Any) -> tuple[Float64, Float64]:
    kernels = model.get_initializer(node.input[1])
    if kernels is None or kernels.ndim != 4:
        raise InputModelError(
            f"node {node_name(node)}", "kernels that are not one constant of rank 4",
            "constant (outputs, channels, rows, columns) kernels",
            "export the trained network, with its weights as initializers",
        )  # fmt: skip
    matrix = np.asarray(kernels, np.float64).transpose(2, 3, 1, 0).reshape(-1, kernels.shape[0])
    bias = np.zeros(1)
    if len(node.input) > 2 and node.input[2]:
        bias = np.asarray(model.get_initializer(node.input[2]), np.float64).reshape(-1)
    return np.ascontiguousarray(matrix), np.broadcast_to(bias, (matrix.shape[1],))
