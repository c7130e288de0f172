"""The stitched top: nothing but wires between nodes, in plain SystemVerilog that people can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.render.templates import banner, load_template

__all__ = ["TOP", "render_top"]

TOP = "xnorflow_top"


def render_top(design: Design, taps: bool = False, *, every_cycle: bool = False) -> str:
    """Return the text of the top.

    Args:
        design: nodes in stream order; each is a module of the same name with FINN's AXI-Stream ports.
        taps: whether an ``xnorflow_tap`` writes each node's beats to ``<node>.out<number>.txt``.
        every_cycle: whether taps write all cycles, and there is one on the input, too, which writes ``in0.txt``.
    """
    nodes: list[dict[str, Any]] = [
        {
            "name": node.name,
            "op_type": node.op_type,
            "cycles": node.cycles,
            "in_cpp": bool(node.functions),
            "note": " ".join(f"{key}={value}" for key, value in node.info.items()),
            "inputs": [_wires(port) for port in node.takes],
            "outputs": _outputs(node, last=node is design.nodes[-1]),
        }
        for node in design.nodes
    ]
    return load_template(Path(__file__).parent / "templates" / "top.sv.j2").render(
        banner=banner(),
        artifact=design.artifact_sha256,
        top=design.top,
        nodes=nodes,
        width=max(len(node.name) for node in design.nodes),
        cycles=design.cycles_per_frame,
        in_cpp=len(design.hls_nodes),
        input=design.input,
        output=design.output,
        taps=taps,
        every_cycle=every_cycle,
    )


def _wires(port: str) -> dict[str, str]:
    """Return the wires of a port ``<node>.out<number>``, or of the top's input."""
    if "." not in port:
        names = ["in0_V_TDATA", "in0_V_TVALID", "in0_V_TREADY"]
    else:
        node, output = port.split(".")
        stem = node if output == "out0" else f"{node}_{output}"
        names = [f"{stem}_tdata", f"{stem}_tvalid", f"{stem}_tready"]
    return dict(zip(("tdata", "tvalid", "tready"), names, strict=True))


def _outputs(node: DesignNode, last: bool) -> list[dict[str, Any]]:
    if last:
        names = {"tdata": "out0_V_TDATA", "tvalid": "out0_V_TVALID", "tready": "out0_V_TREADY"}
        return [{**names, "bits": node.output_bits[0], "declared": False}]
    return [
        {**_wires(f"{node.name}.out{index}"), "bits": bits, "declared": True}
        for index, bits in enumerate(node.output_bits)
    ]
