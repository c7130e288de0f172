"""Give every hardware layer the name it will have in the RTL, so that people find their network in it."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

from xnorflow.artifact.design import kind_of
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.match import UNITS, nodes_of

__all__ = ["NameLayers"]

SUFFIXES = {"BoundedFIFO": "fifo", "SlidingWindow": "swg", "WidthConverter": "dwc"}


class NameLayers(Transformation):
    """Name the layers that a network is made of, and what stands in front of each after it.

    Matrix units are called ``conv0_mvau`` or ``fc0_mvau``, with ``conv0_swg`` in front; pools ``pool0``; FIFOs and
    width converters ``conv0_fifo``, ``conv0_dwc0``, ``conv0_dwc1``... by what they feed.

    Args:
        network: whose operations the layers do, and whose names they get.
    """

    def __init__(self, network: IntegerNetwork) -> None:
        super().__init__()
        self._network = network

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Rename in place."""
        layers = [node for node in model.graph.node if node.domain.startswith("finn.custom_op")]
        for node, position in nodes_of(model, self._network):
            if node.domain.startswith("finn.custom_op"):
                node.name = self._network.names[position] + ("_mvau" if kind_of(node.op_type) in UNITS else "")
        for node in layers:
            if kind_of(node.op_type) == "LabelSelect":
                node.name = "label_argmax"
        for node in layers:
            if kind_of(node.op_type) == "StreamFork":
                node.name = f"{_owner(model, node, backwards=True)}_fork"
        groups: dict[tuple[str, str], list[Any]] = {}
        for node in layers:
            if kind_of(node.op_type) in SUFFIXES:
                groups.setdefault((_owner(model, node), SUFFIXES[kind_of(node.op_type)]), []).append(node)
        for (owner, suffix), same in groups.items():
            for position, node in enumerate(same):
                node.name = f"{owner}_{suffix}{position if len(same) > 1 else ''}"
        return model, False


def _owner(model: Any, node: Any, backwards: bool = False) -> str:
    """Return what the layer is called that a node stands in front of, or behind."""
    while True:
        if backwards:
            node = model.find_producer(node.input[0])
        else:
            node = next(iter(model.find_consumers(node.output[0]) or []), None)
        if node is None:
            return "in" if backwards else "out"
        if kind_of(node.op_type) not in SUFFIXES:
            return str(node.name).removesuffix("_mvau").removesuffix("_argmax")
