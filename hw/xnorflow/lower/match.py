"""Which node of a FINN graph does which operation of the integer network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import kind_of
from xnorflow.lower.folding import MVAUS
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT, IntegerNetwork
from xnorflow.lower.integer_operations import Add, Gate, MaxPool, Operation, Repeat, Requantize, SumPool

__all__ = ["UNITS", "match_nodes", "nodes_of"]

UNITS = ("MVAU", *MVAUS)
"""Matrix units, with or without ``_rtl``."""
KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("MatMul", "XnorPopcountMatMul", *UNITS), IntegerLayer), "MaxPoolNHWC": MaxPool,
    "WindowPool": (MaxPool, SumPool), "StreamAdd": Add, "StreamGate": Gate, "ChannelRepeat": Repeat,
    "Requantize": Requantize,
}  # fmt: skip


def match_nodes(model: Any, network: IntegerNetwork) -> list[tuple[Any, int]]:
    """Return the nodes whose output is an operation's result, each with the operation's position, in graph order.

    A product's node is that of its thresholds; where it has none, it is the product's, but for the last one, whose sums
    need not be a tensor of the graph.

    Args:
        model: a qonnx ModelWrapper, of any step.
        network: the integers.
    """
    return [
        (node, position)
        for node, position in nodes_of(model, network)
        if node.op_type == "MultiThreshold" or _is_result(network, position, kind_of(node.op_type))
    ]


def nodes_of(model: Any, network: IntegerNetwork) -> list[tuple[Any, int]]:
    """Return the nodes that do an operation, thresholds of a product included, with its position, in graph order.

    Operations are told apart by what they read; of several that read the same, by their weights, tables and windows,
    and by their order where these are equal too.
    """
    where = {model.graph.input[0].name: INPUT}
    free = set(range(len(network.operations)))
    found = []
    for node in model.graph.node:
        sources = [where[name] for name in node.input if name in where]
        if not sources:
            continue
        position = sources[0]
        if kind_of(node.op_type) in KINDS:
            candidates = [place for place in sorted(free) if _fits(network, place, kind_of(node.op_type), sources)]
            if not candidates:
                continue
            position = next(
                (place for place in candidates if _same(model, node, network.operations[place])), candidates[0]
            )
            free.discard(position)
            found.append((node, position))
        elif node.op_type == "MultiThreshold":
            found.append((node, position))
        where |= dict.fromkeys(node.output, position)
    return found


def _is_result(network: IntegerNetwork, position: int, kind: str) -> bool:
    operation = network.operations[position]
    if not isinstance(operation, IntegerLayer):
        return True
    if operation.thresholds is None:
        return position < len(network.operations) - 1
    return kind in UNITS


def _fits(network: IntegerNetwork, place: int, kind: str, sources: list[int]) -> bool:
    return isinstance(network.operations[place], KINDS[kind]) and sorted(network.edges[place]) == sorted(sources)


def _same(model: Any, node: Any, operation: Operation) -> bool:
    """Return whether a node has an operation's weights, table or window."""
    from qonnx.custom_op.registry import getCustomOp

    match operation:
        case IntegerLayer():
            weights = model.get_initializer(node.input[1])
            return weights is not None and _same_weights(operation, weights)
        case Requantize():
            table = (operation.table + 1) // 2 if operation.datatype == "BIPOLAR" else operation.table
            return np.array_equal(table, model.get_initializer(node.input[1]))
        case SumPool() | MaxPool() if node.op_type.startswith("WindowPool"):
            wanted = "sum" if isinstance(operation, SumPool) else "max"
            operator = getCustomOp(node)
            window = operator.window()
            shape = (window.kernel, window.stride, window.pads)
            return operator.get_nodeattr("PoolMode") == wanted and shape == (
                operation.window.kernel, operation.window.stride, operation.window.pads,
            )  # fmt: skip
    return True


def _same_weights(layer: IntegerLayer, weights: npt.NDArray[Any]) -> bool:
    """Compare weights (inputs, outputs); 0 stands for -1 where all are 0 or 1."""
    if layer.binary_weights:
        return np.array_equal(layer.weights > 0, weights > 0)
    return np.array_equal(layer.weights, weights)
