"""Plots of the report as SVG text: the same bytes for the same numbers, colors that suit light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xnorflow.render.svg import COLORS, FONT_POINTS, INK, Size, Svg, add_legend, new_figure, plain, to_svg

__all__ = ["accuracy_curve", "grouped_bars", "share_bar"]


def accuracy_curve(metrics: Sequence[dict[str, Any]], size: Size = Size.WIDE) -> Svg:
    """Draw accuracies (float) over the epochs of each stage, and the loss where there is one stage only.

    Losses of stages are sums of different terms, which do not compare.

    Args:
        metrics: lines of metrics.jsonl, at least one.
        size: of the figure.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure(2.6, size.value)
    stages = list(dict.fromkeys(entry.get("stage", "") for entry in metrics))
    for number, stage in enumerate(stages):
        lines = [entry for entry in metrics if entry.get("stage", "") == stage]
        epochs, color = [entry["epoch"] for entry in lines], COLORS[2 * number % len(COLORS)]
        label = f"{stage}: " if len(stages) > 1 else ""
        axes.plot(epochs, [100 * entry["test_accuracy_float"] for entry in lines], color=color,
                  label=f"{label}test, float")  # fmt: skip
        if "train_accuracy_float" in lines[0]:
            training = [100 * entry["train_accuracy_float"] for entry in lines]
            axes.plot(epochs, training, color=color, alpha=0.45, linestyle="--", label=f"{label}training, float")
    axes.set(xlabel="epoch", ylabel="accuracy (%)")
    handles = axes.get_lines()[:]
    if len(stages) == 1:
        loss = axes.twinx()
        loss.plot([entry["epoch"] for entry in metrics], [entry["loss"] for entry in metrics], color=COLORS[1],
                  label="loss")  # fmt: skip
        loss.set_ylabel("loss")
        plain(loss)
        handles += loss.get_lines()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_legend(figure, min(len(handles), size.legend_columns), handles=handles)
    return to_svg(figure, "accuracy", size)


def grouped_bars(
    labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str, name: str, size: Size = Size.WIDE
) -> Svg:
    """Draw one group of horizontal bars a label, one bar a series, each with its number.

    Args:
        labels: from top to bottom.
        series: name to one value a label.
        unit: of the axis.
        name: of the figure, unique on the page.
        size: of the figure.
    """
    thickness = 0.8 / len(series)
    figure, axes = new_figure(0.7 + len(labels) * (0.12 + 0.19 * len(series)), size.value)
    largest = max((value for values in series.values() for value in values), default=0) or 1
    for index, (title, values) in enumerate(series.items()):
        places = [row + (index - (len(series) - 1) / 2) * thickness for row in range(len(labels))]
        axes.barh(places, values, height=0.92 * thickness, color=COLORS[index], label=title)
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.008 * largest, place, f"{value:,.0f}", va="center", fontsize=FONT_POINTS, color=INK)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel=unit, xlim=(0, (1.12 if size is Size.WIDE else 1.35) * largest), ylim=(len(labels) - 0.5, -0.5))
    if len(series) > 1:
        add_legend(figure, size.legend_columns)
    return to_svg(figure, name, size)


def share_bar(parts: dict[str, float], name: str, size: Size = Size.WIDE) -> Svg:
    """Draw one bar split into the shares of ``parts``; those below 1 % are put together."""
    total = sum(parts.values()) or 1
    shown = {label: value for label, value in parts.items() if value / total >= 0.01}
    rest = total - sum(shown.values())
    if rest > 0:
        shown["others"] = rest
    figure, axes = new_figure(1.0 + 0.18 * -(-len(shown) // size.legend_columns), size.value)
    start = 0.0
    for index, (label, value) in enumerate(shown.items()):
        share = 100 * value / total
        color = COLORS[index % len(COLORS)]
        axes.barh(0, share, left=start, color=color, label=f"{label}: {value:,.0f} ({share:.0f} %)")
        start += share
    axes.set(xlim=(0, 100), xlabel="share (%)", yticks=[])
    axes.spines["left"].set_visible(False)
    add_legend(figure, size.legend_columns)
    return to_svg(figure, name, size)
