"""Command line of ``xnorflow bench``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import GENERAL, Debug, Quiet

__all__ = ["bench"]

OUTPUT = Path("benchmarks/results.json")
README = Path("README.md")
WORK = Path("runs/bench")


def bench(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATTERN", help="Measure rows of this name, e.g. 'unit_*'; may be repeated."),
    ] = None,
    list_rows: Annotated[
        bool, typer.Option("--list", help="List the rows and what they came to; measure none.")
    ] = False,
    table_only: Annotated[
        bool, typer.Option("--table-only", help="Measure nothing: write the table from the results that there are.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Syntheses at a time.")] = 2,
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON file of the results.")] = OUTPUT,
    readme: Annotated[Path, typer.Option("--readme", help="File that holds the table.")] = README,
    work: Annotated[Path, typer.Option("--work", help="Folder to build in.", rich_help_panel=GENERAL)] = WORK,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure what the README says of LUTs and speed, and write its table; rows not measured keep their results."""
    from xnorflow.flow import bench as command

    options = command.BenchOptions(tuple(only or ()), table_only, jobs, output, readme, work)
    if list_rows:
        command.show_rows(options)
    else:
        command.measure_rows(options, quiet=quiet)
