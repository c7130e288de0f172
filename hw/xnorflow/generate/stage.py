"""The generate stage: every node through FINN's PrepareIP, RTL and C++ collected, and stitched."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import StreamSpec
from xnorflow.cycles.run import CycleReport
from xnorflow.generate.hls_layers import HLS_DIR, write_layers
from xnorflow.generate.stitch import TOP, render_top
from xnorflow.lower.fifo_sizing import predict
from xnorflow.lower.finn_compat import build_directory
from xnorflow.lower.stage import Lowered

__all__ = ["generate", "input_stream", "output_stream"]

RTL_DIR = "rtl"
INFO_KEYS = (
    "MW", "MH", "IFMDim", "IFMChannels", "ConvKernelDim", "Stride", "Padding", "PE", "SIMD", "depth", "inWidth",
    "outWidth", "Labels", "NumChannels", "Times", "PoolMode",
)  # fmt: skip


def generate(build: Path, lowered: Lowered, progress: Progress) -> Design:
    """Write ``rtl/*.sv``, ``rtl/*.mem`` and ``design.json`` into ``build``; where layers are in HLS, ``hls`` too.

    Equal inputs give equal bytes. A layer in HLS is an instance of the IP that its function and Tcl in ``hls`` become.

    Args:
        build: folder that the lower stage wrote into.
        lowered: its result.
        progress: told of every node.

    Raises:
        GenerateError: a node has no backend, or its folding does not divide.
    """
    rtl = build / RTL_DIR
    rtl.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="xnorflow_codegen_") as scratch, build_directory(Path(scratch)):
        nodes, cycles = _generate_nodes(lowered, rtl, progress)
    code = write_layers(build, lowered)
    nodes = [replace(node, **code.layers.get(node.name, {})) for node in nodes]
    sources = dict.fromkeys(source for node in nodes if not node.functions for source in node.sources)
    design = Design(
        top=TOP,
        sources=(*sources, f"{RTL_DIR}/{TOP}.sv"),
        rtl_dir=RTL_DIR,
        board=lowered.board,
        part=lowered.part,
        clock_ns=lowered.clock_ns,
        cycles_per_frame=int(cycles.intervals[-1]),
        latency_cycles=cycles.latency,
        input=input_stream(lowered),
        output=output_stream(lowered),
        nodes=tuple(nodes),
        artifact_sha256=lowered.artifact_sha256,
        hls_dir=HLS_DIR if code.layers else "",
        widest=code.widest,
    )
    write_text(rtl / f"{TOP}.sv", render_top(design))
    design.save(build / "design.json")
    return design


def _operators(model: Any) -> list[tuple[Any, Any]]:
    from qonnx.custom_op.registry import getCustomOp

    return [(node, getCustomOp(node)) for node in model.graph.node]


def _generate_nodes(lowered: Lowered, rtl: Path, progress: Progress) -> tuple[list[DesignNode], CycleReport]:
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP

    for node in lowered.model.graph.node:
        if not node.domain.endswith((".rtl", ".hls")):
            raise GenerateError(
                f"node {node.name}", f"{node.op_type} has no RTL backend", "operators with one", "report this network"
            )
    for _, operator in _operators(lowered.model):
        operator.set_nodeattr("code_gen_dir_ipgen", "")  # else PrepareIP takes what an earlier call left
    model = lowered.model.transform(PrepareIP(lowered.part, lowered.clock_ns))
    nodes: list[DesignNode] = []
    with progress.task("generate", len(lowered.model.graph.node)) as advance:
        for node, operator in _operators(model):
            nodes.append(_collect(model, node, operator, rtl))
            advance(1, node.name)
    return nodes, predict(model)


def _collect(model: Any, node: Any, operator: Any, rtl: Path) -> DesignNode:
    """Copy a node's files next to the others and describe it."""
    sources = []
    for file in operator.get_rtl_file_list(abspath=True) if node.domain.endswith(".rtl") else []:
        shutil.copyfile(file, rtl / Path(file).name)
        sources.append(f"{RTL_DIR}/{Path(file).name}")
    for memory in Path(operator.get_nodeattr("code_gen_dir_ipgen")).glob("*.mem"):
        shutil.copyfile(memory, rtl / memory.name)
    known = operator.get_nodeattr_types()
    info = {key: operator.get_nodeattr(key) for key in INFO_KEYS if key in known}
    streams = [name for name in node.input if model.get_initializer(name) is None]
    bits = tuple(int(operator.get_outstream_width_padded(index)) for index in range(len(node.output)))
    return DesignNode(
        node.name, node.op_type, tuple(sources), int(operator.get_exp_cycles()), info,
        tuple(_giver(model, name) for name in streams), bits,
    )  # fmt: skip


def _giver(model: Any, tensor: str) -> str:
    """Return the port that a stream comes from."""
    producer = model.find_producer(tensor)
    return "in0" if producer is None else f"{producer.name}.out{list(producer.output).index(tensor)}"


def input_stream(lowered: Lowered) -> StreamSpec:
    """Return the port that takes frames."""
    _, operator = _operators(lowered.model)[0]
    datatype = operator.get_input_datatype(0)
    # FINN calls -1/+1 that travels as 0/1 BINARY; the host thinks in BIPOLAR.
    name = "BIPOLAR" if datatype.name == "BINARY" else datatype.name
    elements = lowered.network.first.elements
    return StreamSpec("in0_V", name, int(datatype.bitwidth()), elements, int(operator.get_folded_input_shape()[-1]))


def output_stream(lowered: Lowered) -> StreamSpec:
    """Return the port that gives results."""
    _, operator = _operators(lowered.model)[-1]
    datatype = operator.get_output_datatype()
    shape = operator.get_folded_output_shape()
    elements = 1 if lowered.network.labels else lowered.network.classes
    return StreamSpec("out0_V", datatype.name, int(datatype.bitwidth()), elements, int(shape[-1]))
