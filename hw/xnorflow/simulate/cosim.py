"""Layers in C++ beside RTL: each as a module that Verilator simulates with the others, its C++ behind DPI.

The top, its streams and FIFOs are those that are generated; the module of a layer has the ports of the IP that Vitis
HLS makes of it. It takes and gives beats in the order in which its C++ reads and writes them, with no more room in
between than the code says, so that branches that starve each other are found. Its cycles are not known: it pauses
at random, and what is measured in cycles says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.files import write_text
from xnorflow.render.templates import load_template
from xnorflow.simulate.csim import compile_text

__all__ = ["Modules", "modules_of"]

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class _Layer:
    """A layer as the templates have it.

    Args:
        name: of the layer.
        functions: of its header, in series.
        inputs: width of TDATA of each stream in.
        outputs: and out.
    """

    name: str
    functions: tuple[str, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Modules:
    """What a design is simulated from.

    Args:
        sources: SystemVerilog files, dependencies first.
        objects: what to link with them.
    """

    sources: tuple[Path, ...]
    objects: tuple[Path, ...]


def modules_of(build: Path, design: Design) -> Modules:
    """Return what to simulate, the C++ of layers compiled.

    Args:
        build: the build folder; what is made goes below ``obj``.
        design: its description.

    Raises:
        SimulateError: the C++ does not compile; names the layer and the line.
        ToolError: the compiler or AMD's headers are missing.
        OutputError: the folder cannot be written.
    """
    sources = tuple(build / source for source in design.sources)
    if not design.hls_nodes:
        return Modules(sources, ())
    layers = [_layer(design, node) for node in design.hls_nodes]
    code = load_template(_HERE / "cosim.cpp.j2").render(layers=layers, widest=design.widest)
    built = compile_text(code, "cosim", ".o", {}, build / design.hls_dir, build / "obj", ("-c",))
    modules = built.with_suffix(".sv")
    write_text(modules, load_template(_HERE / "cosim.sv.j2").render(layers=layers))
    return Modules((*sources[:-1], modules, sources[-1]), (built,))


def _layer(design: Design, node: DesignNode) -> _Layer:
    given = {f"{other.name}.out{index}": bits for other in design.nodes for index, bits in enumerate(other.output_bits)}
    given["in0"] = -(-design.input.per_beat * design.input.bits // 8) * 8
    return _Layer(node.name, node.functions, tuple(given[port] for port in node.takes), node.output_bits)
