"""Modules that know where in a map, or in a window, a beat stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xnorflow.artifact.windows import Window, WindowLine
from xnorflow.cycles.machine import Machine, clog2

__all__ = ["Pool", "Swg", "SwgParallel"]


@dataclass(frozen=True)
class Pool(Machine):
    """``xnorflow_pool``.

    Args:
        positions: positions that become one.
        folds: beats from a position to the next one.
        output_depth: results that wait to be taken, at most, 2 or more.
    """

    positions: int
    folds: int = 1
    output_depth: int = 2
    lowest: ClassVar[dict[str, int]] = {"output_depth": 2}

    @property
    def beats(self) -> tuple[int, int]:
        """Those of a window, and of a position."""
        return self.positions * self.folds, self.folds

    @property
    def cycles(self) -> int:
        """Beats of a window."""
        return self.positions * self.folds

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Beats of a window and of a position, places for results."""
        return "pool", (*self.beats, self.output_depth)


@dataclass(frozen=True)
class Swg(Machine):
    """``xnorflow_swg``.

    Args:
        rows: of the map.
        columns: of the map.
        channels: of a pixel.
        simd: channels of a beat; divides ``channels``.
        kernel: rows and columns of a window.
        stride: rows and columns from one window to the next.
        padding: rows above, columns to the left, rows below, columns to the right; less than the window has.
    """

    rows: int
    columns: int
    channels: int
    simd: int
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        """Check what the RTL checks."""
        numbers = (self.rows, self.columns, self.channels, self.simd, *self.kernel, *self.stride)
        if min(numbers) < 1 or min(self.padding) < 0:
            raise ValueError(f"{self}: expected sizes of at least 1 and paddings of at least 0")
        self._must_divide("simd", "channels")
        if any(pad >= size for pad, size in zip(self.padding, 2 * self.kernel, strict=True)):
            raise ValueError(f"{self}: expected paddings smaller than the kernel")
        if min(self.windows) < 1:
            raise ValueError(f"{self}: expected a kernel that fits into the padded map")

    @property
    def folds(self) -> int:
        """Beats of a pixel."""
        return self.channels // self.simd

    @property
    def windows(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        top, left, bottom, right = self.padding
        down = (self.rows + top + bottom - self.kernel[0]) // self.stride[0] + 1
        return down, (self.columns + left + right - self.kernel[1]) // self.stride[1] + 1

    @property
    def beats(self) -> tuple[int, int]:
        """Those of a map, and of its windows."""
        down, across = self.windows
        return self.rows * self.columns * self.folds, down * across * self.kernel[0] * self.kernel[1] * self.folds

    @property
    def cycles(self) -> int:
        """Beats of the side that has more."""
        return max(self.beats)

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Shape, and words of the ring."""
        words = 2 ** max(clog2(self.depth), 1)
        shape = (self.rows, self.columns, self.folds, *self.kernel, *self.stride)
        return "windows", (*shape, *self.padding[:2], *self.windows, words)

    @property
    def depth(self) -> int:
        """Beats that the ring must hold, as localparam Depth of the RTL, which says why."""
        top, left, bottom, right = self.padding
        map_of = Window(self.rows, self.columns, self.channels, self.kernel, self.stride, (top, left, bottom, right))
        return WindowLine(map_of, self.folds).depth


@dataclass(frozen=True)
class SwgParallel(Machine):
    """``xnorflow_swg_parallel``.

    Args:
        rows: of the map.
        columns: of the map.
        kernel: rows and columns of a window, more than one pixel.
        stride: rows and columns from one window to the next.
        together: windows of a beat (``Windows``); divides those of a row.
    """

    rows: int
    columns: int
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    together: int = 1

    def __post_init__(self) -> None:
        """Check what the RTL checks."""
        if min(self.rows, self.columns, self.together, *self.kernel, *self.stride) < 1 or self.kernel == (1, 1):
            raise ValueError(f"{self}: expected sizes of at least 1, and a kernel of more than one pixel")
        if self.rows < self.kernel[0] or self.columns < self.kernel[1]:
            raise ValueError(f"{self}: expected a kernel that fits into the map")
        if self.across % self.together:
            raise ValueError(f"{self}: expected windows of a beat that divide the {self.across} of a row")

    @property
    def across(self) -> int:
        """Windows of a row."""
        return (self.columns - self.kernel[1]) // self.stride[1] + 1

    @property
    def beats(self) -> tuple[int, int]:
        """Pixels of a map, and beats of its windows."""
        down = (self.rows - self.kernel[0]) // self.stride[0] + 1
        return self.rows * self.columns, down * self.across // self.together

    @property
    def cycles(self) -> int:
        """Pixels of a map."""
        return self.beats[0]

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Shape; windows of one beat come and go as one wider window does."""
        step = self.together * self.stride[1]
        span = self.kernel[1] + step - self.stride[1]
        return "parallel_windows", (self.rows, self.columns, self.kernel[0], span, self.stride[0], step)
