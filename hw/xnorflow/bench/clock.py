"""What else the machine did: timings on a busy one are lower bounds of its speed, and say so."""

from __future__ import annotations

__all__ = ["busy_percent", "clock_label"]

QUIET_PERCENT = 10.0
"""Below this a machine counts as idle."""


def busy_percent() -> float:
    """Look for half a second how much of all processors is taken, before anything is timed."""
    import psutil

    return round(float(psutil.cpu_percent(interval=0.5)), 1)


def clock_label(busy: float) -> str:
    """Return how a time was taken, as the table's path says it."""
    return "wall clock" if busy < QUIET_PERCENT else f"wall clock, processors {busy:.0f}% busy with other work"
