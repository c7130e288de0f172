"""Command line of ``xnorflow board``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Quiet

__all__ = ["board"]

PORT = 7967

DesignOption = Annotated[
    Path, typer.Option("--design", metavar="RUN", help="runs/<name>, or a folder that `xnorflow deploy` wrote.")
]
BoardOption = Annotated[
    str | None, typer.Option("--board", help="Board to be, e.g. ZCU104, Pynq-Z2. (else the design's)")
]

board = typer.Typer(
    name="board", help="Virtual PYNQ boards: the accelerator's RTL behind unmodified pynq, simulated.",
    no_args_is_help=True,
)  # fmt: skip


@board.command()
def start(
    design: DesignOption,
    board: BoardOption = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of 127.0.0.1; pynq knows 7967 only.")] = PORT,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Serve a virtual board to pynq's remote clients on this machine, until Ctrl-C."""
    from xnorflow.flow import board as command

    command.start(design, board, port, quiet=quiet)


@board.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
def run(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="Python file; with -m a module.")],
    design: DesignOption,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGS]...", help="The script's own.")] = None,
    board: BoardOption = None,
    module: Annotated[bool, typer.Option("-m", help="SCRIPT is the name of a module.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run a script of pynq, unchanged, on a virtual board in its own process.

    The script finds the folder with overlay, golden frames and host's part in the variable XNORFLOW_DESIGN.
    """
    from xnorflow.flow import board as command

    command.run(design, board, script, arguments or [], module=module, quiet=quiet)


@board.command()
def demo(design: DesignOption, board: BoardOption = None, quiet: Quiet = False, debug: Debug = False) -> None:
    """Run one design behind pynq in process, behind finn-plus-driver, and behind a remote client of pynq."""
    from xnorflow.flow import board_demo as command

    command.show(design, board, quiet=quiet)
