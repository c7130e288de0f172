"""What a node of ours needs to be a cell of a Vivado block design, as FINN's CreateStitchedIP makes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from xnorflow.render.templates import banner, load_template

__all__ = ["LUT6", "cell_commands", "face_name", "prepare_sources", "render_face"]

LUT6 = "XNORFLOW_LUT6"
"""Macro of the form of popcounts that is made for LUTs of six inputs."""
_NAMED = re.compile(r'"([^"\n/]+)"')


def face_name(module: str) -> str:
    """Return what the module is called that Vivado sees."""
    return f"{module}_cell"


def render_face(module: str, interfaces: Mapping[str, Sequence[object]]) -> str:
    """Return plain Verilog of the module that Vivado sees: ``module`` itself is SystemVerilog, which no cell may be.

    Args:
        module: the node's own module.
        interfaces: of FINN's ``get_verilog_top_module_intf_names``: ``s_axis`` and ``m_axis`` with name and width.
    """
    return load_template(Path(__file__).parent / "templates" / "cell.v.j2").render(
        banner=banner(), name=face_name(module), module=module,
        sources=interfaces["s_axis"], sinks=interfaces["m_axis"],
    )  # fmt: skip


def prepare_sources(folder: Path) -> None:
    """Make the SystemVerilog files of a code folder ones for Vivado's projects; a second time changes nothing.

    - Memory files that lie there are named by their whole path: a project runs synthesis in folders of its own. FINN
      does the same to ``"./..."`` in its own Verilog files.
    - The form for LUTs of six inputs is chosen, since FINN's Tcl has no place for macros.
    """
    define = f"`define {LUT6}\n"
    for path in sorted(folder.glob("*.sv")):
        text = path.read_text(encoding="utf-8")
        text = _NAMED.sub(lambda match: f'"{_whole(folder, match[1])}"', text)
        if LUT6 in text and not text.startswith(define):
            text = define + text
        path.write_text(text, encoding="utf-8")


def _whole(folder: Path, name: str) -> str:
    """Return a name as it is, or as a whole path where a memory file, or one of a numbered series, is called so."""
    path = folder.resolve() / name
    named = path.is_file() or path.with_name(f"{name}_0.mem").is_file()
    return path.as_posix() if named else name


def cell_commands(files: Sequence[str], face: Path, cell: str) -> list[str]:
    """Return the Tcl that makes a cell of a block design: one file a line, as CreateStitchedIP checks them."""
    return [
        *(f"add_files -norecurse {file}" for file in [*files, face.as_posix()]),
        f"create_bd_cell -type module -reference {face.stem} {cell}",
    ]
