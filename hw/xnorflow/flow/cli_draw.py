"""Command line of ``xnorflow draw``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Quiet

__all__ = ["draw"]


def draw(
    directory: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run or build of digits, or what `xnorflow deploy` wrote of one.")
    ],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of 127.0.0.1; 0 takes any.")] = 8000,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Serve a page to this machine on which digits are drawn: the design's RTL, simulated, says what they are."""
    from xnorflow.flow import draw as command

    command.draw(directory, port, quiet=quiet)
