"""Plots of the report as SVG text: the same bytes for the same numbers, colors that suit light and dark pages."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["accuracy_curve", "grouped_bars", "share_bar"]

INK = "#010203"
"""Stands for the page's own text color, put in when the figure is done."""
COLORS = ("#4c8bf5", "#f2994a", "#27ae60", "#9b51e0", "#eb5757", "#2dbdb6", "#8d8d99", "#c9a227")
WIDTH_INCHES = 7.2
LEGEND_COLUMNS = 4


def accuracy_curve(metrics: Sequence[dict[str, Any]]) -> str:
    """Draw loss and accuracies (float) over the epochs."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(2.6)
    epochs = [entry["epoch"] for entry in metrics]
    axes.plot(epochs, [100 * entry["test_accuracy_float"] for entry in metrics], color=COLORS[0], label="test, float")
    if "train_accuracy_float" in metrics[0]:
        training = [100 * entry["train_accuracy_float"] for entry in metrics]
        axes.plot(epochs, training, color=COLORS[0], alpha=0.45, linestyle="--", label="training, float")
    axes.set(xlabel="epoch", ylabel="accuracy (%)")
    loss = axes.twinx()
    loss.plot(epochs, [entry["loss"] for entry in metrics], color=COLORS[1], label="loss")
    loss.set_ylabel("loss")
    _plain(loss)
    handles = [*axes.get_lines(), *loss.get_lines()]
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, len(handles), handles=handles)
    return _svg(figure, "accuracy")


def grouped_bars(labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, name: str) -> str:
    """Draw one group of horizontal bars a label, one bar a series, each with its number.

    Args:
        labels: from top to bottom.
        series: name to one value a label.
        unit: of the axis.
        name: of the figure, unique on the page.
    """
    thickness = 0.8 / len(series)
    figure, axes = _figure(0.7 + len(labels) * (0.12 + 0.19 * len(series)))
    largest = max((value for values in series.values() for value in values), default=0) or 1
    for index, (title, values) in enumerate(series.items()):
        places = [row + (index - (len(series) - 1) / 2) * thickness for row in range(len(labels))]
        axes.barh(places, values, height=0.92 * thickness, color=COLORS[index], label=title)
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.008 * largest, place, f"{value:,.0f}", va="center", fontsize=7, color=INK)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel=unit, xlim=(0, 1.1 * largest), ylim=(len(labels) - 0.5, -0.5))
    if len(series) > 1:
        _legend(figure, len(series))
    return _svg(figure, name)


def share_bar(parts: dict[str, float], name: str) -> str:
    """Draw one bar split into the shares of ``parts``; those below 1 % are put together."""
    total = sum(parts.values()) or 1
    shown = {label: value for label, value in parts.items() if value / total >= 0.01}
    rest = total - sum(shown.values())
    if rest > 0:
        shown["others"] = rest
    figure, axes = _figure(1.0 + 0.18 * -(-len(shown) // LEGEND_COLUMNS))
    start = 0.0
    for index, (label, value) in enumerate(shown.items()):
        share = 100 * value / total
        color = COLORS[index % len(COLORS)]
        axes.barh(0, share, left=start, color=color, label=f"{label}: {value:,.0f} ({share:.0f} %)")
        start += share
    axes.set(xlim=(0, 100), xlabel="share (%)", yticks=[])
    axes.spines["left"].set_visible(False)
    _legend(figure, LEGEND_COLUMNS)
    return _svg(figure, name)


def _figure(height: float) -> tuple[Figure, Axes]:
    # Not pyplot: its figures are global and its backend may want a display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.add_subplot()
    _plain(axes)
    return figure, axes


def _legend(figure: Figure, columns: int, **options: Any) -> None:
    figure.legend(loc="outside upper left", ncols=columns, frameon=False, labelcolor=INK, fontsize=8, **options)


def _plain(axes: Axes) -> None:
    axes.patch.set_alpha(0)
    axes.tick_params(colors=INK, labelsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)
        label.set_fontsize(8)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK)


def _svg(figure: Figure, name: str) -> str:
    """Render without dates, links and global names, so that figures can stand side by side in one page."""
    import matplotlib as mpl

    buffer = io.StringIO()
    nothing: Any = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace(INK, "currentColor")
    used = set(re.findall(r"#([\w-]+)", text))
    return re.sub(r'\s+id="([^"]+)"', lambda match: match[0] if match[1] in used else "", text)
