"""Progress on the terminal: bars where somebody watches, one line per finished task where nobody does."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichBars

from xnorflow.artifact.progress import Advance

__all__ = ["RichProgress", "console_for", "print_whole"]

PLAIN_WIDTH = 120
"""Columns of a table where the output is no terminal."""
WIDEST = 400


def console_for(stream: TextIO) -> Console:
    """Make a console that writes to ``stream``, of a fixed width where that is no terminal."""
    # In a notebook, rich would pass the stream by and give each line a paragraph of its own; and, since color is asked
    # for there, take it for a terminal.
    watched = stream.isatty()
    return Console(
        file=stream, width=None if watched else PLAIN_WIDTH, highlight=False, force_jupyter=False,
        force_interactive=None if watched else False,
    )  # fmt: skip


def print_whole(what: RenderableType) -> None:
    """Print to standard output at full width: lines may wrap on a narrow terminal, but no number is cut off."""
    console = console_for(sys.stdout)
    needed = Measurement.get(console, console.options.update(max_width=WIDEST), what).maximum
    console.width = max(needed, console.width)
    console.print(what)


class RichProgress:
    """Shows the tasks of stages; implements :class:`xnorflow.artifact.progress.Progress`.

    On a terminal each open task is a spinner, a bar (where its total is known), the elapsed time and the latest note.
    Elsewhere nothing is shown while a task runs. A finished outermost task leaves one line: seconds, last note.

    Args:
        console: where to draw.
        quiet: show nothing at all.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console = console
        self._quiet = quiet
        self._depth = 0
        self._live = console.is_terminal and console.is_interactive and not quiet
        self._bars = RichBars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            disable=not self._live,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @contextlib.contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Advance]:
        """Open a task of ``total`` steps (None: unknown) that ends with the context."""
        started = time.monotonic()
        last_note = ""
        row = self._bars.add_task(label, total=total, note="")
        self._enter()

        def advance(steps: int, note: str) -> None:
            nonlocal last_note
            last_note = note or last_note
            self._bars.update(row, advance=steps, note=last_note)

        try:
            yield advance
        except BaseException:
            self._leave(row)
            raise
        self._leave(row)
        if self._depth == 0:
            self.line(label, last_note, time.monotonic() - started)

    def line(self, label: str, note: str, seconds: float | None = None) -> None:
        """Print the line of a finished task."""
        took = "" if seconds is None else f"{seconds:.1f} s"
        self.say(f"  {escape(label):<12} {took:>8}  [dim]{escape(note)}[/]")

    def say(self, text: str) -> None:
        """Print one line above the bars, in rich's markup."""
        if not self._quiet:
            self.console.print(text.rstrip(), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """Print a table or the like."""
        if not self._quiet:
            self.console.print(what)

    def _enter(self) -> None:
        if self._depth == 0 and self._live:
            self._bars.start()
        self._depth += 1

    def _leave(self, row: int) -> None:
        self._bars.remove_task(row)  # type: ignore[arg-type]  # TaskID is an int
        self._depth -= 1
        if self._depth == 0 and self._live:
            self._bars.stop()
