"""The plot of a comparison as SVG: every seed, and means with their errors; the same bytes for the same numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from xnorflow.train.compare.cells import Cell, Cells
from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.statistics import BOUND

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["comparison_plot"]

DOT, MEAN, OTHER, LINE = "#4c8bf5", "#1b1f24", "#8d8d99", "#b8bec6"
WIDTH_INCHES, LEAST_WIDTH, PANEL_INCHES = 1.8, 6.5, 2.9
ROW_INCHES = 0.36


def comparison_plot(comparison: ComparisonSettings, cells: Cells) -> str:
    """Draw a panel for each network: methods from top to bottom, accuracy (float) to the right.

    Dots are seeds; a bar is the mean with two standard errors of it to each side; the vertical line is the baseline's
    mean. Stale results are gray.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure  # not pyplot: its figures are global and its backend may want a display

    count, rows = len(comparison.networks), len(comparison.methods)
    width = max(LEAST_WIDTH, WIDTH_INCHES + PANEL_INCHES * count)
    figure = Figure(figsize=(width, 1.1 + ROW_INCHES * rows), layout="constrained")
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for network, axes in zip(comparison.networks, panels, strict=True):
        _draw(axes, comparison, cells, network.name)
    panels[0].set_yticks(range(rows), [method.title for method in comparison.methods])
    panels[0].set_ylim(rows - 0.5, -0.5)
    figure.suptitle(comparison.title, fontsize=10)
    figure.supxlabel("accuracy (%), float; dots: seeds, bars: mean ± 2 standard errors, line: baseline", fontsize=8)
    buffer = io.StringIO()
    nothing: Any = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": comparison.name, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", facecolor="white", metadata=nothing)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _draw(axes: Axes, comparison: ComparisonSettings, cells: Cells, network: str) -> None:
    axes.set_title(network, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6e8eb", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    baseline = cells.get((network, comparison.baseline))
    if baseline is not None and baseline.records:
        axes.axvline(baseline.accuracy.mean, color=LINE, linewidth=1, zorder=1)
    for row, method in enumerate(comparison.methods):
        cell = cells.get((network, method.name))
        if cell is not None and cell.records:
            _draw_cell(axes, row, cell)


def _draw_cell(axes: Axes, row: int, cell: Cell) -> None:
    sample = cell.accuracy
    offsets = [row + 0.3 * (index + 0.5 - sample.count / 2) / sample.count for index in range(sample.count)]
    axes.scatter(sample.values, offsets, s=14, color=OTHER if cell.stale else DOT, alpha=0.75, linewidths=0, zorder=3)
    if sample.error is not None:
        color = OTHER if cell.stale else MEAN
        axes.errorbar(
            [sample.mean], [row], xerr=[BOUND * sample.error], fmt="|", color=color, markersize=9, capsize=3,
            elinewidth=1.2, zorder=2,
        )  # fmt: skip
