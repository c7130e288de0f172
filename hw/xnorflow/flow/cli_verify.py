"""Command line of ``xnorflow verify``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Directory, Quiet

__all__ = ["verify"]


def verify(
    directory: Directory,
    frames: Annotated[int, typer.Option(min=1, help="Frames to compare every tensor on.")] = 4,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compare everything a run came to, tensor by tensor, and name the first node that differs."""
    from xnorflow.flow import commands

    commands.verify(directory, frames, quiet=quiet)
