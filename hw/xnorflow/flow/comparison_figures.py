"""Plots of several runs side by side, as SVG text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xnorflow.render.svg import COLORS, INK, Size, add_legend, new_figure, to_svg

__all__ = ["Point", "pareto_front", "scatter", "stacked_bars"]

MARKERS = "osD^vPX*"
WIDE_RANGE = 20.0
"""From this ratio of the largest to the smallest on, an axis is logarithmic."""


@dataclass(frozen=True)
class Point:
    """A run in a plot: what it costs against what it gives."""

    name: str
    cost: float
    gain: float


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one beats, by rising cost: none gives more for as much, or as much for less."""
    front: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.gain)):
        if not front or point.gain > front[-1].gain:
            front.append(point)
    return front


def scatter(points: Sequence[Point], cost: str, gain: str, name: str, size: Size) -> str:
    """Draw runs as points, and the Pareto front as a line through those that no other run beats.

    Args:
        points: of the runs; colors go by their place, names may repeat in other figures.
        cost: label of the horizontal axis.
        gain: label of the vertical axis.
        name: of the figure, unique on the page.
        size: of the figure.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    figure, axes = new_figure(3.4 if size is Size.WIDE else 2.8, size.value)
    front = pareto_front(points)
    if len(front) > 1:
        label = "Pareto front"
        axes.step([one.cost for one in front], [one.gain for one in front], where="post", color=INK, alpha=0.5,
                  linewidth=1, linestyle="--", label=label, zorder=1)  # fmt: skip
    for place, point in enumerate(points):
        color, marker = COLORS[place % len(COLORS)], MARKERS[place // len(COLORS) % len(MARKERS)]
        edge = INK if point in front else color
        axes.plot([point.cost], [point.gain], marker, color=color, markeredgecolor=edge, markersize=9, label=point.name,
                  linestyle="none", zorder=2)  # fmt: skip
    for scale, values in ((axes.set_xscale, [p.cost for p in points]), (axes.set_yscale, [p.gain for p in points])):
        if min(values) > 0 and max(values) / min(values) >= WIDE_RANGE:
            scale("log")
    if axes.get_xscale() != "log":
        axes.set_xlim(0, 1.1 * max(point.cost for point in points) or 1)
        axes.xaxis.set_major_locator(MaxNLocator(4 if size is Size.NARROW else 8))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}" if value < 100 else f"{value:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set(xlabel=cost, ylabel=gain)
    axes.margins(y=0.15)
    add_legend(figure, size.legend_columns)
    return to_svg(figure, name, size)


def stacked_bars(rows: Mapping[str, Mapping[str, float]], unit: str, name: str, size: Size) -> str:
    """Draw one horizontal bar a run, made of its parts.

    Args:
        rows: name of the run to part to size; parts of one name have one color.
        unit: of the axis.
        name: of the figure, unique on the page.
        size: of the figure.
    """
    parts = list(dict.fromkeys(part for row in rows.values() for part in row))
    figure, axes = new_figure(0.9 + 0.38 * len(rows) + 0.18 * -(-len(parts) // size.legend_columns), size.value)
    starts = [0.0] * len(rows)
    for place, part in enumerate(parts):
        values = [row.get(part, 0.0) for row in rows.values()]
        axes.barh(range(len(rows)), values, left=starts, height=0.7, color=COLORS[place % len(COLORS)], label=part)
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlabel=unit, xlim=(0, 1.05 * max([*starts, 1])), ylim=(len(rows) - 0.5, -0.5))
    add_legend(figure, size.legend_columns)
    return to_svg(figure, name, size)
