"""Means over seeds, differences between them, and when a difference may be called one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BOUND", "Difference", "Sample", "chance_beyond", "difference"]

BOUND = 2.0
"""Standard errors beyond which a difference is marked."""


@dataclass(frozen=True)
class Sample:
    """What runs with several seeds came to.

    Args:
        values: one a seed.
    """

    values: tuple[float, ...]

    @property
    def count(self) -> int:
        """Number of seeds."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Arithmetic mean; there must be a value."""
        return math.fsum(self.values) / self.count

    @property
    def deviation(self) -> float | None:
        """Standard deviation, the sum of squares divided by n - 1; None for fewer than two values."""
        if self.count < 2:
            return None
        mean = self.mean
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / (self.count - 1))

    @property
    def error(self) -> float | None:
        """Standard error of the mean, ``s / sqrt(n)``; None for fewer than two values."""
        deviation = self.deviation
        return None if deviation is None else deviation / math.sqrt(self.count)


@dataclass(frozen=True)
class Difference:
    """How far a mean is from the baseline's.

    Args:
        value: mean minus the baseline's mean.
        error: standard error of it.
    """

    value: float
    error: float

    @property
    def marked(self) -> bool:
        """Whether it is larger than two standard errors; one of 0 says nothing about the spread of other seeds."""
        return self.error > 0 and abs(self.value) > BOUND * self.error


def difference(sample: Sample, baseline: Sample) -> Difference | None:
    """Return ``mean - mean_b`` with standard error ``sqrt(s**2 / n + s_b**2 / n_b)``; None where n < 2 on a side."""
    if sample.error is None or baseline.error is None:
        return None
    return Difference(sample.mean - baseline.mean, math.hypot(sample.error, baseline.error))


def chance_beyond(bound: float, counts: Sequence[int]) -> float | None:
    """Return how often two equal methods differ by more than ``bound`` standard errors, for normal values.

    With n seeds on each side and equal variances the ratio has Student's t distribution of ``2 n - 2`` degrees of
    freedom. For an even number v of them, with ``theta = atan(bound / sqrt(v))`` (Abramowitz and Stegun, 26.7.4)::

        P(|t| <= bound) = sin(theta) (1 + 1/2 cos(theta)**2 + 1*3/(2*4) cos(theta)**4 + ... up to cos(theta)**(v-2))

    Args:
        bound: in standard errors, positive.
        counts: seeds of every side that takes part.

    Returns:
        The probability; None unless all counts are the same, and at least 2.
    """
    if len(set(counts)) != 1 or counts[0] < 2:
        return None
    degrees = 2 * counts[0] - 2
    theta = math.atan(bound / math.sqrt(degrees))
    term = total = 1.0
    for index in range(1, degrees // 2):
        term *= (2 * index - 1) / (2 * index) * math.cos(theta) ** 2
        total += term
    return 1 - math.sin(theta) * total
