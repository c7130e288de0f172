"""Waveforms: signals over clock cycles, as an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from xnorflow.render.svg import COLORS, INK, WIDTH_INCHES, Svg, new_figure, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Wave", "draw_waves"]

ROW_INCHES = 0.27
HIGH = 0.62
"""Of a row's height."""
SLOPE = 0.12
"""Cycles that the slanted end of a word takes."""
DIGITS_AN_INCH = 20.0
"""Hexadecimal digits of the size in which words are written."""


@dataclass(frozen=True)
class Wave:
    """A signal.

    Args:
        name: as drawn.
        values: of each cycle, from cycle 0 on; what a clocked reader sees at the cycle's end.
        bits: width; 1 is drawn as a line, more as words in hexadecimal.
        defined: for each cycle whether the value means anything; None: always.
    """

    name: str
    values: Sequence[int]
    bits: int = 1
    defined: Sequence[bool] | None = None


def draw_waves(waves: Sequence[Wave], start: int, stop: int, *, name: str, title: str = "") -> Svg:
    """Draw signals and their clock, the first one on top.

    Args:
        waves: at least one, of at least ``stop`` cycles.
        start: first cycle that is drawn.
        stop: the cycle behind the last one.
        name: of the figure, unique on the page.
        title: above it; says where the signals come from.

    Raises:
        ValueError: the cycles are not there.
    """
    if not 0 <= start < stop or any(len(wave.values) < stop for wave in waves):
        raise ValueError(f"cycles {start} to {stop}: expected some within those of all signals")
    figure, axes = new_figure(0.55 + ROW_INCHES * (len(waves) + 1))
    digits = DIGITS_AN_INCH * 0.8 * WIDTH_INCHES / (stop - start)
    _line(axes, [bit for _ in range(start, stop) for bit in (1, 0)], start, 0.5, 0)
    for row, wave in enumerate(waves, start=1):
        if wave.bits == 1:
            _line(axes, [int(value) for value in wave.values[start:stop]], start, 1.0, row)
        else:
            for begin, end, value in _words(wave, start, stop):
                _word(axes, begin, end, row, value, int(digits * (end - begin - SLOPE)), wave.bits)
    axes.set_yticks([row - HIGH / 2 for row in range(len(waves) + 1)], ["clock", *(wave.name for wave in waves)])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.5)
    axes.set(xlim=(start, stop), ylim=(len(waves) + 0.2, -HIGH - 0.3), xlabel="cycle after reset")
    axes.set_title(title, loc="left", fontsize=8, color=INK)
    return to_svg(figure, name)


def _line(axes: Axes, bits: Sequence[int], start: int, step: float, row: int) -> None:
    edges = [start + step * place for place in range(len(bits) + 1)]
    heights = [row - HIGH * bit for bit in bits]
    axes.step(edges, [*heights, heights[-1]], where="post", color=COLORS[0 if row else 6], linewidth=1)


def _words(wave: Wave, start: int, stop: int) -> Iterator[tuple[int, int, int | None]]:
    """Yield first cycle, the cycle behind the last one, and the value, None where it means nothing."""

    def value(cycle: int) -> int | None:
        return int(wave.values[cycle]) if wave.defined is None or wave.defined[cycle] else None

    for found, cycles in groupby(range(start, stop), value):
        several = list(cycles)
        yield several[0], several[-1] + 1, found


def _word(axes: Axes, begin: int, end: int, row: int, value: int | None, digits: int, bits: int) -> None:
    if value is None:
        axes.plot([begin, end], [row - HIGH / 2] * 2, color=COLORS[6], linewidth=1, alpha=0.6)
        return
    outline = [
        (begin, row - HIGH / 2), (begin + SLOPE, row - HIGH), (end - SLOPE, row - HIGH), (end, row - HIGH / 2),
        (end - SLOPE, row), (begin + SLOPE, row),
    ]  # fmt: skip
    axes.fill(*zip(*outline, strict=True), facecolor=COLORS[2], edgecolor=COLORS[2], alpha=0.25, linewidth=0)
    axes.plot(*zip(*outline, outline[0], strict=True), color=COLORS[2], linewidth=0.8)
    text = f"{value:0{-(-bits // 4)}x}"
    if len(text) > digits:  # the low end, where the first elements travel
        text = "…" + text[len(text) - digits + 1 :] if digits > 2 else ""
    axes.text((begin + end) / 2, row - HIGH / 2, text, ha="center", va="center_baseline", fontsize=5.5, color=INK)
