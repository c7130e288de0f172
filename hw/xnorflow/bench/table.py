"""The benchmark's table in Markdown, and its place between two markers in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.bench.results import Entry, Results
from xnorflow.bench.row import Row

__all__ = ["BEGIN", "END", "NOT_MEASURED", "bench_table", "replace_table"]

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
NOT_MEASURED = "not measured"


def bench_table(rows: Sequence[Row], results: Results) -> str:
    """Return the table: a line a row, and behind it where the peers' figures are from."""
    lines = [_line(["what", "peer", "goal", "reached", "path", "measured"]), "|---|---|---|---|---|---|"]
    sources = list(dict.fromkeys(row.peer.source for row in rows if row.peer.source))
    for row in rows:
        number = sources.index(row.peer.source) + 1 if row.peer.source else None
        entry = results.get(row.id)
        peer = row.peer.text + (f" [{number}]" if number else "")
        goal = row.goal.text.replace("<=", "≤").replace(">=", "≥")
        lines.append(_line([row.what, peer, goal, _reached(row, entry), entry.path if entry else "", _when(entry)]))
    peers = "; ".join(f"[{number}] {source}" for number, source in enumerate(sources, 1))
    return "\n".join(lines) + f"\n\nPeers: {peers}."


def replace_table(text: str, table: str, path: Path) -> str:
    """Return ``text`` with ``table`` between the markers.

    Args:
        text: contents of ``path``.
        table: what is put in.
        path: for the message.

    Raises:
        ConfigError: a marker is not there, there twice, or the end stands in front of the beginning.
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended or text.count(BEGIN) > 1 or text.count(END) > 1:
        raise ConfigError(
            f"file {path}", "has not both markers of the benchmark's table, once each and in their order",
            f"`{BEGIN}` and, behind it, `{END}`, a line each", "put both where the table is to stand",
        )  # fmt: skip
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def format_value(value: float) -> str:
    """Return a number as the table shows it: whole ones with separators, small ones with three figures."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"


def _reached(row: Row, entry: Entry | None) -> str:
    if entry is None:
        return NOT_MEASURED
    text = f"**{format_value(entry.value)}** {entry.unit}"
    if entry.plain is not None:
        text += f", plain code {format_value(entry.plain)}"
    if row.goal.is_met(entry.value):
        return f"{text}: met"
    return f"{text}: missed" + (f"; {row.reason}" if row.reason else "")


def _when(entry: Entry | None) -> str:
    if entry is None:
        return ""
    return entry.date + (f", `{entry.commit}`" if entry.commit else "")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
