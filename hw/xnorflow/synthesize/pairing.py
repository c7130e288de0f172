"""Which small LUT functions share a site: greedy, those with most inputs in common first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

__all__ = ["SHARED_INPUTS", "Function", "Pair", "pair_functions"]

SHARED_INPUTS = 5
"""Distinct inputs of two functions in one LUT6_2."""


@dataclass(frozen=True)
class Function:
    """A function of one LUT cell that may share its site.

    Args:
        inputs: nets, at most :data:`SHARED_INPUTS`, ascending, each once.
        needs_o6: whether it must leave by output O6, which a site has once.
    """

    inputs: tuple[int, ...]
    needs_o6: bool = False


Pair = tuple[int, int]
"""Places of two functions in the list that was given."""

_Key = tuple[tuple[int, ...], int, bool]


def pair_functions(functions: Sequence[Function]) -> tuple[list[Pair], list[Pair]]:
    """Pair functions that together have at most five distinct inputs, and of which at most one needs output O6.

    All pairs with five inputs in common are made before those with four, and so on; among these, larger functions
    choose first, in the order given, and take the largest partner that fits, the first of its kind. A round looks
    functions up by every choice of so many of their inputs, so that nets of high fan-out cost nothing more.

    Returns:
        Pairs with inputs in common, and pairs without any. Equal lists give equal pairs.
    """
    order = sorted(range(len(functions)), key=lambda place: (-len(functions[place].inputs), place))
    left = set(order)
    related: list[Pair] = []
    unrelated: list[Pair] = []
    for shared in range(SHARED_INPUTS, -1, -1):
        pairs = related if shared else unrelated
        remaining = [place for place in order if place in left and len(functions[place].inputs) >= shared]
        pairs.extend(_round(functions, remaining, shared, left))
    return related, unrelated


def _round(functions: Sequence[Function], order: Sequence[int], shared: int, left: set[int]) -> Iterator[Pair]:
    """Yield the pairs with ``shared`` inputs in common and take them out of ``left``."""
    shelves: defaultdict[_Key, list[int]] = defaultdict(list)
    for place in reversed(order):  # so that the first one is the last of its shelf
        function = functions[place]
        for common in combinations(function.inputs, shared):
            shelves[common, len(function.inputs), function.needs_o6].append(place)
    for place in order:
        if place not in left:
            continue
        left.remove(place)
        partner = _partner(functions[place], shared, shelves, left)
        if partner is None:
            left.add(place)
        else:
            left.remove(partner)
            yield place, partner


def _partner(function: Function, shared: int, shelves: dict[_Key, list[int]], left: set[int]) -> int | None:
    """Return the largest free function that has ``shared`` inputs in common with ``function`` and fits beside it."""
    kinds = (False,) if function.needs_o6 else (True, False)
    for size in range(min(SHARED_INPUTS, SHARED_INPUTS + shared - len(function.inputs)), shared - 1, -1):
        for common in combinations(function.inputs, shared):
            for needs_o6 in kinds:
                shelf = shelves.get((common, size, needs_o6), [])
                while shelf and shelf[-1] not in left:
                    shelf.pop()
                if shelf:
                    return shelf[-1]
    return None
