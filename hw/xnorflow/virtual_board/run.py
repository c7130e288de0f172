"""``python -m xnorflow.virtual_board.run --design FOLDER SCRIPT ...``: pynq's scripts on a virtual board, unchanged."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from xnorflow.artifact.errors import DeployError, UserError
from xnorflow.virtual_board.device import install
from xnorflow.virtual_board.soc import Soc

__all__ = ["DESIGN", "main"]

DESIGN = "XNORFLOW_DESIGN"
"""Variable of the environment by which a script learns the folder."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the board, then run the script in this process as ``__main__``.

    Args:
        arguments: without the program's name; None takes ``sys.argv``.

    Returns:
        0, or 2 for something the user can mend; the script's own exit code comes as ``SystemExit``.
    """
    parser = argparse.ArgumentParser(prog="python -m xnorflow.virtual_board.run", description=__doc__)
    parser.add_argument("--design", type=Path, required=True, metavar="FOLDER", help="that `xnorflow deploy` wrote")
    parser.add_argument("--board", help="name of the board; else the one that the design is for")
    parser.add_argument("-m", dest="module", action="store_true", help="SCRIPT is the name of a module")
    parser.add_argument("script", metavar="SCRIPT")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="the script's own")
    options = parser.parse_args(arguments)
    try:
        if not options.module and not Path(options.script).is_file():
            raise DeployError(f"script {options.script}", "no such file", "a Python file", "-m runs a module")
        with Soc(options.design, options.board) as soc:
            install(soc)
            os.environ[DESIGN] = str(options.design)
            print(f"virtual {soc.board.name}, simulated: {soc.folder}", file=sys.stderr)
            _run(options.script, options.arguments, module=options.module)
            rate = _rate(soc)
            print(f"virtual {soc.board.name}, simulated: {soc.cycles:,} clock cycles{rate}", file=sys.stderr)
    except UserError as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    return 0


def _rate(soc: Soc) -> str:
    """Return what the last batch took, and how many frames a second that is at the design's clock."""
    if not soc.batch_frames:
        return ""
    rate = soc.batch_frames * 1e9 / (soc.batch_cycles * soc.description.clock_ns)
    return (
        f", last batch {soc.batch_frames:,} frames in {soc.batch_cycles:,}: "
        f"{rate:,.0f} frames/s (cycles x assumed {soc.description.clock_ns:g} ns, DMA included)"
    )


def _run(script: str, arguments: list[str], *, module: bool) -> None:
    """Run a script or module as ``python`` would; an exit with code 0 is an ordinary end."""
    sys.argv = [script, *arguments]
    try:
        if module:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(script).resolve().parent))
            runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    sys.exit(main())
