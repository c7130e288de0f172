"""Which node of a FINN graph does which operation of the integer network."""

from __future__ import annotations

from typing import Any

import numpy as np

from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT, IntegerNetwork
from xnorflow.lower.integer_operations import Add, MaxPool, Repeat, Requantize, SumPool

__all__ = ["UNITS", "match_nodes"]

UNITS = ("MVAU", "XnorMVAU", "BinaryWeightMVAU")
"""Matrix units, with or without ``_rtl``."""
KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("MatMul", "XnorPopcountMatMul", *UNITS), IntegerLayer), "MaxPoolNHWC": MaxPool,
    "WindowPool": (MaxPool, SumPool), "StreamAdd": Add, "ChannelRepeat": Repeat, "Requantize": Requantize,
}  # fmt: skip


def match_nodes(model: Any, network: IntegerNetwork) -> list[tuple[Any, int]]:
    """Return the nodes whose output is an operation's result, each with the operation's position, in graph order.

    Operations are told apart by what they read; of several that read the same, products by their weights, and others by
    their order. A product's node is that of its thresholds; where it has none, its result is no tensor of the graph
    (a count, say), and it is left out.

    Args:
        model: a qonnx ModelWrapper, of any step.
        network: the integers.
    """
    where = {model.graph.input[0].name: INPUT}
    free = set(range(len(network.operations)))
    found = []
    for node in model.graph.node:
        sources = [where[name] for name in node.input if name in where]
        kind = node.op_type.removesuffix("_rtl")
        if not sources:
            continue
        position = sources[0]
        if kind in KINDS:
            candidates = [place for place in sorted(free) if _fits(network, place, kind, sources)]
            if not candidates:
                continue
            position = _of_equals(model, node, network, candidates)
            free.discard(position)
            operation = network.operations[position]
            if not isinstance(operation, IntegerLayer) or (kind in UNITS and operation.thresholds is not None):
                found.append((node, position))
        elif kind == "MultiThreshold":
            found.append((node, position))
        where |= dict.fromkeys(node.output, position)
    return found


def _fits(network: IntegerNetwork, place: int, kind: str, sources: list[int]) -> bool:
    return isinstance(network.operations[place], KINDS[kind]) and sorted(network.edges[place]) == sorted(sources)


def _of_equals(model: Any, node: Any, network: IntegerNetwork, candidates: list[int]) -> int:
    if len(candidates) > 1 and KINDS[node.op_type.removesuffix("_rtl")] is IntegerLayer:
        weights = model.get_initializer(node.input[1])
        for place in candidates:
            layer = network.operations[place]
            if (
                isinstance(layer, IntegerLayer)
                and weights is not None
                and np.array_equal(layer.weights > 0, weights > 0)
            ):
                return place
    return candidates[0]
