"""The table in which a command shows what it found: quantity, value, and where the value is from."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

__all__ = ["Row", "figure_table"]

Row = tuple[str, str, str]


def figure_table(title: str, rows: Iterable[Row]) -> Table:
    """Return the table of so many rows; long values are folded."""
    values = Column("value", overflow="fold")
    table = Table("quantity", values, "path", box=SIMPLE_HEAD, title=escape(title), title_justify="left")
    for quantity, value, path in rows:
        table.add_row(quantity, escape(value), f"[dim]{escape(path)}[/]")
    return table
