"""The C++ compiler that simulations are built with."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import ToolError

__all__ = ["Compiler", "ask_program", "find_compiler"]

_FIX = "run `apt install g++`, or name another compiler in CXX"


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler.

    Args:
        program: full path.
        version: first line of what ``--version`` prints.
    """

    program: str
    version: str


def ask_program(program: str, *arguments: str) -> str:
    """Return what a program prints; empty where it cannot be run or fails."""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_compiler() -> Compiler:
    """Find a C++20 compiler: the program named by ``CXX`` if set, else ``g++`` on PATH.

    Raises:
        ToolError: there is none, or it does not run.
    """
    name = os.environ.get("CXX") or "g++"
    program = shutil.which(name)
    if program is None:
        raise ToolError(f"C++ compiler {name}", "not found on PATH", "g++ 10 or newer", _FIX)
    return _ask_compiler(program, Path(program).stat().st_mtime_ns)


@functools.lru_cache  # not cache: boards have Python 3.8
def _ask_compiler(program: str, changed: int) -> Compiler:
    """Return a compiler with its version; asked once, unless its file changes. What fails is asked again."""
    printed = ask_program(program, "--version")
    if not printed:
        raise ToolError(f"C++ compiler {program}", "`--version` fails", "g++ 10 or newer", _FIX)
    return Compiler(program, printed.splitlines()[0])
