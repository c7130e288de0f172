"""Nets of a block design: pins that were connected, whoever drives them, and clocks that are clocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tcl_host import CheckFailed

if TYPE_CHECKING:
    from block_design import BlockDesign

_CLOCK = re.compile(r"cl(oc)?k", re.IGNORECASE)
_RESET = re.compile(r"reset", re.IGNORECASE)


def _is_clock(end: str) -> bool:
    pin = end.split("/")[-1]
    return bool(_CLOCK.search(pin)) and not _RESET.search(pin)


class Nets:
    """Which pins hang together.

    Args:
        design: whose pins they are.
    """

    def __init__(self, design: BlockDesign) -> None:
        self.design = design
        self._net_of: dict[str, set[str]] = {}

    def join(self, ends: list[str]) -> None:
        """Join the nets that pins and ports are on.

        Raises:
            CheckFailed: clocks and others, or two drivers of one net.
        """
        known = [self._side(end) is not None for end in ends]
        if all(known) and len({_is_clock(end) for end in ends}) != 1:
            raise CheckFailed(f"a clock and another net: {ends}")
        net = set().union(*(self._net_of.get(end, {end}) for end in ends))
        self._net_of |= dict.fromkeys(net, net)
        drivers = sorted(end for end in net if self._side(end) == "output")
        if len(drivers) > 1:
            raise CheckFailed(f"{' and '.join(drivers)} drive one net: {ends}")

    def rename(self, old: str, new: str) -> None:
        """Give a port of the design another name."""
        if old not in self._net_of:
            return
        net = self._net_of.pop(old)
        net.discard(old)
        net.add(new)
        self._net_of[new] = net

    def check(self) -> None:
        """Check that a driver, a port of the design or a pin that is not known is on each net."""
        for end, net in self._net_of.items():
            if all(self._side(other) == "input" for other in net):
                raise CheckFailed(f"nothing drives {end}")

    def _side(self, end: str) -> str | None:
        """Return input or output, as nets see it: a port of the design that is an input drives; None is not known."""
        if "/" not in end:
            return "output" if self.design.ports[end].direction == "input" else "input"
        cell, _, pin = end.partition("/")
        pins = self.design.cells[cell].pins
        return None if pins is None or pin not in pins else pins[pin].direction
