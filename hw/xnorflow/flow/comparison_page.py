"""``xnorflow report RUN RUN...``: one table in the terminal, one self-contained page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.files import write_text
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import RichProgress, console_for
from xnorflow.flow.report import at_both_sizes, fill_template
from xnorflow.flow.results import Results, load_results
from xnorflow.flow.run_comparison import Cell, Line, comparison_lines, comparison_notes

__all__ = ["compare_runs", "render_comparison"]

PAGE = "comparison.html"
MOST_BARS = 60
"""More bars than these in one figure are more than anybody reads."""


def compare_runs(directories: Sequence[Path], output: Path | None, *, quiet: bool) -> None:
    """Print the table of several runs or builds, and write the page.

    Args:
        directories: of the runs, at least two.
        output: the page; None: ``comparison.html`` in the current folder.
        quiet: print nothing.

    Raises:
        UserError: a folder is no run, a run is given twice, a report file is damaged, the page cannot be written.
    """
    found = [Folders.find(directory) for directory in directories]
    for place, folders in enumerate(found):
        if any(folders.build.resolve() == other.build.resolve() for other in found[:place]):
            raise ConfigError(f"run {directories[place]}", "given twice", "each run once", "leave it out once")
    runs, names = [load_results(folders) for folders in found], _names(found)
    page = output or Path(PAGE)
    write_text(page, render_comparison(runs, names))
    progress = RichProgress(console_for(sys.stdout), quiet=quiet)
    progress.show(_table(comparison_lines(runs), names))
    for note in comparison_notes(runs, names):
        progress.say(f"[yellow]{escape(note)}[/]")
    progress.say(f"{page}")


def render_comparison(runs: Sequence[Results], names: Sequence[str]) -> str:
    """Return the page; equal results give equal text."""
    lines = comparison_lines(runs)
    return fill_template(
        "comparison.html.j2", names=names, lines=lines, notes=comparison_notes(runs, names), paths=_luts(lines)[1],
        figures={**_scatters(runs, lines, names), **_bars(runs, names)},
    )  # fmt: skip


def _names(found: Sequence[Folders]) -> list[str]:
    """Return the names of the folders, with as many of those above as tell them apart."""
    paths = [folders.root.resolve().parts for folders in found]
    depth = 1
    while len({path[-depth:] for path in paths}) < len(paths):
        depth += 1
    return ["/".join(path[-depth:]) for path in paths]


def _luts(lines: Sequence[Line]) -> tuple[tuple[Cell | None, ...], str]:
    """Return the LUTs of the runs and their path: mapped where two runs or more have that, else estimated."""
    by_name = {line.quantity: line.cells for line in lines}
    for name, path in (("LUT", "mapped by yosys, not placed"), ("LUT, estimate", "estimate by formula")):
        cells = by_name.get(name, ())
        if sum(cell is not None for cell in cells) > 1:
            return cells, path
    return (), ""


def _scatters(runs: Sequence[Results], lines: Sequence[Line], names: Sequence[str]) -> dict[str, str]:
    from xnorflow.flow.comparison_figures import Point, scatter

    by_name = {line.quantity: line.cells for line in lines}
    luts, path = _luts(lines)
    wanted = [("speed", "frames/s, assumed clock", "frames/s", 1.0)]
    if len({run.training["dataset"] for run in runs if "dataset" in run.training}) < 2:
        wanted.append(("accuracy", "accuracy", "accuracy (%)", 100.0))
    figures = {}
    for name, quantity, label, scale in wanted:
        cells = zip(names, luts, by_name.get(quantity, ()), strict=False)
        points = [
            Point(run, cost.number, scale * gain.number)
            for run, cost, gain in cells
            if cost and gain and cost.number is not None and gain.number is not None
        ]
        if len(points) > 1:
            figures[name] = at_both_sizes(partial(scatter, points, f"LUT, {path}", label, name))
    return figures


def _bars(runs: Sequence[Results], names: Sequence[str]) -> dict[str, str]:
    from xnorflow.flow.comparison_figures import stacked_bars
    from xnorflow.flow.figures import grouped_bars

    figures = {}
    functions = {
        name: {function: float(used["LUT"]) for function, used in run.functions.items()}
        for name, run in zip(names, runs, strict=True)
        if run.functions
    }
    if len(functions) > 1:
        figures["functions"] = at_both_sizes(lambda size: stacked_bars(functions, "LUT", "functions", size))
    built = {name: run for name, run in zip(names, runs, strict=True) if run.layers}
    layers = next(iter(built.values())).layers if built else []
    if any(run.layers != layers for run in built.values()) or len(layers) * len(built) > MOST_BARS:
        return figures
    luts = {
        name: [float(run.synthesis["layers"].get(layer, {}).get("LUT", 0)) for layer in layers]
        for name, run in built.items()
        if run.synthesis.get("layers")
    }
    if len(luts) > 1:
        figures["layers"] = at_both_sizes(lambda size: grouped_bars(layers, luts, "LUT", "layers", size))
    cycles = {
        name: [float(run.cycles.get(layer) or 0) for layer in layers] for name, run in built.items() if run.cycles
    }
    if len(cycles) > 1:
        figures["cycles"] = at_both_sizes(lambda size: grouped_bars(layers, cycles, "cycles a frame", "cycles", size))
    return figures


def _table(lines: Sequence[Line], names: Sequence[str]) -> Table:
    table = Table("quantity", *(escape(name) for name in names), box=SIMPLE_HEAD)
    previous = ""
    for line in lines:
        if previous and line.group != previous:
            table.add_section()
        previous = line.group
        values = (_text(cell, place in line.best, line.path) for place, cell in enumerate(line.cells))
        table.add_row(_with_path(escape(line.quantity), line.path), *values)
    return table


def _text(cell: Cell | None, best: bool, common: str) -> str:
    if cell is None:
        return "[dim]-[/]"
    value = escape(cell.value)
    color = "bold" if best else {True: "green", False: "bold red", None: ""}[cell.good]
    value = f"[{color}]{value}{' ★' if best else ''}[/]" if color else value
    return value if common else _with_path(value, cell.path)


def _with_path(text: str, path: str) -> str:
    return f"{text}\n[dim]{escape(path)}[/]" if path else text
