"""The module that puts FINN's AXI-Stream names around library modules: the only generated RTL of a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.rtlbackend import RTLBackend

from xnorflow.ops.block_design import cell_commands, face_name, prepare_sources, render_face
from xnorflow.render.templates import banner, load_template

__all__ = [
    "RTL_LIBRARY",
    "Instance",
    "Junction",
    "Port",
    "RtlNode",
    "Sized",
    "render_junction",
    "render_wrapper",
]

RTL_LIBRARY = Path(__file__).resolve().parent.parent / "rtl"
"""Folder of the hand-written SystemVerilog modules."""


@dataclass(frozen=True)
class Port:
    """A stream port of a wrapper.

    Args:
        bits: bits in use.
        note: what travels, for the comment.
    """

    bits: int
    note: str

    @property
    def tdata_bits(self) -> int:
        """Width of TDATA, a multiple of 8."""
        return -(-self.bits // 8) * 8


@dataclass(frozen=True)
class Sized:
    """A parameter value of as many bits as the parameter has.

    Args:
        value: 0 to 2**bits - 1.
        bits: its width.
    """

    value: int
    bits: int


@dataclass(frozen=True)
class Instance:
    """A library module in a wrapper.

    Args:
        module: its name.
        parameters: parameter name to value; strings are quoted, booleans written as one bit.
        output_bits: width of ``data_o``.
    """

    module: str
    parameters: Mapping[str, bool | int | str | Sized]
    output_bits: int


@dataclass(frozen=True)
class Junction:
    """A library module of several streams.

    Args:
        module: its name.
        parameters: as of :class:`Instance`.
        inputs: what stands between ``data``, ``valid``, ``ready`` and their direction for each stream in: ``_a``.
        outputs: the same for each stream out, or a place in a packed array: ``[0]``.
    """

    module: str
    parameters: Mapping[str, bool | int | str | Sized]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def render_wrapper(name: str, purpose: str, source: Port, sink: Port, chain: list[Instance]) -> str:
    """Return the text of module ``name``: ``chain`` in series between the two ports, or wires where it is empty."""
    wires = [{"name": f"stage{i}", "bits": instance.output_bits} for i, instance in enumerate(chain[:-1])]
    rows: list[dict[str, Any]] = []
    for i, instance in enumerate(chain):
        first, last = i == 0, i == len(chain) - 1
        slice_in = f"in0_V_TDATA[{source.bits - 1}:0]" if source.tdata_bits > source.bits else "in0_V_TDATA"
        data_out = "out0_data" if sink.tdata_bits > sink.bits else "out0_V_TDATA"
        rows.append(
            {
                "module": instance.module,
                "name": f"i_{instance.module.removeprefix('xnorflow_')}{i if len(chain) > 1 else ''}",
                "parameters": [(key, _literal(value)) for key, value in instance.parameters.items()],
                "data_i": slice_in if first else f"stage{i - 1}_data",
                "valid_i": "in0_V_TVALID" if first else f"stage{i - 1}_valid",
                "ready_o": "in0_V_TREADY" if first else f"stage{i - 1}_ready",
                "data_o": data_out if last else f"stage{i}_data",
                "valid_o": "out0_V_TVALID" if last else f"stage{i}_valid",
                "ready_i": "out0_V_TREADY" if last else f"stage{i}_ready",
            }
        )
    return load_template(Path(__file__).parent / "templates" / "wrapper.sv.j2").render(
        name=name, purpose=purpose, banner=banner(), input=source, output=sink, wires=wires, instances=rows
    )


def render_junction(name: str, purpose: str, sources: list[Port], sinks: list[Port], junction: Junction) -> str:
    """Return the text of module ``name``: one library module between several ports."""
    packed = junction.outputs[0].startswith("[")
    return load_template(Path(__file__).parent / "templates" / "junction.sv.j2").render(
        name=name, purpose=purpose, banner=banner(), inputs=sources, outputs=sinks, module=junction.module,
        parameters=[(key, _literal(value)) for key, value in junction.parameters.items()],
        sides=junction.inputs, packed=packed, instance=f"i_{junction.module.removeprefix('xnorflow_')}",
    )  # fmt: skip


def _literal(value: bool | int | str | Sized) -> str:
    if isinstance(value, Sized):
        return f"{value.bits}'d{value.value}"
    if isinstance(value, bool):
        return f"1'b{int(value)}"
    return f'"{value}"' if isinstance(value, str) else str(value)


class RtlNode(RTLBackend):
    """What all RTL backends of xnorflow share; comes before the abstract operator in the bases.

    A subclass gives ``library_modules`` (files of the RTL library, dependencies first) and ``write_sources``.
    """

    library_modules: tuple[str, ...] = ()

    def execute_node(self, context: Any, graph: Any) -> None:
        """Run as the abstract operator's Python model, or as RTL where ``exec_mode`` says so."""
        if self.get_nodeattr("exec_mode") == "rtlsim":
            super().execute_node(context, graph)
        else:
            super(RTLBackend, self).execute_node(context, graph)

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write memory files into ``folder`` and return the wrapper's text."""
        raise NotImplementedError

    def generate_hdl(self, model: Any, fpgapart: str, clk: float) -> None:
        """Write the wrapper and its memories into the node's code folder (called by FINN's PrepareIP)."""
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        name = self.get_verilog_top_module_name()
        self.set_nodeattr("gen_top_module", name)
        (folder / f"{name}.sv").write_text(self.write_sources(model, folder), encoding="utf-8")
        self.set_nodeattr("ipgen_path", str(folder))
        self.set_nodeattr("ip_path", str(folder))

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """Return library modules, generated ones and wrapper, dependencies first."""
        own = [f"{module}.sv" for module in (*self.own_modules(), self.get_nodeattr("gen_top_module"))]
        library = [f"{module}.sv" for module in self.library_modules]
        if not abspath:
            return [*library, *own]
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        return [*(str(RTL_LIBRARY / file) for file in library), *(str(folder / file) for file in own)]

    def own_modules(self) -> list[str]:
        """Return the generated modules below the wrapper, files of the code folder, dependencies first."""
        return []

    def code_generation_ipi(self) -> list[str]:
        """Return the Tcl that makes a cell of this node in a block design, and write what it needs besides."""
        folder, module = Path(self.get_nodeattr("code_gen_dir_ipgen")), self.get_nodeattr("gen_top_module")
        prepare_sources(folder)
        face = folder / f"{face_name(module)}.v"
        face.write_text(render_face(module, self.get_verilog_top_module_intf_names()), encoding="utf-8")
        return cell_commands(self.get_rtl_file_list(abspath=True), face, self.onnx_node.name)
