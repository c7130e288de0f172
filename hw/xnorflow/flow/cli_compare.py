"""Command line of ``xnorflow compare``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import GENERAL, DataRoot, Debug, Quiet, Runs

__all__ = ["compare"]

RUNS = Path("runs/compare")
README = Path("README.md")


def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Comparison file, see training/comparisons/.")],
    data_root: DataRoot = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=1024, help="Trainings at a time.")] = 1,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="TEXT", help="Train only where NETWORK/METHOD holds this; may be repeated."),
    ] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="E.g. 1,2,3. (else the file's)")] = None,
    table_only: Annotated[
        bool, typer.Option("--table-only", help="Train nothing: table and plot from the results that there are.")
    ] = False,
    readme: Annotated[
        Path, typer.Option("--readme", help="File that holds the table.", rich_help_panel=GENERAL)
    ] = README,
    runs: Runs = RUNS,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compare training methods: train what is not done yet, then write results, table and plot.

    Interrupted, the same command goes on. Finished trainings stay in the results file and are not repeated.
    """
    from xnorflow.flow import compare as comparison

    options = comparison.CompareOptions(data_root, jobs, tuple(only or ()), seeds, table_only, readme, runs)
    comparison.compare(file, options, quiet=quiet)
