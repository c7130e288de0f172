"""Command line of ``xnorflow report``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Quiet

__all__ = ["report"]


def report(
    directories: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders runs/<name> or --output of a build.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Page to write. (else report.html in the run; comparison.html here)"),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what a run came to, and write build/report/report.html; of several runs, compare them in one page."""
    from xnorflow.flow import commands

    commands.report(directories, output, quiet=quiet)
