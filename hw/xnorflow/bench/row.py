"""A row of the benchmark: what is measured, the peer's figure, the goal, and what came out."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xnorflow.artifact.progress import Progress

__all__ = ["Bench", "Goal", "Measure", "Measurement", "Peer", "Row"]

_GOAL = re.compile(r"(?P<relation><=|>=) (?P<number>\d[\d,]*(\.\d+)?)(?P<rest>.*)", re.DOTALL)
_RELATIONS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Peer:
    """What a row is held against.

    Args:
        text: the figure, with what distinguishes it.
        source: where it was published; empty for what anybody can measure.
    """

    text: str
    source: str = ""


@dataclass(frozen=True)
class Goal:
    """What a row is to come to.

    Args:
        text: begins with ``<=`` or ``>=`` and the number, e.g. ``>= 30,000, then 50,000``.

    Raises:
        ValueError: it does not.
    """

    text: str

    def __post_init__(self) -> None:
        if _GOAL.fullmatch(self.text) is None:
            raise ValueError(f"goal {self.text!r} does not begin with <= or >= and a number")

    @property
    def number(self) -> float:
        """The limit."""
        match = _GOAL.fullmatch(self.text)
        assert match is not None
        return float(match["number"].replace(",", ""))

    def is_met(self, value: float) -> bool:
        """Whether ``value`` keeps within the limit."""
        return bool(_RELATIONS[self.text[:2]](value, self.number))


@dataclass(frozen=True)
class Measurement:
    """What a row came to.

    Args:
        value: in ``unit``.
        unit: e.g. ``LUT/MAC``.
        path: how the figure was found, e.g. ``yosys, packed estimate + carry slots, xc7``.
        details: everything measured on the way, JSON values.
        plain: the same figure for plain behavioral code by the same flow in the same run; None where there is none.
    """

    value: float
    unit: str
    path: str
    details: dict[str, Any] = field(default_factory=dict)
    plain: float | None = None


@dataclass(frozen=True)
class Bench:
    """What a measuring function works with.

    Args:
        work: an empty folder of its own, removed afterwards.
        progress: told of what takes long.
        jobs: yosys processes at a time; what is timed says by itself how many processes it takes.
        shared: what rows of one run leave for later ones that look at the same thing, by a name of their own.
    """

    work: Path
    progress: Progress
    jobs: int = 2
    shared: dict[str, dict[str, Any]] = field(default_factory=dict)


Measure = Callable[[Bench], Measurement]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        id: lower-case words joined by ``_``.
        what: what is measured.
        peer: figure to hold it against.
        goal: what it is to come to.
        measure: measures it; None: there is no such thing yet.
        reason: why the goal is missed, where it is; may be empty.
    """

    id: str
    what: str
    peer: Peer
    goal: Goal
    measure: Measure | None = None
    reason: str = ""
