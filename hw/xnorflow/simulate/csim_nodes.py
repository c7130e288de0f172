"""C simulation of single nodes of a graph: their generated functions, each alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.ops.hls.code import HlsPort, copy_library
from xnorflow.simulate.csim import CFunction, CPort

__all__ = ["node_function", "write_nodes"]


def write_nodes(model: Any, operators: Iterable[Any], folder: Path) -> int:
    """Write the headers of HLS nodes, and the library, into ``folder``.

    Returns:
        Bits of the widest integer in them.

    Raises:
        GenerateError: a node has no HLS form.
    """
    copy_library(folder)
    widest = 0
    for operator in operators:
        operator.write_code(model, folder)
        widest = max(widest, operator.widest(model))
    return widest


def node_function(model: Any, operator: Any) -> CFunction:
    """Return the function of an HLS node, as :func:`write_nodes` writes it."""
    name, ports = operator.onnx_node.name, operator.ports(model)
    sides = [[port for port in ports if port.name.startswith(prefix)] for prefix in ("in", "out")]
    shapes = operator.get_folded_input_shape, operator.get_folded_output_shape
    inputs, outputs = (
        tuple(_port(port, shape(index)) for index, port in enumerate(side))
        for side, shape in zip(sides, shapes, strict=True)
    )
    return CFunction(name, f"{name}_frame", f"{name}.hpp", inputs, outputs)


def _port(port: HlsPort, shape: tuple[int, ...]) -> CPort:
    return CPort(port.bits, int(np.prod(shape[:-1])))
