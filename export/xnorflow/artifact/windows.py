"""Windows that slide over maps: geometry, and how numpy cuts them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

    IntArray = npt.NDArray[np.int64]

__all__ = ["Window", "WindowLine"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Windows over maps of ``rows`` x ``columns`` pixels of ``channels`` values.

    Args:
        rows: of the map.
        columns: of the map.
        channels: values of a pixel.
        kernel: rows and columns of a window.
        stride: rows and columns from one window to the next.
        pads: rows above, columns on the left, rows below and columns on the right of the map (as in ONNX).
        pad_value: integer that stands there.
    """

    rows: int
    columns: int
    channels: int
    kernel: Pair
    stride: Pair = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_value: int = 0

    @property
    def padded(self) -> Pair:
        """Rows and columns of the map with its padding."""
        top, left, bottom, right = self.pads
        return self.rows + top + bottom, self.columns + left + right

    @property
    def output(self) -> Pair:
        """Rows and columns of windows."""
        (rows, columns), (high, wide), (down, right) = self.padded, self.kernel, self.stride
        return (rows - high) // down + 1, (columns - wide) // right + 1

    @property
    def count(self) -> int:
        """Windows of a map."""
        return self.output[0] * self.output[1]

    @property
    def positions(self) -> int:
        """Pixels of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def padding(self) -> bool:
        """Whether there is any."""
        return any(self.pads)

    @property
    def apart(self) -> bool:
        """Whether every pixel is in exactly one window."""
        return self.kernel == self.stride and not self.padding and self.remainder == (0, 0)

    @property
    def remainder(self) -> Pair:
        """Rows and columns that no window reaches, where the stride is not larger than the kernel."""
        (rows, columns), (high, wide), (down, right) = self.padded, self.kernel, self.stride
        return (rows - high) % down, (columns - wide) % right

    @property
    def whole(self) -> bool:
        """Whether the only window is the map, so that its values arrive in the window's order."""
        return self.kernel == (self.rows, self.columns) and not self.padding

    def cut(self, maps: IntArray) -> IntArray:
        """Return every window's pixels.

        Args:
            maps: (frames, rows, columns, channels).

        Returns:
            (frames, output rows, output columns, kernel rows, kernel columns, channels).
        """
        top, left, bottom, right = self.pads
        if self.padding:
            maps = np.pad(maps, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=self.pad_value)
        windows = np.lib.stride_tricks.sliding_window_view(maps, self.kernel, axis=(1, 2))
        return windows[:, :: self.stride[0], :: self.stride[1]].transpose(0, 1, 2, 4, 5, 3)


@dataclass(frozen=True)
class WindowLine:
    """A map as one line of beats, and windows as walks along it; the localparams of ``xnorflow_swg``, which says why.

    Args:
        window: the geometry.
        folds: beats of a pixel.
    """

    window: Window
    folds: int

    @property
    def row(self) -> int:
        """Beats of a row of the map."""
        return self.window.columns * self.folds

    @property
    def span(self) -> int:
        """Beats from the first to the last one of a window."""
        return (self.window.kernel[0] - 1) * self.row + self.window.kernel[1] * self.folds

    @property
    def lead(self) -> int:
        """Beats from a frame's first window to its first beat."""
        return self.window.pads[0] * self.row + self.window.pads[1] * self.folds

    @property
    def steps(self) -> tuple[int, int, int]:
        """Beats from a window to the next one in its row, from the last one of a row, and of a frame."""
        (down, right), (rows, columns) = self.window.stride, self.window.output
        next_one, back = right * self.folds, (columns - 1) * right * self.folds
        return next_one, down * self.row - back, (self.window.rows - (rows - 1) * down) * self.row - back

    @property
    def depth(self) -> int:
        """Beats that the ring must hold."""
        window, visit = self.window, self.window.positions * self.folds
        gap = self.row - window.kernel[1] * self.folds
        gains = [step - visit for step in self.steps]
        if window.count * visit >= window.rows * self.row:
            gain = self._largest_gain(*gains)
        else:
            gain = max(self._largest_gain(*(-one for one in gains)), 0)
        return max(self.span, visit + gain + max(self.lead, (window.kernel[0] - 1) * max(gap, 0)) + 1)

    def _largest_gain(self, to_next: int, to_row: int, to_frame: int) -> int:
        """Return the largest sum of consecutive steps from window to window: in a row, to a row, to a frame."""
        more_rows, more_columns = (count - 1 for count in self.window.output)
        columns = more_columns * to_next
        rows = more_rows * max(columns + to_row, 0) + max(columns + to_frame, 0)
        if rows > 0:
            return rows + max(columns, -columns)
        one = to_frame
        if more_rows > 0:
            one = max(one, to_row)
        if more_columns > 0:
            one = max(one, to_next, columns)
        return one
