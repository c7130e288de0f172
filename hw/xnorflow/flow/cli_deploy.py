"""Command line of ``xnorflow deploy``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Directory, Quiet

__all__ = ["deploy"]


def deploy(
    directory: Directory,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write. (else deploy)")] = None,
    frames: Annotated[int, typer.Option("--frames", min=1, help="Golden frames to ship.")] = 20,
    data_bits: Annotated[
        int | None, typer.Option("--data-bits", help="Of a word of memory, 32 to 1024. (else by the board)")
    ] = None,
    package: Annotated[
        str | None,
        typer.Option("--package", metavar="NAME", help="Also write a Python package of it for boards, RUN/package."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Compute the golden frames on a virtual board, DMA included.")
    ] = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Put DMA engines around a generated design, ship golden frames with it, and try it on a virtual board."""
    from xnorflow.flow import deploy as command

    command.deploy(directory, output, frames, data_bits, package, test=test, quiet=quiet)
