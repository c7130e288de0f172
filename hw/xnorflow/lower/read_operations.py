"""Each operator over maps or product of the file, as an integer operation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_network import INPUT
from xnorflow.lower.integer_operations import Repeat, SumPool
from xnorflow.lower.levels import Levels, datatype_of
from xnorflow.lower.operators import MATRIX_OPS, node_name
from xnorflow.lower.products import Product, integer_product
from xnorflow.lower.read_windows import padding_of, reduced_axes, window_of
from xnorflow.lower.settle import FoundProduct, Operations
from xnorflow.lower.tensors import Padding, Pool, Tensor, order_of
from xnorflow.lower.thresholds import grid_of
from xnorflow.lower.weights import weights_of

__all__ = ["grid_in", "integers_of", "levels_in", "misplaced", "read_channel_sum", "read_max_pool", "read_pad",
           "read_product", "read_repeat", "read_sum_pool"]  # fmt: skip

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


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
    tensor = integers_of(operations, tensor)
    window = _averaged_window(operations.model, node, tensor)
    divisor = 1 if node.op_type == "ReduceSum" else window.positions
    before, grid, count = levels_in(tensor), grid_in(tensor), window.positions
    counted = before.datatype == "BIPOLAR"
    position = operations.append(SumPool(node_name(node), window, counted), tensor.source)
    scale, offset = before.scale, before.offset * count
    sums = np.arange(grid[0] * count, grid[-1] * count + 1)
    if counted:  # a sum is twice the count less all that were counted
        scale, offset, sums = 2 * scale, offset - scale * count, np.arange(count + 1)

    def to_real(integers: IntArray) -> FloatArray:
        real = integers.astype(np.float32) * np.float32(scale)
        if offset:
            real = real + np.float32(offset)
        return real / np.float32(divisor)

    values = to_real(sums[:, None])[:, 0].astype(np.float64)
    levels = Levels(values, scale / divisor, offset / divisor, datatype_of(int(sums[0]), int(sums[-1])))
    shape = (window.channels, *window.output)
    order = order_of(tuple(operations.model.get_tensor_shape(node.output[0])))
    return replace(
        tensor, source=position, name=node_name(node), shape=shape, order=order, grid=sums, to_real=to_real,
        levels=levels, alone=True,
    )  # fmt: skip


def read_repeat(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read a Tile of the channels."""
    tensor = integers_of(operations, tensor)
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
    order = order_of(tuple(operations.model.get_tensor_shape(node.output[0])))
    return _product(operations, product, settled, order)


def read_channel_sum(operations: Operations, node: Any, tensor: Tensor) -> Tensor:
    """Read the sum of each pixel's channels: a product with ones. A Pad in front of it is done behind it."""
    padding = tensor.padding
    tensor = integers_of(operations, replace(tensor, padding=None))
    if tensor.shape is None or len(operations.model.get_tensor_shape(node.output[0])) != 4:
        raise InputModelError(
            f"node {node_name(node)}", f"{node.op_type} of a tensor of shape {tensor.order.shape} over its channels",
            "maps (1, channels, rows, columns) that stay maps", "sum with keepdim=True",
        )  # fmt: skip
    channels, rows, columns = tensor.shape
    ones = Product(node_name(node), np.ones((channels, 1)), np.zeros(1), Window(rows, columns, channels, (1, 1)), 0.0)
    summed = _product(operations, ones, tensor, order_of((1, 1, rows, columns)))
    return replace(summed, padding=padding and replace(padding, value=padding.value * channels))


def _product(operations: Operations, product: Product, tensor: Tensor, order: IntArray) -> Tensor:
    """Append the product of a settled tensor."""
    grid = grid_in(tensor)
    bounds = None if tensor.source == INPUT else (int(grid[0]), int(grid[-1]))
    layer, to_real = integer_product(product, levels_in(tensor), bounds)
    position = operations.append(layer, tensor.source)
    operations.products[position] = FoundProduct(layer, to_real)
    shape = None if product.window is None else (layer.outputs, *product.window.output)
    return Tensor(position, product.name, layer.outputs, shape, order, grid_of(layer), to_real, None)


def misplaced(pad: Any) -> InputModelError:
    """Return the error of a Pad whose reader is no convolution."""
    return InputModelError(
        f"node {node_name(pad)}", "a Pad that is not right in front of a convolution", "Pad, then Conv",
        "move it behind the activation, in front of the convolution",
    )  # fmt: skip


def integers_of(operations: Operations, tensor: Tensor) -> Tensor:
    """Return a tensor as integers, which stand where they stood when they were given.

    Raises:
        InputModelError: they have been moved about, or are no integers on one grid.
    """
    tensor = operations.settle(tensor)
    _check_order(tensor)
    _enter_maps(operations, tensor)
    return tensor


def levels_in(tensor: Tensor) -> Levels:
    """Return the levels of a settled tensor."""
    assert tensor.levels is not None  # of what has been settled
    return tensor.levels


def grid_in(tensor: Tensor) -> IntArray:
    """Return the integers that can be in a settled tensor."""
    assert tensor.grid is not None  # of what has been settled
    return tensor.grid


def _enter_maps(operations: Operations, tensor: Tensor) -> None:
    """Let a frame travel pixel by pixel, where the tensor is the network's input as maps."""
    if tensor.source == INPUT and tensor.order.ndim == 4:
        operations.input_order = tensor.order.transpose(0, 2, 3, 1).reshape(-1)


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
    found = reduced_axes(model, node)
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
