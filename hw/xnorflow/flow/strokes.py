"""From strokes of a pen to the pixels that a network takes: scaled, centered and shaded as its data set is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Pen", "Strokes", "draw_strokes", "pen_for"]

FloatArray = npt.NDArray[np.float64]
Strokes = Sequence[FloatArray]
"""Each float64 (points, 2): x to the right and y down, 0 to 1 over the drawing area; at least one point."""
FINE = 8
"""Sub-pixels of a pixel in each direction."""
SMALLEST = 0.12
"""Share of the drawing area that a drawing is taken to have at least: a dot stays one."""


@dataclass(frozen=True)
class Pen:
    """How a data set shows its digits.

    Args:
        side: pixels of an image in each direction.
        box: pixels that the longer side of a digit fills.
        width: of a stroke in pixels.
        by_mass: whether the center of mass is in the middle of the image; else the middle of the box is.
    """

    side: int
    box: float
    width: float
    by_mass: bool


def pen_for(side: int) -> Pen:
    """Return how digits are shown in images of a size.

    From 16 pixels on as MNIST has it: 20 of 28 pixels, centered by mass (LeCun et al., "Gradient-based learning
    applied to document recognition", 1998). Smaller ones as scikit-learn's have it: the digit fills the image.
    """
    if side >= 16:
        return Pen(side, side * 20 / 28, side * 3.0 / 28, by_mass=True)
    return Pen(side, float(side), side * 1.35 / 8, by_mass=False)


def draw_strokes(strokes: Strokes, pen: Pen) -> npt.NDArray[np.float32]:
    """Return the image of a drawing.

    The drawing is scaled, its shape kept, so that its longer side fills the pen's box, whatever size it was drawn in.

    Args:
        strokes: at least one.
        pen: of the data set.

    Returns:
        float32 (side, side): the share of each pixel that is ink, 0 to 1.
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (pen.box - pen.width) / max(float((high - low).max()), SMALLEST)
    placed = [(stroke - (low + high) / 2) * scale + pen.side / 2 for stroke in strokes]
    if pen.by_mass:
        shift = pen.side / 2 - _center_of_mass(_ink(placed, pen))
        placed = [stroke + shift for stroke in placed]
    fine = _ink(placed, pen)
    return np.asarray(fine.reshape(pen.side, FINE, pen.side, FINE).mean(axis=(1, 3)), np.float32)


def _center_of_mass(ink: FloatArray) -> FloatArray:
    """Return x and y in pixels."""
    places = (np.arange(len(ink)) + 0.5) / FINE
    return np.asarray([ink.sum(axis=0) @ places, ink.sum(axis=1) @ places]) / float(ink.sum())


def _ink(strokes: Strokes, pen: Pen) -> FloatArray:
    """Return which sub-pixels are ink, 0 or 1: those no farther than half the pen's width from a stroke."""
    count = pen.side * FINE
    places = (np.arange(count) + 0.5) / FINE
    ink = np.zeros((count, count))
    for stroke in strokes:
        for start, end in zip(stroke, np.concatenate([stroke[1:], stroke[-1:]]), strict=True):
            reach = pen.width / 2
            first = np.searchsorted(places, np.minimum(start, end) - reach)
            last = np.searchsorted(places, np.maximum(start, end) + reach)
            x, y = places[first[0] : last[0]], places[first[1] : last[1]]
            along = end - start
            length = float(along @ along)
            across = (x[None, :] - start[0]), (y[:, None] - start[1])
            share = np.clip((across[0] * along[0] + across[1] * along[1]) / length, 0, 1) if length else 0.0
            far = np.hypot(across[0] - share * along[0], across[1] - share * along[1])
            ink[first[1] : last[1], first[0] : last[0]] += far <= reach
    return np.minimum(ink, 1.0)
