"""The design's SystemVerilog and memory files under names that no other core in a project has.

Every module and every memory file gets the core's name in front. So two cores can stand in one project: Vivado puts the
modules of all cores into one library and copies all their memory files into one folder when it simulates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.memory_files import memory_files, string_literals
from xnorflow.package.config import Cells

__all__ = ["Sources", "collect_sources"]

_MODULE = re.compile(r"^\s*module\s+(\w+)", re.MULTILINE)
_LIBRARY = "xnorflow_"
_NEEDED = re.compile(r'(?:\.\w*Files?|\$readmemh)\s*\("([^"\n]+)"')
"""What surely is a memory file: ``.StartFile("...")`` of an instance, or read by that name."""
_CELLS_MACRO = "XNORFLOW_LUT6"
_FIRST_LINE = "`default_nettype none\n"
_CHOOSE_CELLS = f"""
// Synthesis takes LUT6_2 and CARRY4 of Xilinx chips; define XNORFLOW_PORTABLE for other ones.
`ifdef SYNTHESIS
`ifndef XNORFLOW_PORTABLE
`ifndef {_CELLS_MACRO}
`define {_CELLS_MACRO}
`endif
`endif
`endif
"""


@dataclass(frozen=True)
class Sources:
    """Files of a core.

    Args:
        modules: file name and text, dependencies first.
        memories: file name and contents, sorted by name.
        top: module that has the streams as ports.
    """

    modules: tuple[tuple[str, str], ...]
    memories: tuple[tuple[str, bytes], ...]
    top: str


def collect_sources(build: Path, design: Design, core: str, cells: Cells) -> Sources:
    """Read the design's files and put the core's name in front of every module and memory file.

    Args:
        build: build folder of ``design``.
        design: what is packaged.
        core: name of the core, a Verilog identifier.
        cells: with :attr:`Cells.XILINX`, synthesis takes the bodies for that vendor's chips by default.

    Raises:
        GenerateError: a source, or a memory file that one names, is missing.
    """
    texts = {source: _read(build / source, design) for source in design.sources}
    modules = [name for text in texts.values() for name in _MODULE.findall(text)]
    renamed = {name: f"{core}_{name.removeprefix(_LIBRARY)}" for name in modules}
    if len(set(renamed.values())) < len(renamed):  # a layer is called as a module of the library
        renamed = {name: f"{core}_{name}" for name in modules}
    words = re.compile(rf"\b({'|'.join(map(re.escape, sorted(renamed)))})\b")
    folder = build / design.rtl_dir
    memories: dict[str, bytes] = {}
    files = []
    for source, text in texts.items():
        needed = set(_NEEDED.findall(text))
        for literal in string_literals(text):
            found = list(memory_files(folder / literal))
            if literal in needed and not found:
                raise GenerateError(
                    f"design {design.top}", f"memory file {literal} is missing", fix="generate the design again"
                )
            if found:
                text = text.replace(f'"{literal}"', f'"{core}_{literal}"')
            memories |= {f"{core}_{path.name}": path.read_bytes() for path in found}
        if cells is Cells.XILINX and f"`ifdef {_CELLS_MACRO}" in text:
            text = text.replace(_FIRST_LINE, _FIRST_LINE + _CHOOSE_CELLS, 1)
        stem = Path(source).stem
        name = renamed.get(stem, f"{core}_{stem}")
        files.append((f"{name}{Path(source).suffix}", words.sub(lambda match: renamed[match[1]], text)))
    return Sources(tuple(files), tuple(sorted(memories.items())), renamed[design.top])


def _read(path: Path, design: Design) -> str:
    if not path.is_file():
        raise GenerateError(f"design {design.top}", f"source {path.name} is missing", fix="generate the design again")
    return path.read_text(encoding="utf-8")
