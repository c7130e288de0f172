"""The stitched top: nothing but wires between nodes, in plain SystemVerilog that people can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.artifact.design import Design
from xnorflow.ops.wrapper import banner, load_template

__all__ = ["TOP", "render_top"]

TOP = "xnorflow_top"


def render_top(design: Design, output_bits: dict[str, int]) -> str:
    """Return the text of the top.

    Args:
        design: nodes in stream order; each is a module of the same name with FINN's AXI-Stream ports.
        output_bits: TDATA width of each node's output.
    """
    nodes: list[dict[str, Any]] = [
        {
            "name": node.name,
            "op_type": node.op_type,
            "cycles": node.cycles,
            "out_bits": output_bits[node.name],
            "note": " ".join(f"{key}={value}" for key, value in node.info.items()),
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
        input=design.input,
        output=design.output,
    )
