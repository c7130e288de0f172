"""``xnorflow board demo``: one design behind pynq in three ways, on a virtual board."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from xnorflow.artifact.errors import DeployError
from xnorflow.flow.board import prepare
from xnorflow.flow.board_environment import board_python, board_variables
from xnorflow.flow.folders import Folders

__all__ = ["show"]

HOST = "127.0.0.1"
DEMO = ("-m", "xnorflow.virtual_board.demo")


def show(directory: Path, board: str | None, *, quiet: bool) -> None:
    """Run the demo in process, with finn-plus-driver, and as a remote client of a server; each tells what it found.

    Raises:
        UserError: there is no design or no environment, or one of the three fails.
    """
    python = board_python()
    folder, name = prepare(directory, board, quiet=quiet)
    images = Folders.find(directory).golden
    options = ["--design", str(folder), *(("--images", str(images)) if images.is_file() else ())]
    chosen = ("--design", str(folder), "--board", name)
    in_process = (python, "-m", "xnorflow.virtual_board.run", *chosen, *DEMO)
    steps = (
        ("pynq, in process", (*in_process, *options)),
        ("finn-plus-driver, in process", (*in_process, *options, "--finn")),
    )
    for title, command in steps:
        _step(title, command, board_variables())
    with subprocess.Popen(
        (python, "-m", "xnorflow.virtual_board.server", *chosen),
        stdout=subprocess.PIPE,
        text=True,
        env=board_variables(),
    ) as server:
        try:
            assert server.stdout is not None
            if HOST not in server.stdout.readline():
                raise DeployError(f"virtual {name}'s server", "did not start", "", "see its message above")
            remote = {**board_variables(), "PYNQ_REMOTE_DEVICES": HOST}
            _step("pynq, remote client", (python, *DEMO, *options), remote)
        finally:
            server.terminate()
            server.communicate()  # it says that it ended


def _step(title: str, command: Sequence[str | os.PathLike[str]], variables: dict[str, str]) -> None:
    print(f"== {title}", flush=True)
    code = subprocess.run(command, env=variables, check=False).returncode
    if code:
        raise DeployError(f"demo, {title}", f"ended with code {code}", "0", "see its message above")
