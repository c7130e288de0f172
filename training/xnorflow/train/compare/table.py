"""The table of a comparison in Markdown, and its place between two marks in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.compare.cells import Cell, Cells
from xnorflow.train.compare.config import ComparisonSettings, MethodEntry
from xnorflow.train.compare.notes import STALE, notes
from xnorflow.train.compare.results import Results

__all__ = ["comparison_table", "replace_table"]

END_MARK = "<!-- end comparison -->"


def comparison_table(comparison: ComparisonSettings, cells: Cells, results: Results, links: dict[str, str]) -> str:
    """Return title, table and notes.

    Args:
        comparison: rows and columns.
        cells: by network and method.
        results: for the teachers.
        links: paths of ``file`` and ``results`` as seen from where the table stands.
    """
    networks = [network.name for network in comparison.networks]
    lines = [_row(["method", "epochs", *networks, "CPU minutes a run"]), _row(["---", *["---:"] * (len(networks) + 2)])]
    for method in comparison.methods:
        row = [cells.get((network, method.name)) for network in networks]
        texts = [_text(cells, network, method, comparison.baseline) for network in networks]
        lines.append(_row([method.title, _joined(row, _epochs), *texts, _joined(row, _minutes)]))
    return "\n\n".join([f"**{comparison.title}**", "\n".join(lines), notes(comparison, cells, results, links)])


def replace_table(text: str, name: str, table: str, path: Path) -> str:
    """Return ``text`` with ``table`` between its two marks.

    Args:
        text: contents of ``path``.
        name: of the comparison.
        table: what is put in.
        path: for the message.

    Raises:
        ConfigError: a mark is not there, or there twice.
    """
    mark = f"<!-- comparison: {name} -->"
    before, found, rest = text.partition(mark)
    between, closed, after = rest.partition(END_MARK)
    if not found or not closed or "<!-- comparison:" in between or mark in after:
        what = "no" if not found else "two of" if mark in rest else "an unclosed"
        raise ConfigError(
            f"file {path}", f"{what} mark `{mark}`", f"`{mark}` and, behind it, `{END_MARK}`, a line each, once",
            "put both where the table is to stand",
        )  # fmt: skip
    return f"{before}{mark}\n\n{table}\n\n{END_MARK}{after}"


def _row(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(cells: Cells, network: str, method: MethodEntry, baseline: str) -> str:
    cell = cells.get((network, method.name))
    if cell is None:
        return "-"
    if not cell.records:
        return "not yet"
    text = _accuracy(cell)
    gap = cell.difference(cells.get((network, baseline)))
    if gap is not None:
        points = f"{gap.value:+.2f} ± {gap.error:.2f}"
        text += f"<br>**{points}**" if gap.marked else f"<br>{points}"
    return text


def _accuracy(cell: Cell) -> str:
    sample, mark = cell.accuracy, f" {STALE}" if cell.stale or cell.left_out else ""
    of = f" of {cell.planned}" if sample.count < cell.planned else ""
    if sample.deviation is None:
        return f"{sample.mean:.2f} (n = 1{of}){mark}"
    return f"{sample.mean:.2f} ± {sample.deviation:.2f} ({sample.count}{of}){mark}"


def _epochs(cell: Cell) -> str:
    return "+".join(str(stage.epochs) for stage in cell.run.settings.all_stages())


def _minutes(cell: Cell) -> str:
    if not cell.records:
        return "-"
    minutes = min(record.cpu_seconds for record in cell.records) / 60  # neighbors on the processor only ever add
    if minutes < 0.1:
        return "< 0.1"
    return f"{minutes:.1f}" if minutes < 10 else f"{minutes:.0f}"


def _joined(row: list[Cell | None], describe: Callable[[Cell], str]) -> str:
    """Describe the cells of a row, once where all are alike."""
    texts = ["-" if cell is None else describe(cell) for cell in row]
    known = {text for text, cell in zip(texts, row, strict=True) if cell is not None}
    return known.pop() if len(known) == 1 else " / ".join(texts)
