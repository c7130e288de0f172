"""Which counters turn columns of bits into at most two rows, found by a beam search over the heights of the columns.

Bits of one weight are alike, so that a state is the height of every column. A level is a set of counters that work side
by side; a register follows each level. Kumm and Zipf (Pipelined compressor tree optimization using integer linear
programming, FPL 2014) pose the same search as an integer program. Here levels are filled greedily, in several orders of
the counters and with several limits, and a beam keeps the cheapest: nearly all work goes to counters that remove two
bits per LUT, which is the most that any counter on this fabric removes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from xnorflow.counters.shapes import COUNTERS, Counter

__all__ = ["ROWS", "Heights", "Level", "Plan", "Use", "plan_rows"]

ROWS = 2
"""Rows that are left: an adder of six-input LUTs takes these and the accumulator in one LUT a bit."""
_EFFORT = {64: (48, 40), 1 << 30: (16, 20)}
"""Width of the beam, and random fillings of a level beside those of all counters down to some efficiency, by bits."""
_LEVEL_LUTS = 1.0
"""What a level's registers and its cycle of latency are taken to be worth."""

Heights = tuple[int, ...]
"""Bits of weight 1, 2, 4..."""


@dataclass(frozen=True)
class Use:
    """One counter whose lightest bits come from column ``column``."""

    counter: Counter
    column: int


@dataclass(frozen=True)
class Level:
    """Counters that work at the same time.

    Args:
        before: heights of the columns in front of them, weight 1 first.
        uses: the counters.
        after: heights behind them, bits that no counter takes included.
    """

    before: Heights
    uses: tuple[Use, ...]
    after: Heights

    @property
    def luts(self) -> int:
        """LUT6_2 of its counters."""
        return sum(use.counter.luts for use in self.uses)


@dataclass(frozen=True)
class Plan:
    """A whole compression.

    Args:
        heights: of the columns at the start.
        levels: one after the other; none where there are no more than two rows already.
    """

    heights: Heights
    levels: tuple[Level, ...]

    @property
    def result(self) -> Heights:
        """Heights at the end, each at most ``ROWS``."""
        return self.levels[-1].after if self.levels else self.heights

    @property
    def luts(self) -> int:
        """LUT6_2 of all counters."""
        return sum(level.luts for level in self.levels)


@dataclass(frozen=True)
class _State:
    heights: Heights
    levels: tuple[Level, ...] = ()
    luts: int = 0

    @property
    def rank(self) -> tuple[float, Heights]:
        """LUTs spent and still to be spent at two bits each, levels charged too; then anything that is repeatable."""
        excess = sum(max(height - ROWS, 0) for height in self.heights)
        return self.luts + excess / 2 + _LEVEL_LUTS * (len(self.levels) + bool(excess)), self.heights


def _trim(heights: list[int] | Heights) -> Heights:
    kept = list(heights)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


class _Filling:
    """A level that is being filled with counters."""

    def __init__(self, before: Heights) -> None:
        self._before = before
        self._left = [*before, *[0] * len(COUNTERS[0].takes)]
        self._given = [0] * (len(before) + 8)
        self._uses: list[Use] = []

    def fits(self, counter: Counter, column: int) -> bool:
        """Return whether all bits that a counter takes are there, and some of them are too many."""
        taken = [(column + offset, bits) for offset, bits in enumerate(counter.takes) if bits]
        if taken[-1][0] >= len(self._before):
            return False
        return all(self._left[place] >= bits for place, bits in taken) and any(
            self._left[place] + self._given[place] > ROWS for place, _ in taken
        )

    def put(self, counter: Counter, most: int) -> None:
        """Use a counter wherever it fits, up to ``most`` times, the highest columns first."""
        for _ in range(most):
            columns = [column for column in range(len(self._before)) if self.fits(counter, column)]
            if not columns:
                return
            column = max(columns, key=lambda place: (self._left[place], -place))
            for offset, bits in enumerate(counter.takes):
                self._left[column + offset] -= bits
            for offset in range(counter.gives):
                self._given[column + offset] += 1
            self._uses.append(Use(counter, column))

    def level(self) -> Level | None:
        """Return the level, or None while it is empty."""
        width = max(len(self._left), len(self._given))
        padded = [part + [0] * (width - len(part)) for part in (self._left, self._given)]
        after = _trim([left + given for left, given in zip(*padded, strict=True)])
        return Level(self._before, tuple(self._uses), after) if self._uses else None


def _fillings(heights: Heights, tries: int, generator: random.Random) -> Iterator[Level]:
    """Yield levels that could come next."""
    orders: list[list[tuple[Counter, int]]] = [
        [(counter, 999) for counter in COUNTERS if counter.removes >= least * counter.luts]
        for least in (2, 1.6, 1.3, 1)
    ]
    most = sum(heights) // 6 + 1
    for _ in range(tries):
        chosen = [counter for counter in COUNTERS if generator.random() < 0.6]
        if generator.random() < 0.3:
            generator.shuffle(chosen)
        orders.append([(counter, generator.choice((999, generator.randint(1, most)))) for counter in chosen])
    for order in orders:
        filling = _Filling(heights)
        for counter, limit in order:
            filling.put(counter, limit)
        level = filling.level()
        if level is not None:
            yield level


@lru_cache(maxsize=4096)
def plan_rows(heights: Heights) -> Plan:
    """Return a plan that leaves at most two rows.

    Args:
        heights: bits of weight 1, 2, 4...

    Returns:
        A plan of few LUTs and levels; the same one for the same heights.
    """
    start, generator = _trim(heights), random.Random(1)
    width, tries = next(effort for bits, effort in _EFFORT.items() if sum(start) <= bits)
    beam, best = [_State(start)], None
    while beam:
        following: dict[Heights, _State] = {}
        for state in beam:
            if max(state.heights, default=0) <= ROWS:
                best = state if best is None else min(best, state, key=lambda one: one.rank)
                continue
            for level in _fillings(state.heights, tries, generator):
                new = _State(level.after, (*state.levels, level), state.luts + level.luts)
                following[new.heights] = min(following.get(new.heights, new), new, key=lambda one: one.rank)
        beam = sorted(following.values(), key=lambda one: one.rank)[:width]
        beam = [state for state in beam if best is None or state.rank < best.rank]
    assert best is not None  # a full adder fits wherever a column has three bits
    return Plan(start, best.levels)
