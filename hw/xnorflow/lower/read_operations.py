"""Each operator over maps, product or join of the file, as an integer operation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_network import INPUT
from xnorflow.lower.integer_operations import Add, Repeat, SumPool
from xnorflow.lower.levels import Levels, datatype_of
from xnorflow.lower.operators import MATRIX_OPS, attributes_of, node_name
from xnorflow.lower.products import Product, integer_product
from xnorflow.lower.read_windows import padding_of, window_of
from xnorflow.lower.settle import FoundProduct, Operations
from xnorflow.lower.tensors import Padding, Pool, Tensor, order_of
from xnorflow.lower.thresholds import grid_of
from xnorflow.lower.weights import weights_of

__all__ = ["misplaced", "read_add", "read_max_pool", "read_pad", "read_product", "read_repeat", "read_sum_pool"]

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

SMALLEST_RATIO = 1e-6
"""Scales of two branches that differ by less are the same number, rounded twice."""


def read_pad(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read a Pad, which the convolution behind it will do; until then the order of values is that of the map."""
    if tensor.order.ndim != 4:
        raise InputModelError(
            f"node {node_name(node)}", f"a Pad of a tensor of shape {tensor.order.shape}",
            "maps (1, channels, rows, columns)", "use two-dimensional layers",
        )  # fmt: skip
    return replace(tensor, padding=Padding(node, *padding_of(operations.model, node)))


