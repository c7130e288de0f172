"""A network as the alternation of element-wise segments and products of weights and inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.operators import (
    LABEL_OPS,
    MAP_OPS,
    MATRIX_OPS,
    ORDER_OPS,
    PRODUCT_OPS,
    SHAPE_OPS,
    attributes_of,
    node_name,
)
from xnorflow.lower.read_windows import padding_of, window_of
from xnorflow.lower.segments import Segment
from xnorflow.lower.weights import weights_of

__all__ = ["Chain", "PoolStage", "ProductStage", "split_chain"]

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PoolStage:
    """A MaxPool.

    Args:
        name: its node name in the file.
        window: what it takes the largest value of.
        early: whether element-wise operators follow before the next product, so that it sees sums.
    """

    name: str
    window: Window
    early: bool


@dataclass(frozen=True)
class ProductStage:
    """A product with the operators behind it, up to the next product.

    Args:
        name: the product's node name in the file.
        weights: float64 (inputs, outputs) as the file has them, scale included; the rows in the order in which the
            values travel: rows, columns and channels of a window, or the order of the layer before, or of the graph's
            input.
        bias: float64 (outputs,) added to the product, or zeros.
        segment: the element-wise operators behind it.
        window: of a convolution; else None.
        pad: the real value around the map, where the window has padding.
        pools: the max-pools behind it, in order.
    """

    name: str
    weights: Float64
    bias: Float64
    segment: Segment
    window: Window | None
    pad: float
    pools: tuple[PoolStage, ...]


@dataclass(frozen=True)
class Chain:
    """A network as the alternation of element-wise segments and products.

    Args:
        head: operators before the first product; the host's part.
        stages: the products.
        ends_in_labels: whether the file ends in an argmax.
        input_order: int64 (elements,): where in a flattened frame each value is that travels, pixel by pixel; None
            where they travel as they are.
    """

    head: Segment
    stages: tuple[ProductStage, ...]
    ends_in_labels: bool
    input_order: IntArray | None


@dataclass(frozen=True)
class _Group:
    """The operators between two products: before which tensor they begin, and the product they lead to."""

    source: str
    nodes: tuple[Any, ...]
    product: Any


def split_chain(model: Any) -> Chain:
    """Walk from input to output and cut at every product.

    Args:
        model: from :func:`import_model`.

    Raises:
        InputModelError: the graph branches, a product has no constant weights, its layers do not fit, or there is none.
    """
    groups, ends_in_labels = _group(_walk(model), model.graph.input[0].name)
    if len(groups) == 1:
        raise InputModelError(
            "model", "no layer with weights", "at least one MatMul, Gemm or Conv", "check the exported graph"
        )
    stages, input_order = [], None
    for index, (group, behind) in enumerate(pairwise(groups)):
        window, pad = _window(model, group)
        order = _order(model, group, first=index == 0)
        weights, bias = weights_of(model, group.product)
        if window is None:
            weights = _as_it_travels(weights, order, _map_shape(model, group))
        elif index == 0:
            input_order = order.transpose(0, 2, 3, 1).reshape(-1)
        segment = Segment(model, [node for node in behind.nodes if node.op_type not in MAP_OPS], weights.shape[1])
        name = node_name(group.product)
        stages.append(ProductStage(name, weights, bias, segment, window, pad, _pools(model, behind)))
    inputs = int(np.prod(model.get_tensor_shape(model.graph.input[0].name)))
    head = Segment(model, [node for node in groups[0].nodes if node.op_type not in MAP_OPS], inputs)
    _check_head(head)
    return Chain(head, tuple(stages), ends_in_labels, input_order)


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
    if node.op_type in PRODUCT_OPS and (node.input[0] != tensor or attributes_of(node).get("transA", 0)):
        raise InputModelError(
            f"node {node_name(node)}", "weights on the left of the data", "data times weights",
            "write the layer as x @ W, one frame a row",
        )  # fmt: skip


def _group(nodes: list[Any], source: str) -> tuple[list[_Group], bool]:
    """Return the operators between products; the last group leads to none. Then, whether labels are the result."""
    groups: list[_Group] = []
    between: list[Any] = []
    ends_in_labels = False
    for node in nodes:
        if node.op_type in PRODUCT_OPS:
            groups.append(_Group(source, tuple(between), node))
            between, source = [], node.output[0]
        elif node.op_type in LABEL_OPS:
            ends_in_labels = True
        else:
            between.append(node)
    return [*groups, _Group(source, tuple(between), None)], ends_in_labels


def _order(model: Any, group: _Group, first: bool) -> IntArray:
    """Return where the product's inputs stood when the group began, or behind its last pool, in their shape."""
    source, nodes = group.source, group.nodes
    for position, node in enumerate(group.nodes):
        if node.op_type == "MaxPool":
            source, nodes = node.output[0], group.nodes[position + 1 :]
    shape = model.get_tensor_shape(source)
    order = np.arange(int(np.prod(shape))).reshape(shape)
    for node in nodes:
        if node.op_type in ORDER_OPS:
            order = order.transpose(attributes_of(node).get("perm", list(range(order.ndim))[::-1]))
        elif node.op_type in SHAPE_OPS:
            order = order.reshape(model.get_tensor_shape(node.output[0]))
    if not first and (np.diff(order.reshape(-1)) != 1).any():
        raise InputModelError(
            f"node {node_name(model.find_producer(group.source))}",
            "a Transpose behind it that changes the order of its values",
            "a Transpose in front of the first layer only",
            "permute the weights instead",
        )  # fmt: skip
    if group.product is not None and group.product.op_type in MATRIX_OPS and order.shape[-1] != order.size:
        rows = order.size // order.shape[-1]
        raise InputModelError(
            f"node {node_name(group.product)}", f"{rows} rows of {order.shape[-1]} values in each frame",
            "one row", "flatten each frame in front of the layer",
        )  # fmt: skip
    return order


