"""C++ of the layers that are in HLS, each with what makes an IP of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.lower.stage import Lowered
from xnorflow.ops.hls.code import copy_library
from xnorflow.ops.hls.node import HlsNode

__all__ = ["HLS_DIR", "Layers", "write_layers"]

HLS_DIR = "hls"


@dataclass(frozen=True)
class Layers:
    """What was written.

    Args:
        layers: for each layer in C++ its ``sources`` and ``functions``, as a DesignNode has them.
        widest: bits of the widest integer; 0 where there is no layer.
    """

    layers: dict[str, dict[str, Any]]
    widest: int


def write_layers(build: Path, lowered: Lowered) -> Layers:
    """Write the headers of all layers in HLS, their functions as IPs, and the library into ``build/hls``.

    Raises:
        GenerateError: a folding does not divide, or asks for what there is in RTL only.
    """
    from qonnx.custom_op.registry import getCustomOp

    model, folder, layers, widest = lowered.model, build / HLS_DIR, {}, 0
    for operator in map(getCustomOp, model.graph.node):
        if not isinstance(operator, HlsNode):
            continue
        folder.mkdir(exist_ok=True)
        files = operator.write_code(model, folder)
        files += operator.write_ip(model, folder, Path(), lowered.part, lowered.clock_ns)
        sources = tuple(f"{HLS_DIR}/{file}" for file in files)
        layers[operator.onnx_node.name] = {"sources": sources, "functions": operator.functions(model)}
        widest = max(widest, operator.widest(model))
    if layers:
        copy_library(folder)
    return Layers(layers, widest)
