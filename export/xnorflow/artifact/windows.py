"""Windows that slide over maps: geometry, and how numpy cuts them out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Window"]

IntArray = npt.NDArray[np.int64]
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
