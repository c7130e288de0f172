"""Figures as SVG text: the same bytes for the same numbers, colors that suit light and dark pages."""

from __future__ import annotations

import io
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLORS", "FONT_POINTS", "INK", "WIDTH_INCHES", "Size", "Svg", "add_legend", "new_figure", "plain", "to_svg"]

INK = "#010203"
"""Stands for the page's own text color, put in when the figure is done."""
COLORS = ("#4c8bf5", "#f2994a", "#27ae60", "#9b51e0", "#eb5757", "#2dbdb6", "#8d8d99", "#c9a227")
WIDTH_INCHES = 7.2
FONT_POINTS = 9.5
"""At both sizes at least 12 pixels where a page shows a figure of that size."""


class Size(Enum):
    """Widths of a figure in inches; a page shows the one that its window has room for."""

    WIDE = WIDTH_INCHES
    NARROW = 3.2

    @property
    def legend_columns(self) -> int:
        """Entries of a legend that have room beside each other."""
        return 3 if self is Size.WIDE else 1


class Svg(str):
    """The text of a picture. JupyterLab draws it where a cell ends in one; a page takes it as it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<div>{self}</div>"


def new_figure(height: float, width: float = WIDTH_INCHES) -> tuple[Figure, Axes]:
    """Return a figure of so many inches with one pair of axes."""
    # Not pyplot: its figures are global and its backend may want a display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    plain(axes)
    return figure, axes


def add_legend(figure: Figure, columns: int, **options: Any) -> None:
    """Put the legend above the axes."""
    figure.legend(
        loc="outside upper left", ncols=columns, frameon=False, labelcolor=INK, fontsize=FONT_POINTS, **options
    )


def plain(axes: Axes) -> None:
    """Give axes the page's color, two spines and small labels."""
    axes.patch.set_alpha(0)
    axes.tick_params(which="both", colors=INK, labelsize=FONT_POINTS)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(INK)
        label.set_fontsize(FONT_POINTS)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK)


def to_svg(figure: Figure, name: str, size: Size | None = None) -> Svg:
    """Render without dates, links and global names, so that figures can stand side by side in one page.

    Args:
        figure: what to draw.
        name: unique on the page.
        size: where a page holds the figure at several, the one of this; it becomes the picture's class.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    salt = name if size is None else f"{name}, {size.name}"
    nothing: Any = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace(INK, "currentColor")
    if size is not None:
        text = text.replace("<svg ", f'<svg class="{size.name.lower()}" ', 1)
    used = set(re.findall(r"#([\w-]+)", text))
    return Svg(re.sub(r'\s+id="([^"]+)"', lambda match: match[0] if match[1] in used else "", text))
