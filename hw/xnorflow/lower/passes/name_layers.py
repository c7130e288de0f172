"""Give every hardware layer the name it will have in the RTL, so that people find their network in it."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["NameLayers"]

SUFFIXES = {"BoundedFIFO": "fifo", "SlidingWindow": "swg", "WidthConverter": "dwc"}
KINDS = {
    "MVAU": "product", "XnorMVAU": "product", "BinaryWeightMVAU": "product", "WindowPool": "pool", "StreamAdd": "add",
    "ChannelRepeat": "repeat", "Requantize": "quant",
}  # fmt: skip
PREFIXES = {"conv": "product", "fc": "product", "pool": "pool", "sum": "pool"}


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
        """Rename in place."""
        names: dict[str, list[str]] = {}
        for name in self._names:
            prefix = name.rstrip("0123456789")
            names.setdefault(PREFIXES.get(prefix, prefix), []).append(name)
        layers = [node for node in model.graph.node if node.domain.startswith("finn.custom_op")]
        for node in layers:
            kind = KINDS.get(_kind(node))
            if kind is not None:
                node.name = names[kind].pop(0) + ("_mvau" if kind == "product" else "")
            elif _kind(node) == "LabelSelect":
                node.name = "label_argmax"
        for node in layers:
            if _kind(node) == "StreamFork":
                node.name = f"{_owner(model, node, backwards=True)}_fork"
        groups: dict[tuple[str, str], list[Any]] = {}
        for node in layers:
            if _kind(node) in SUFFIXES:
                groups.setdefault((_owner(model, node), SUFFIXES[_kind(node)]), []).append(node)
        for (owner, suffix), same in groups.items():
            for position, node in enumerate(same):
                node.name = f"{owner}_{suffix}{position if len(same) > 1 else ''}"
        return model, False


def _kind(node: Any) -> str:
    return str(node.op_type.removesuffix("_rtl"))


def _owner(model: Any, node: Any, backwards: bool = False) -> str:
    """Return what the layer is called that a node stands in front of, or behind."""
    while True:
        if backwards:
            node = model.find_producer(node.input[0])
        else:
            node = next(iter(model.find_consumers(node.output[0]) or []), None)
        if node is None:
            return "in" if backwards else "out"
        if _kind(node) not in SUFFIXES:
            return str(node.name).removesuffix("_mvau").removesuffix("_argmax")
