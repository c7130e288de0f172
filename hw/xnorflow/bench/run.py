"""Measure rows one after the other, keep each result as soon as there is one, and write the table."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import ConfigError, OutputError
from xnorflow.artifact.files import make_folder, write_text
from xnorflow.artifact.progress import Progress
from xnorflow.bench.registry import ROWS
from xnorflow.bench.results import Entry, load_results, make_entry, save_results
from xnorflow.bench.row import Bench, Row
from xnorflow.bench.table import bench_table, format_value, replace_table

__all__ = ["BenchFiles", "check_files", "run_bench"]


@dataclass(frozen=True)
class BenchFiles:
    """What the benchmark writes.

    Args:
        output: JSON file of the results.
        readme: file that holds the table.
        work: folder for what is built meanwhile; emptied row by row.
    """

    output: Path
    readme: Path
    work: Path


def check_files(files: BenchFiles) -> dict[str, Entry]:
    """Find out what cannot be read or written before anything long runs; return the earlier results.

    Raises:
        ConfigError: the results are damaged, or the table has no place.
        OutputError: a file cannot be written.
    """
    results = load_results(files.output)
    replace_table(_read(files.readme), "", files.readme)
    for path in (files.output, files.readme):
        make_folder(path.parent)
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            what = "is a folder" if path.is_dir() else "its folder cannot be written"
            raise OutputError(f"file {path}", what, "a file you may write to", "choose another")
    return results


def run_bench(
    rows: Sequence[Row], files: BenchFiles, progress: Progress, jobs: int = 2,
    tell: Callable[[str, str, float], None] = lambda name, note, seconds: None, all_rows: tuple[Row, ...] = ROWS,
) -> dict[str, Entry]:  # fmt: skip
    """Measure ``rows``, those of them that can be, and bring the results file and the table up to date.

    Args:
        rows: what to measure.
        files: where to.
        progress: told of every row.
        jobs: yosys processes at a time.
        tell: called with the row's id, what came out and the seconds that it took.
        all_rows: what the table shows.

    Returns:
        All results, earlier ones of other rows included.

    Raises:
        ConfigError: as :func:`check_files`; none of the rows can be measured.
        UserError: a row's own; results of earlier rows are kept.
    """
    results = check_files(files)
    order = tuple(row.id for row in all_rows)
    able = [row for row in rows if row.measure is not None]
    if rows and not able:
        names = ", ".join(row.id for row in all_rows if row.measure is not None)
        raise ConfigError("option --only", "only rows that nothing measures yet", names, "take one of these")
    shared: dict[str, dict[str, Any]] = {}
    with progress.task("bench", len(able)) if able else contextlib.nullcontext(lambda steps, note: None) as advance:
        for row in able:
            entry = _measure(row, files.work, progress, jobs, shared)
            results[row.id] = entry
            save_results(files.output, results, order)
            _write_table(files.readme, all_rows, results)
            note = f"{format_value(entry.value)} {entry.unit}"
            tell(row.id, note, entry.seconds)
            advance(1, f"{row.id}: {note}")
    _write_table(files.readme, all_rows, results)
    return results


def _measure(row: Row, work: Path, progress: Progress, jobs: int, shared: dict[str, dict[str, Any]]) -> Entry:
    assert row.measure is not None
    make_folder(work)
    folder = Path(tempfile.mkdtemp(prefix=f"{row.id}.", dir=work))
    try:
        start = time.perf_counter()
        measured = row.measure(Bench(folder, progress, jobs, shared))
        return make_entry(row, measured, time.perf_counter() - start, os.cpu_count() or 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_table(readme: Path, rows: tuple[Row, ...], results: dict[str, Entry]) -> None:
    """Write the table into the text as it is now, for somebody may have edited it meanwhile."""
    text = _read(readme)
    changed = replace_table(text, bench_table(rows, results), readme)
    if changed != text:
        write_text(readme, changed)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as reason:
        raise ConfigError(
            f"file {path}", "no such file", "a text file with the table's markers", "give --readme"
        ) from (reason)
    except (OSError, UnicodeDecodeError) as reason:
        raise OutputError(f"file {path}", f"unreadable: {reason}", "a text file", "give --readme") from reason
