"""Modules that keep the beats' order and pace: buffers, width converters, forks, joins of two streams and repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xnorflow.cycles.machine import Machine

__all__ = ["Add", "Dwc", "Fifo", "Fork", "Gate", "Repeat"]


@dataclass(frozen=True)
class Fifo(Machine):
    """``xnorflow_fifo``.

    Args:
        depth: beats held at most.
    """

    depth: int

    @property
    def beats(self) -> tuple[int, int]:
        """One."""
        return 1, 1

    @property
    def cycles(self) -> int:
        """One, two with a single place."""
        return 2 if self.depth == 1 else 1

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Depth."""
        return "fifo", (self.depth,)


@dataclass(frozen=True)
class Dwc(Machine):
    """``xnorflow_dwc``; with equal widths it is wires, and no machine in the description.

    Args:
        in_width: bits of a beat coming in.
        out_width: bits of a beat going out; a multiple or a divisor of ``in_width``.
    """

    in_width: int
    out_width: int

    def __post_init__(self) -> None:
        """Check the ratio too."""
        super().__post_init__()
        if max(self.in_width, self.out_width) % min(self.in_width, self.out_width):
            raise ValueError(f"Dwc: widths {self.in_width} and {self.out_width}, expected a whole ratio")

    @property
    def beats(self) -> tuple[int, int]:
        """One on the wider side."""
        wide = max(self.in_width, self.out_width)
        return wide // self.in_width, wide // self.out_width

    @property
    def cycles(self) -> int:
        """Beats of the narrower side."""
        return max(self.beats)

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Ratio."""
        return "split" if self.in_width > self.out_width else "join", (self.cycles,)


@dataclass(frozen=True)
class Fork(Machine):
    """``xnorflow_fork``.

    Args:
        outputs: streams going out, at least 2.
    """

    outputs: int = 2
    lowest: ClassVar[dict[str, int]] = {"outputs": 2}

    @property
    def output_count(self) -> int:
        """As many as the parameter says."""
        return self.outputs

    @property
    def beats(self) -> tuple[int, int]:
        """One."""
        return 1, 1

    @property
    def cycles(self) -> int:
        """One."""
        return 1

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """No numbers but those of its channels."""
        return "fork", ()


@dataclass(frozen=True)
class Add(Machine):
    """``xnorflow_add``, which takes two streams.

    Args:
        output_depth: sums that wait to be taken, at most, 2 or more.
    """

    output_depth: int = 2
    inputs: ClassVar[int] = 2
    lowest: ClassVar[dict[str, int]] = {"output_depth": 2}

    @property
    def beats(self) -> tuple[int, int]:
        """One."""
        return 1, 1

    @property
    def cycles(self) -> int:
        """One."""
        return 1

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Places for sums."""
        return "add", (self.output_depth,)


@dataclass(frozen=True)
class Gate(Add):
    """``xnorflow_gate``, whose handshakes are those of ``xnorflow_add``: both are ``xnorflow_join``."""


@dataclass(frozen=True)
class Repeat(Machine):
    """``xnorflow_repeat``.

    Args:
        pixel_beats: beats of a pixel (``Beats``).
        times: copies of a pixel, at least 2.
    """

    pixel_beats: int
    times: int = 2
    lowest: ClassVar[dict[str, int]] = {"times": 2}

    @property
    def beats(self) -> tuple[int, int]:
        """A pixel and its copies."""
        return self.pixel_beats, self.pixel_beats * self.times

    @property
    def cycles(self) -> int:
        """Beats of the copies."""
        return self.pixel_beats * self.times

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Beats and times."""
        return "repeat", (self.pixel_beats, self.times)
