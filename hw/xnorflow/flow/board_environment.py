"""The environment that pynq lives in: numpy there is older than ours, so that virtual boards are processes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import xnorflow
from xnorflow.artifact.cache import cache_directory, content_key
from xnorflow.artifact.errors import ToolError

__all__ = ["VARIABLE", "board_pynq", "board_python", "board_variables"]

VARIABLE = "XNORFLOW_BOARD_VENV"
FOLDER = ".venv-board"


def board_python() -> Path:
    """Return the interpreter beside pynq: of the folder in :data:`VARIABLE`, else of ``.venv-board``.

    Raises:
        ToolError: there is none, or pynq is missing in it.
    """
    folders = _folders()
    for folder in folders:
        python = folder / "bin" / "python"
        if python.is_file():
            done = subprocess.run([python, "-c", "import pynq"], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return python.absolute()
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ToolError(
                f"environment {folder}", f"cannot import pynq: {reason}", "", "remove it and run `make board-env`"
            )
    raise ToolError(
        f"environment {folders[0]}", "no Python there", "an environment with pynq, apart from this one",
        f"run `make board-env`, or let {VARIABLE} name one",
    )  # fmt: skip


def board_pynq() -> str:
    """Return the version of pynq in that environment, and where that is; empty where there is none."""
    for folder in _folders():
        for found in sorted(folder.glob("lib/python*/site-packages/pynq-*.dist-info")):
            return f"{found.name[len('pynq-') : -len('.dist-info')]}, {folder}"
    return ""


def _folders() -> list[Path]:
    named = os.environ.get(VARIABLE)
    return [Path(named)] if named else [Path(FOLDER), Path(sys.prefix).parent / FOLDER]


def board_variables() -> dict[str, str]:
    """Return this process's variables, with a path on which that interpreter finds xnorflow and no more of ours."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, "PYTHONPATH": os.pathsep.join(str(path) for path in _roots())}


def _roots() -> Iterator[Path]:
    """Yield folders that hold xnorflow alone: a link where it lies among other packages."""
    for portion in map(Path, xnorflow.__path__):
        if not (portion.parent / "numpy").exists():
            yield portion.parent
            continue
        folder = cache_directory("board_path") / content_key(str(portion))
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / "xnorflow"
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(portion, target_is_directory=True)
        yield folder
