"""Give every hardware layer the name it will have in the RTL, so that people find their network in it."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["NameLayers"]

SUFFIXES = {"BoundedFIFO": "fifo", "SlidingWindow": "swg", "WidthConverter": "dwc", "WindowPool": "pool"}
UNITS = ("MVAU", "XnorMVAU", "BinaryWeightMVAU")
INSERTED = ("BoundedFIFO", "WidthConverter")


class NameLayers(Transformation):
    """Name the layers that a network is made of, and what stands in front of each after it.

    Matrix units are called ``conv0_mvau`` or ``fc0_mvau``, with ``conv0_swg`` in front; pools ``pool0``; FIFOs and
    width converters ``conv0_fifo``, ``conv0_dwc0``, ``conv0_dwc1``... by what they feed.

    Args:
        names: what the network's layers are called, in order: one for each matrix unit and each pool.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Rename in place, in stream order."""
        names = iter(self._names)
        waiting: list[Any] = []
        for node in model.graph.node:
            if not node.domain.startswith("finn.custom_op"):
                continue
            kind = node.op_type.removesuffix("_rtl")
            if kind in UNITS:
                owner = next(names)
                node.name = f"{owner}_mvau"
            elif kind == "WindowPool":
                owner = node.name = next(names)
            elif kind == "LabelSelect":
                owner, node.name = "label", "label_argmax"
            else:
                waiting.append(node)
                continue
            _name_waiting(waiting, owner)
            waiting.clear()
        _name_waiting(waiting, "out")
        return model, False


def _name_waiting(nodes: list[Any], owner: str) -> None:
    for kind, suffix in SUFFIXES.items():
        same = [node for node in nodes if node.op_type.removesuffix("_rtl") == kind]
        for position, node in enumerate(same):
            node.name = f"{owner}_{suffix}{position if len(same) > 1 else ''}"
