"""Generation of C++ for HLS: a header for every node, and the whole network as one dataflow function."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import Progress
from xnorflow.generate.hls_layers import HLS_DIR
from xnorflow.generate.stage import input_stream, output_stream
from xnorflow.generate.stitch import TOP
from xnorflow.lower.stage import Lowered
from xnorflow.ops.hls.code import copy_library
from xnorflow.ops.hls.node import HlsNode, render_synthesis
from xnorflow.render.templates import banner, load_template

__all__ = ["generate_hls"]

SHALLOWEST = 2
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Stream:
    """A stream between two layers."""

    name: str
    bits: int
    depth: int


@dataclass(frozen=True)
class _Layer:
    """A call in the top."""

    name: str
    streams: tuple[str, ...]


def generate_hls(build: Path, lowered: Lowered, progress: Progress) -> HlsDesign:
    """Write ``hls/*.hpp``, ``hls/top.cpp``, Tcl for Vitis HLS and ``hls_design.json`` into ``build``.

    A FIFO of the graph becomes the depth of the stream that goes through it. Equal inputs give equal bytes.

    Args:
        build: folder that the lower stage wrote into, for ``backend = "hls"``.
        lowered: its result.
        progress: told of every node.

    Raises:
        GenerateError: a node has no HLS form, or its folding does not divide.
    """
    hls, model = build / HLS_DIR, lowered.model
    hls.mkdir(exist_ok=True)
    operators = _operators(model)
    sources, widest = [], 0
    with progress.task("generate", len(operators)) as advance:
        for operator in operators:
            sources += operator.write_code(model, hls)
            widest = max(widest, operator.widest(model))
            advance(1, operator.onnx_node.name)
    copy_library(hls)
    source, sink = input_stream(lowered), output_stream(lowered)
    names = tuple(operator.onnx_node.name for operator in operators)
    design = HlsDesign(
        TOP, HLS_DIR, (*sources, "top.hpp", "top.cpp"), widest, lowered.board, lowered.part, lowered.clock_ns,
        source, sink, names, lowered.artifact_sha256,
    )  # fmt: skip
    _write_top(hls, design, model, operators)
    design.save(build / HLS_DESIGN_FILE)
    return design


def _operators(model: Any) -> list[HlsNode]:
    """Return the layers in stream order, FIFOs left out."""
    from qonnx.custom_op.registry import getCustomOp

    found = []
    for node in model.graph.node:
        if _is_fifo(node):
            continue
        operator = getCustomOp(node)
        if not isinstance(operator, HlsNode):
            raise GenerateError(
                f"node {node.name}", f"{node.op_type} has no HLS form", "operators with one", "build for RTL"
            )
        found.append(operator)
    return found


def _is_fifo(node: Any) -> bool:
    return str(node.op_type).startswith("BoundedFIFO")


def _write_top(hls: Path, design: HlsDesign, model: Any, operators: list[HlsNode]) -> None:
    streams, layers = _connect(model, operators)
    values = {
        "banner": banner(), "artifact": design.artifact_sha256, "top": design.top, "widest": design.widest,
        "input": design.input, "output": design.output, "nodes": layers, "streams": streams,
        "input_bits": design.input.per_beat * design.input.bits,
        "output_bits": design.output.per_beat * design.output.bits,
    }  # fmt: skip
    for name in ("top.hpp", "top.cpp"):
        write_text(hls / name, load_template(_TEMPLATES / f"{name}.j2").render(values))
    tcl = render_synthesis(design.top, "top.cpp", Path(), design.part, design.clock_ns, [])
    write_text(hls / f"hls_syn_{design.top}.tcl", tcl)


def _connect(model: Any, operators: list[HlsNode]) -> tuple[list[_Stream], list[_Layer]]:
    """Return the streams between the layers, and each layer with its streams."""
    depths, origins = _fifos(model)
    last = _origin(str(model.graph.output[0].name), origins)
    names = {str(model.graph.input[0].name): "in0_V", last: "out0_V"}
    streams, layers = [], []
    for operator in operators:
        node = operator.onnx_node
        for index, tensor in enumerate(node.output):
            if tensor not in names:
                names[tensor] = f"{node.name}_out{index}"
                bits, depth = int(operator.get_outstream_width(index)), max(depths.get(tensor, 0), SHALLOWEST)
                streams.append(_Stream(names[tensor], bits, depth))
        taken = [names[_origin(tensor, origins)] for tensor in node.input if model.get_initializer(tensor) is None]
        layers.append(_Layer(node.name, (*taken, *(names[tensor] for tensor in node.output))))
    return streams, layers


def _fifos(model: Any) -> tuple[dict[str, int], dict[str, str]]:
    """Return the depth of FIFOs behind a tensor, and for each FIFO's output where it comes from."""
    from qonnx.custom_op.registry import getCustomOp

    depths: dict[str, int] = {}
    origins: dict[str, str] = {}
    for node in model.graph.node:
        if _is_fifo(node):
            origins[node.output[0]] = origin = _origin(node.input[0], origins)
            depths[origin] = depths.get(origin, 0) + int(getCustomOp(node).get_nodeattr("depth"))
    return depths, origins


def _origin(tensor: str, origins: dict[str, str]) -> str:
    return origins.get(tensor, tensor)
