"""Pictures, curves and clouds of points, drawn like the figures of the report; for notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xnorflow.render.svg import COLORS, INK, WIDTH_INCHES, Svg, add_legend, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Points", "pareto_plot", "picture_grid", "stacked_bars", "xy_plot"]

Points = Sequence[tuple[float, float]]
GAP = 0.12
"""Between pictures, as a share of their width."""
TITLE = 0.3
"""Room for a picture's title, likewise."""


def picture_grid(
    images: npt.NDArray[Any], titles: Sequence[str] = (), *, name: str, title: str = "", columns: int = 12,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Svg:  # fmt: skip
    """Draw small images side by side, row by row, each with its title below.

    Args:
        images: numbers (images, height, width) or (images, 1, height, width), at least one.
        titles: one an image, or none.
        name: of the figure, unique on the page.
        title: above all of them.
        columns: images in a row.
        limits: numbers that are drawn black and white.
    """
    images = images.reshape(len(images), *images.shape[-2:])
    step = 1 + GAP, 1 + GAP + (TITLE if titles else 0)
    rows = -(-len(images) // columns)
    figure, axes = new_figure(WIDTH_INCHES / (columns * step[0]) * rows * step[1] + (0.2 if title else 0))
    axes.axis("off")
    axes.set_title(title, loc="left", fontsize=8, color=INK)
    for number, image in enumerate(images):
        left, top = number % columns * step[0], -(number // columns) * step[1]
        axes.imshow(
            image, cmap="gray", vmin=limits[0], vmax=limits[1], extent=(left, left + 1, top - 1, top),
            interpolation="none",
        )  # fmt: skip
        if titles:
            axes.text(left + 0.5, top - 1 - TITLE / 2, titles[number], ha="center", va="center", fontsize=7, color=INK)
    axes.set(xlim=(-GAP, columns * step[0]), ylim=(-rows * step[1], GAP))
    return to_svg(figure, name)


def xy_plot(lines: Mapping[str, Points], points: Mapping[str, Points], *, xlabel: str, ylabel: str, name: str) -> Svg:
    """Draw lines, and points of their own, each with a label that says where it comes from.

    Args:
        lines: label to (x, y) in the order of x.
        points: label to (x, y); drawn as circles, in the lines' colors one after the other.
        xlabel: what x is, and its unit.
        ylabel: likewise.
        name: of the figure, unique on the page.
    """
    figure, axes = new_figure(2.8)
    for number, (label, values) in enumerate(lines.items()):
        axes.plot(*zip(*values, strict=True), color=COLORS[number], label=label)
    for number, (label, values) in enumerate(points.items()):
        axes.plot(
            *zip(*values, strict=True), color=COLORS[number], label=label, marker="o", linestyle="", fillstyle="none"
        )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=0)
    add_legend(figure, 2)
    return to_svg(figure, name)


def stacked_bars(labels: Sequence[str], series: Mapping[str, Sequence[float]], *, unit: str, name: str) -> Svg:
    """Draw one horizontal bar a label, made of one part a series.

    Args:
        labels: from top to bottom.
        series: name to one value a label, none negative.
        unit: of the axis.
        name: of the figure, unique on the page.
    """
    figure, axes = new_figure(0.8 + 0.22 * len(labels))
    starts = np.zeros(len(labels))
    for (title, values), color in zip(series.items(), COLORS, strict=False):
        axes.barh(range(len(labels)), values, left=starts, height=0.7, color=color, label=title)
        starts = starts + np.asarray(values)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel=unit, xlim=(0, float(starts.max(initial=0)) or 1), ylim=(len(labels) - 0.5, -0.5))
    add_legend(figure, len(series))
    return to_svg(figure, name)


def pareto_plot(
    cloud: Points, front: Mapping[str, tuple[float, float]], checks: Mapping[str, Points], *, xlabel: str,
    ylabel: str, name: str, cloud_label: str = "foldings, estimate", front_label: str = "Pareto front, estimate",
) -> Svg:  # fmt: skip
    """Draw what designs cost against what they bring, both on logarithmic axes.

    Args:
        cloud: (cost, gain) of any designs, all above 0.
        front: short note to (cost, gain) of the designs that no other one beats in both.
        checks: label to (cost, gain) found in another way.
        xlabel: what the cost is, and its unit.
        ylabel: what the gain is, and its unit.
        name: of the figure, unique on the page.
        cloud_label: where the cloud comes from.
        front_label: where the front comes from.
    """
    figure, axes = new_figure(4.0)
    if cloud:
        x, y = zip(*cloud, strict=True)
        axes.scatter(x, y, s=3, color=COLORS[6], alpha=0.35, linewidths=0, label=cloud_label)
    ordered = sorted(front.items(), key=lambda entry: entry[1])
    x, y = zip(*(place for _, place in ordered), strict=True)
    axes.step(x, y, where="post", color=COLORS[0], linewidth=1)
    axes.scatter(x, y, s=18, color=COLORS[0], zorder=3, label=front_label)
    for note, place in ordered:
        axes.annotate(
            note, place, (-3, 4), textcoords="offset points", fontsize=6, color=INK, ha="right", annotation_clip=False
        )
    for (label, values), color, marker in zip(checks.items(), COLORS[1:], "sD^vP", strict=False):
        x, y = zip(*values, strict=True)
        axes.scatter(
            x, y, s=42, marker=marker, facecolors="none", edgecolors=color, linewidths=1.5,
            zorder=4, label=label,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    _whole_numbers(axes)
    add_legend(figure, 2)
    return to_svg(figure, name)


def _whole_numbers(axes: Axes) -> None:
    """Write the numbers of logarithmic axes out, as many of them as there is room for."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        parts = (1.0, 2.0, 5.0) if math.log10(high / low) < 2.5 else (1.0,)
        axis.set_major_locator(LogLocator(subs=parts))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:,.0f}"))