def read_max_pool(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read a MaxPool: of integers, or of values that are yet to become some."""
    window = window_of(operations.model, node)
    if tensor.quantized or tensor.settled:
        tensor = operations.settle(tensor)
    _check_order(tensor)
    _enter_maps(operations, tensor)
    order = order_of((1, window.channels, *window.output))
    if tensor.settled:
        return replace(operations.max_pool(tensor, node_name(node), window), order=order)
    return replace(tensor, pools=(*tensor.pools, Pool(node_name(node), window)), order=order)


def read_sum_pool(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read an average over windows or whole maps, or the sum of whole maps: sums, of another scale."""
    tensor = _integers(operations, tensor)
    window = _averaged_window(operations.model, node, tensor)
    divisor = 1 if node.op_type == "ReduceSum" else window.positions
    before = _levels(tensor)
    position = operations.append(SumPool(node_name(node), window), tensor.source)
    grid = _grid(tensor)
    step = int(grid[1] - grid[0]) if len(grid) > 1 else 1
    sums = np.arange(grid[0] * window.positions, grid[-1] * window.positions + 1, step)

    def to_real(integers: IntArray) -> FloatArray:
        real = integers.astype(np.float32) * np.float32(before.scale)
        if before.offset:
            real = real + np.float32(before.offset * window.positions)
        return real / np.float32(divisor)

    values = to_real(sums[:, None])[:, 0].astype(np.float64)
    offset = before.offset * window.positions / divisor
    levels = Levels(values, before.scale / divisor, offset, datatype_of(int(sums[0]), int(sums[-1])))
    shape = (window.channels, *window.output)
    order = order_of(tuple(operations.model.get_tensor_shape(node.output[0])))
    return replace(
        tensor, source=position, name=node_name(node), shape=shape, order=order, grid=sums, to_real=to_real,
        levels=levels, alone=True,
    )  # fmt: skip


def read_repeat(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read a Tile of the channels."""
    tensor = _integers(operations, tensor)
    repeats = operations.model.get_initializer(node.input[1])
    times = [1] if repeats is None else [int(count) for count in repeats]
    if tensor.order.ndim != 4 or len(times) != 4 or times[1] < 2 or times[0] != 1 or times[2:] != [1, 1]:
        raise InputModelError(
            f"node {node_name(node)}", f"Tile by {times} of a tensor of shape {tensor.order.shape}",
            "channels of maps, repeated as a whole", "repeat channels only",
        )  # fmt: skip
    position = operations.append(Repeat(node_name(node), tensor.channels, times[1]), tensor.source)
    assert tensor.shape is not None
    channels = tensor.channels * times[1]
    shape = (channels, *tensor.shape[1:])
    return replace(
        tensor, source=position, name=node_name(node), channels=channels, shape=shape, order=order_of((1, *shape))
    )


def read_add(operations: Operations, node: Any, left: Tensor, right: Tensor) -> Tensor:
    """Read the sum of two branches.

    Raises:
        InputModelError: their shapes or scales differ, or one of them has values of 1 bit.
    """
    for tensor in (left, right):
        if tensor.padding is not None:
            raise misplaced(tensor.padding.node)
    sides = [_integers(operations, tensor) for tensor in (left, right)]
    first, second = sides
    if first.order.shape != second.order.shape or _travels_as(first) != _travels_as(second):
        shapes = " and ".join("x".join(str(size) for size in tensor.order.shape[1:]) for tensor in sides)
        raise InputModelError(
            f"node {node_name(node)}", f"branches of shapes {shapes}", "branches of the same shape",
            "bring the shortcut to the shape of the other branch: average-pool and repeat the channels",
        )  # fmt: skip
    levels = [_levels(tensor) for tensor in sides]
    scales = [level.scale for level in levels]
    if abs(scales[0] - scales[1]) > SMALLEST_RATIO * abs(scales[0]):
        raise InputModelError(
            f"node {node_name(node)}", f"branches of scales {scales[0]:g} and {scales[1]:g}", "one scale for both",
            "quantize both branches with the same scale",
        )  # fmt: skip
    if "BIPOLAR" in (level.datatype for level in levels):
        raise InputModelError(
            f"node {node_name(node)}", "a branch of 1-bit values", "branches of 2 bits and more",
            "add before the sign, as residual networks do",
        )  # fmt: skip
    grids = [_grid(tensor) for tensor in sides]
    sums = np.arange(grids[0][0] + grids[1][0], grids[0][-1] + grids[1][-1] + 1)
    position = operations.append(Add(node_name(node)), first.source, second.source)
    offset = levels[0].offset + levels[1].offset
    joined = Levels(sums * scales[0] + offset, scales[0], offset, datatype_of(int(sums[0]), int(sums[-1])))
    return replace(
        first, source=position, name=node_name(node), grid=sums, to_real=joined, levels=joined, pending=(), alone=True
    )


def read_product(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read a MatMul, Gemm or Conv."""
    if node.op_type in MATRIX_OPS and tensor.padding is not None:
        raise misplaced(tensor.padding.node)
    window = None if node.op_type in MATRIX_OPS else _window(operations.model, node, tensor)
    settled = operations.settle(replace(tensor, padding=None))
    weights, bias = weights_of(operations.model, node)
    if settled.source != INPUT:
        _check_order(settled)
    elif window is not None:
        _enter_maps(operations, settled)
    if window is None:
        weights = _as_it_travels(node, weights, settled)
    pad = tensor.padding.value if tensor.padding is not None else 0.0
    product = Product(node_name(node), weights, bias, window, pad)
    layer, to_real = integer_product(product, _levels(settled))
    position = operations.append(layer, settled.source)
    operations.products[position] = FoundProduct(layer, to_real)
    shape = None if window is None else (layer.outputs, *window.output)
    order = order_of(tuple(operations.model.get_tensor_shape(node.output[0])))
    return Tensor(position, node_name(node), layer.outputs, shape, order, grid_of(layer), to_real, None)


def misplaced(pad: Any) -> InputModelError:
    """Return the error of a Pad whose reader is no convolution."""
    return InputModelError(
        f"node {node_name(pad)}", "a Pad that is not right in front of a convolution", "Pad, then Conv",
        "move it behind the activation, in front of the convolution",
    )  # fmt: skip


def _integers(operations: Operations, tensor: Tensor) -> Tensor:
    """Return a tensor as integers, which stand where they stood when they were given."""
    tensor = operations.settle(tensor)
    _check_order(tensor)
    _enter_maps(operations, tensor)
    return tensor


def _levels(tensor: Tensor) -> Levels:
    assert tensor.levels is not None  # of what has been settled
    return tensor.levels


def _grid(tensor: Tensor) -> IntArray:
    assert tensor.grid is not None  # of what has been settled
    return tensor.grid


def _enter_maps(operations: Operations, tensor: Tensor) -> None:
    """Let a frame travel pixel by pixel, where the tensor is the network's input as maps."""
    if tensor.source == INPUT and tensor.order.ndim == 4:
        operations.input_order = tensor.order.transpose(0, 2, 3, 1).reshape(-1)


def _travels_as(tensor: Tensor) -> tuple[int, ...] | None:
    return None if tensor.source == INPUT and tensor.order.ndim != 4 else tensor.shape


def _check_order(tensor: Tensor) -> None:
    if not tensor.in_order:
        raise InputModelError(
            f"node {tensor.name}", "a Transpose behind it that changes the order of its values",
            "a Transpose in front of the first layer only", "permute the weights instead",
        )  # fmt: skip


def _averaged_window(model: Any, node: Any, tensor: Tensor) -> Window:
    if tensor.shape is None or tensor.order.ndim != 4:
        raise InputModelError(
            f"node {node_name(node)}", f"{node.op_type} of a tensor of shape {tensor.order.shape}",
            "maps (1, channels, rows, columns)", "use two-dimensional layers",
        )  # fmt: skip
    channels, rows, columns = tensor.shape
    if node.op_type == "GlobalAveragePool":
        return Window(rows, columns, channels, (rows, columns))
    if node.op_type == "AveragePool":
        window = window_of(model, node)
        if window.padding:
            raise InputModelError(
                f"node {node_name(node)}", f"padding {list(window.pads)}", "none", "pool within the map"
            )
        return window
    axes = attributes_of(node).get("axes")
    if axes is None and len(node.input) > 1:
        axes = model.get_initializer(node.input[1])
    found = sorted(int(axis) % 4 for axis in axes) if axes is not None else [0, 1, 2, 3]
    if found != [2, 3]:
        raise InputModelError(
            f"node {node_name(node)}", f"{node.op_type} over axes {found}", "rows and columns, axes 2 and 3",
            "pool globally over each channel's map",
        )  # fmt: skip
    return Window(rows, columns, channels, (rows, columns))


def _window(model: Any, node: Any, tensor: Tensor) -> Window:
    """Return a convolution's window with the Pad in front of it."""
    window, padding = window_of(model, node), tensor.padding
    if padding is None:
        return window
    if window.padding:
        raise InputModelError(
            f"node {node_name(node)}", "padding of its own behind a Pad", "one of them",
            "put all padding into the Pad, with the value -1 in front of 1-bit layers",
        )  # fmt: skip
    top, left, bottom, right = padding.amounts
    return replace(window, rows=window.rows - top - bottom, columns=window.columns - left - right, pads=padding.amounts)


def _as_it_travels(node: Any, weights: Float64, tensor: Tensor) -> Float64:
    """Return the rows of a matrix in the order in which values arrive: channels last behind maps."""
    order = tensor.order
    if order.shape[-1] != order.size:
        rows = order.size // order.shape[-1]
        raise InputModelError(
            f"node {node_name(node)}", f"{rows} rows of {order.shape[-1]} values in each frame",
            "one row", "flatten each frame in front of the layer",
        )  # fmt: skip
    rows_by_place = np.empty_like(weights)
    rows_by_place[order.reshape(-1)] = weights
    if tensor.shape is None or tensor.source == INPUT:
        return rows_by_place
    return np.ascontiguousarray(rows_by_place.reshape(*tensor.shape, -1).transpose(1, 2, 0, 3).reshape(weights.shape))
