"""What ``xnorflow bench`` does: list the rows, or measure them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from xnorflow.bench.registry import find_rows
from xnorflow.bench.results import load_results
from xnorflow.bench.run import BenchFiles, check_files, run_bench
from xnorflow.bench.table import NOT_MEASURED, format_value
from xnorflow.flow.progress import print_whole
from xnorflow.flow.session import working_in

__all__ = ["BenchOptions", "measure_rows", "show_rows"]


@dataclass(frozen=True)
class BenchOptions:
    """Options of the command.

    Args:
        only: patterns of row ids; empty: all.
        table_only: measure nothing.
        jobs: syntheses at a time.
        output: JSON file of the results.
        readme: file that holds the table.
        work: folder to build in.
    """

    only: tuple[str, ...]
    table_only: bool
    jobs: int
    output: Path
    readme: Path
    work: Path


def show_rows(options: BenchOptions) -> None:
    """Print the rows with their goals and results.

    Raises:
        ConfigError: a pattern matches no row, or the results are damaged.
    """
    rows, results = find_rows(options.only), load_results(options.output)
    table = Table("row", "what", "peer", "goal", "reached", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        entry = results.get(row.id)
        reached = f"{format_value(entry.value)} {entry.unit}, {entry.date}" if entry else NOT_MEASURED
        table.add_row(row.id, row.what, row.peer.text, row.goal.text, reached)
    print_whole(table)


def measure_rows(options: BenchOptions, *, quiet: bool) -> None:
    """Measure, write the results and the table.

    Raises:
        ConfigError: a pattern matches no row, the results are damaged, the table has no place.
        OutputError: a file or the folder cannot be written.
        UserError: a row's own; results of rows before it are kept.
    """
    rows = () if options.table_only else find_rows(options.only)
    files = BenchFiles(options.output, options.readme, options.work)
    check_files(files)
    with working_in(options.work, quiet=quiet) as session:
        run_bench(rows, files, session.progress, options.jobs, session.progress.line)
        session.progress.say(f"{options.output} -> table in {options.readme}")