def _window(model: Any, group: _Group) -> tuple[Window | None, float]:
    """Return a product's window with its Pad, and the real value that it pads with."""
    pads = [node for node in group.nodes if node.op_type == "Pad"]
    if group.product.op_type in MATRIX_OPS:
        if pads:
            raise _misplaced(pads[0])
        return None, 0.0
    if len(pads) > 1 or (pads and group.nodes[-1] is not pads[0]):
        raise _misplaced(pads[0])
    window = window_of(model, group.product)
    if not pads:
        return window, 0.0
    amounts, value = padding_of(model, pads[0])
    if window.padding:
        raise InputModelError(
            f"node {node_name(group.product)}", "padding of its own behind a Pad", "one of them",
            "put all padding into the Pad, with the value -1 in front of 1-bit layers",
        )  # fmt: skip
    rows, columns = window.rows - amounts[0] - amounts[2], window.columns - amounts[1] - amounts[3]
    return replace(window, rows=rows, columns=columns, pads=amounts), value


def _misplaced(pad: Any) -> InputModelError:
    return InputModelError(
        f"node {node_name(pad)}", "a Pad that is not right in front of a convolution", "Pad, then Conv",
        "move it behind the activation, in front of the convolution",
    )  # fmt: skip


def _map_shape(model: Any, group: _Group) -> tuple[int, ...] | None:
    """Return (channels, rows, columns) of the map that a product takes at once, or None where no map comes in."""
    pools = [node for node in group.nodes if node.op_type == "MaxPool"]
    tensor = pools[-1].output[0] if pools else group.source
    shape = tuple(int(size) for size in model.get_tensor_shape(tensor))
    return shape[1:] if len(shape) == 4 and tensor != model.graph.input[0].name else None


def _as_it_travels(weights: Float64, order: IntArray, shape: tuple[int, ...] | None) -> Float64:
    """Return the rows of a matrix in the order in which values arrive: channels last behind maps."""
    rows = np.empty_like(weights)
    rows[order.reshape(-1)] = weights
    if shape is None:
        return rows
    return np.ascontiguousarray(rows.reshape(*shape, -1).transpose(1, 2, 0, 3).reshape(weights.shape))


def _pools(model: Any, group: _Group) -> tuple[PoolStage, ...]:
    pools = []
    for position, node in enumerate(group.nodes):
        if node.op_type in MAP_OPS and group.product is None:
            raise InputModelError(
                f"node {node_name(node)}", f"a {node.op_type} behind the last layer", f"{node.op_type} between layers",
                "take it out, or leave it to the host",
            )  # fmt: skip
        if node.op_type == "MaxPool":
            rest = [other for other in group.nodes[position:] if other.op_type not in MAP_OPS | SHAPE_OPS]
            pools.append(PoolStage(node_name(node), window_of(model, node), bool(rest)))
    return tuple(pools)


def _check_head(head: Segment) -> None:
    found = head.mixed_operand()
    if found:
        raise InputModelError(
            f"node {found[0]}", f"an input operation with {found[1]} different constants",
            "one scale and one offset for all inputs", "normalize with scalars before the first layer",
        )  # fmt: skip
