"""Give every hardware layer the name it will have in the RTL, so that people find their network in it."""

from __future__ import annotations

from typing import Any

from qonnx.transformation.base import Transformation

__all__ = ["NameLayers"]

SUFFIXES = {"LabelSelect": "argmax", "BoundedFIFO": "fifo", "WidthConverter": "dwc"}


class NameLayers(Transformation):
    """Name matrix units ``fc0_mvau``, ``fc1_mvau``..., and what stands in front of each ``fc1_dwc``, ``fc1_fifo``."""

    def apply(self, model: Any) -> tuple[Any, bool]:
        """Rename in place, in stream order."""
        index = 0
        waiting: list[Any] = []
        for node in model.graph.node:
            if not node.domain.startswith("finn.custom_op"):
                continue
            kind = node.op_type.removesuffix("_rtl")
            if kind in ("BoundedFIFO", "WidthConverter"):
                waiting.append(node)
                continue
            if kind == "LabelSelect":
                owner, node.name = "label", "label_argmax"
            else:
                owner, node.name = f"fc{index}", f"fc{index}_mvau"
                index += 1
            _name_waiting(waiting, owner)
            waiting.clear()
        _name_waiting(waiting, "out")
        return model, False


def _name_waiting(nodes: list[Any], owner: str) -> None:
    for suffix in ("fifo", "dwc"):
        same = [node for node in nodes if SUFFIXES[node.op_type.removesuffix("_rtl")] == suffix]
        for position, node in enumerate(same):
            node.name = f"{owner}_{suffix}{position if len(same) > 1 else ''}"
