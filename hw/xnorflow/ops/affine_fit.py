"""A function of one integer as ``clip((a * x + b) >> shift)``, in one or two pieces: found exactly, or not at all.

A line goes through a step function where it passes between the lower and the upper end of each step. Which slopes can
is known from all pairs of steps; what is left is a shift with which a whole number lies among them in every channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["AffineFit", "fit_affine"]

IntArray = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

MOST_SHIFT = 32
FAR = 1e18
"""In place of a bound where a clipped value has none."""


@dataclass(frozen=True)
class AffineFit:
    """Factors and offsets of all channels; the second piece is that of ``x < knee``.

    Args:
        factors: int64 (pieces, channels).
        offsets: int64 (pieces, channels).
        knees: int64 (channels,); of one piece: anything.
        shift: bits dropped of the sum, 0 to 32.
    """

    factors: IntArray
    offsets: IntArray
    knees: IntArray
    shift: int

    @property
    def pieces(self) -> int:
        """1 or 2."""
        return len(self.factors)

    def __call__(self, x: IntArray, low: int, high: int) -> IntArray:
        """Return (integers, channels): results of ``x`` (integers,), clipped to ``low`` and ``high``."""
        second = (x[:, None] < self.knees) & (self.pieces == 2)
        factor = np.where(second, self.factors[-1], self.factors[0])
        offset = np.where(second, self.offsets[-1], self.offsets[0])
        return np.clip((factor * x[:, None] + offset) >> self.shift, low, high)


@dataclass(frozen=True)
class _Steps:
    """Ends of the steps of one channel: inputs, and between which real numbers (closed, open) the sum must lie."""

    x: IntArray
    least: Float64
    below: Float64


def fit_affine(table: IntArray, low: int, out_width: int) -> AffineFit | None:
    """Find factors, offsets and a shift that give a table for every input that it has.

    Args:
        table: int64 (integers, channels): results of ``low``, ``low + 1``, ...
        low: the smallest input.
        out_width: bits of a two's complement result, which clips.

    Returns:
        The fit with the fewest pieces and then the smallest shift, or None where there is none.
    """
    differences = np.diff(table, axis=0)
    if len(table) > 1 and (differences == differences[0]).all():  # lines as they stand, perhaps of very many steps
        factors = differences[:1]
        return AffineFit(factors, table[:1] - factors * low, np.zeros(table.shape[1], np.int64), 0)
    clip = -(2 ** (out_width - 1)), 2 ** (out_width - 1) - 1
    channels = [_steps(column, low, clip) for column in table.T]
    x = np.arange(low, low + len(table))
    for pieces in (1, 2):
        parts = [_split(steps, pieces) for steps in channels]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            continue
        fit = _with_shift([part[0] for part in known], np.asarray([part[1] for part in known], np.int64))
        if fit is not None and np.array_equal(fit(x, *clip), table):
            return fit
    return None


def _steps(column: IntArray, low: int, clip: tuple[int, int]) -> _Steps:
    changes = np.nonzero(np.diff(column))[0]
    ends = np.unique(np.concatenate([[0, len(column) - 1], changes, changes + 1]))
    values = column[ends].astype(np.float64)
    least, below = np.where(values == clip[0], -FAR, values), np.where(values == clip[1], FAR, values + 1)
    return _Steps(ends + low, least, below)


def _split(steps: _Steps, pieces: int) -> tuple[list[_Steps], int] | None:
    """Return the steps of each piece, the upper one first, and the knee; None where lines cannot pass."""
    if pieces == 1:
        return ([steps], 0) if _slopes(steps) is not None else None
    count = len(steps.x)
    upper = _first(count, lambda start: _slopes(_part(steps, start, count)) is not None)
    lower = count - _first(count, lambda left: _slopes(_part(steps, 0, count - left)) is not None)
    if lower < upper:
        return None
    places = np.arange(max(upper, 1), min(lower, count - 1) + 1)
    # Between two inputs that are neighbors, so that every input is within the steps of its piece.
    places = places[steps.x[places] == steps.x[places - 1] + 1]
    if len(places):
        place = int(places[len(places) // 2])
        return [_part(steps, place, count), _part(steps, 0, place)], int(steps.x[place])
    refined = _with_all_inputs(steps, max(upper - 1, 0), min(lower, count - 1))
    return _split(refined, pieces) if len(refined.x) > count else None


def _with_all_inputs(steps: _Steps, first: int, last: int) -> _Steps:
    """Return the steps with every input between two ends as an end of its own."""
    x = np.union1d(steps.x, np.arange(steps.x[first], steps.x[last] + 1))
    place = np.searchsorted(steps.x, x, side="right") - 1  # an input within a step is between its two ends
    return _Steps(x, steps.least[place], steps.below[place])


def _part(steps: _Steps, start: int, end: int) -> _Steps:
    part = slice(start, end)
    return _Steps(steps.x[part], steps.least[part], steps.below[part])


def _first(count: int, works: Callable[[int], bool]) -> int:
    """Return the first of 0 to count - 1 that works, where all behind it do too; the last one does."""
    low, high = -1, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    return high


def _slopes(steps: _Steps) -> tuple[float, float] | None:
    """Return the smallest and largest slope of lines through the steps, or None."""
    if len(steps.x) < 2:
        return 0.0, 0.0
    first, second = np.triu_indices(len(steps.x), 1)
    run = (steps.x[second] - steps.x[first]).astype(np.float64)
    least = float(((steps.least[second] - steps.below[first]) / run).max())
    most = float(((steps.below[second] - steps.least[first]) / run).min())
    return (least, most) if least < most else None


def _with_shift(channels: list[list[_Steps]], knees: IntArray) -> AffineFit | None:
    pieces = len(channels[0])
    slopes = [[_slopes(steps) for steps in channel] for channel in channels]
    for shift in range(MOST_SHIFT + 1):
        found = np.zeros((2, pieces, len(channels)), np.int64)
        if all(
            _whole(channel[piece], slopes[index][piece], shift, found[:, piece, index])
            for index, channel in enumerate(channels)
            for piece in range(pieces)
        ):
            return AffineFit(found[0], found[1], knees, shift)
    return None


def _whole(steps: _Steps, slopes: tuple[float, float] | None, shift: int, found: IntArray) -> bool:
    """Find whole numbers for one piece at one shift, and write them into ``found``."""
    if slopes is None:
        return False
    ends = [max(min(end, 2.0**20), -(2.0**20)) * 2**shift for end in slopes]
    middle = round((ends[0] + ends[1]) / 2)
    for factor in dict.fromkeys((0 if ends[0] <= 0 <= ends[1] else middle, middle, middle - 1, middle + 1)):
        sums = factor * steps.x
        bounded = steps.least > -FAR, steps.below < FAR
        least = np.where(bounded[0], steps.least, 0).astype(np.int64) * 2**shift - sums
        most = np.where(bounded[1], steps.below, 0).astype(np.int64) * 2**shift - 1 - sums
        low = int(least[bounded[0]].max()) if bounded[0].any() else None
        high = int(most[bounded[1]].min()) if bounded[1].any() else None
        if low is None or high is None or low <= high:
            offset = (low + high) // 2 if low is not None and high is not None else low if low is not None else high
            found[:] = factor, offset if offset is not None else 0
            return True
    return False
