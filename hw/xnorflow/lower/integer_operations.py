"""What happens to integers between products: pools, sums of branches, and functions of one integer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer

__all__ = ["Add", "Gate", "MaxPool", "Operation", "Repeat", "Requantize", "SumPool"]

IntArray = npt.NDArray[np.int64]


def _maps(values: IntArray, window: Window) -> IntArray:
    return values.reshape(len(values), window.rows, window.columns, window.channels)


@dataclass(frozen=True)
class MaxPool:
    """The largest value of each window, channel by channel.

    Args:
        name: node name in the ONNX file, for messages.
        window: padded, if at all, with a value below which there is none.
    """

    name: str
    window: Window

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, rows, columns, channels) of integer inputs (frames, ...)."""
        return self.window.cut(_maps(values, self.window)).max(axis=(3, 4))


@dataclass(frozen=True)
class SumPool:
    """The sum of each window, channel by channel: an average pool less its division.

    Args:
        name: node name in the ONNX file, for messages.
        window: without padding.
        counted: whether a result is the number of inputs that are +1, instead of the sum of inputs -1 and +1.
    """

    name: str
    window: Window
    counted: bool = False

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, rows, columns, channels) of integer inputs (frames, ...)."""
        sums = self.window.cut(_maps(values, self.window)).sum(axis=(3, 4))
        return (sums + self.window.positions) // 2 if self.counted else sums


@dataclass(frozen=True)
class Add:
    """The sum of two branches, element by element, each shifted left.

    Args:
        name: node name in the ONNX file, for messages.
        shifts: bits by which each branch is shifted.
    """

    name: str
    shifts: tuple[int, int] = (0, 0)

    def __call__(self, values: IntArray, others: IntArray) -> IntArray:
        """Return sums of two arrays of as many elements, in the shape of the first."""
        return (values << self.shifts[0]) + (others.reshape(values.shape) << self.shifts[1])


@dataclass(frozen=True)
class Gate:
    """Products with powers of two that each frame has for each channel: ``(scale * x + offset) << code``.

    Args:
        name: node name in the ONNX file, for messages.
        scale: 1, or 2 where x is a count.
        offset: what makes of it the number that is multiplied.
        largest: the largest code.
    """

    name: str
    scale: int
    offset: int
    largest: int

    def __call__(self, values: IntArray, codes: IntArray) -> IntArray:
        """Return results in the shape of the values, of which there are as many as codes."""
        return (self.scale * values + self.offset) << codes.reshape(values.shape)


@dataclass(frozen=True)
class Repeat:
    """All channels of a pixel, several times one after the other: as more channels, or as the pixels of a map.

    Args:
        name: node name in the ONNX file, for messages.
        channels: of a pixel coming in.
        times: how often they go out, at least 2.
        pixels: rows and columns of a map whose pixels all are the one that comes in; None: more channels.
    """

    name: str
    channels: int
    times: int
    pixels: tuple[int, int] | None = None

    def __call__(self, values: IntArray) -> IntArray:
        """Return (frames, pixels, times * channels) of (frames, ...), the channels last."""
        pixels = values.reshape(len(values), -1, self.channels)
        return np.tile(pixels, (1, 1, self.times))


@dataclass(frozen=True)
class Requantize:
    """A function of one integer for each channel: normalization, activation and rounding in one.

    Args:
        name: node name of the quantizer in the ONNX file, for messages.
        low: the smallest integer that comes in.
        step: from one that comes in to the next: 2 where these are -1 and +1.
        table: int64 (integers, channels): what becomes of ``low + row * step``.
        datatype: of the results, BIPOLAR or ``INT<n>``.
    """

    name: str
    low: int
    step: int
    table: IntArray
    datatype: str

    @property
    def channels(self) -> int:
        """Channels of a pixel."""
        return int(self.table.shape[1])

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest result."""
        return int(self.table.min()), int(self.table.max())

    @property
    def rising(self) -> bool:
        """Whether no channel's function falls anywhere."""
        return bool((np.diff(self.table, axis=0) >= 0).all())

    def __call__(self, values: IntArray) -> IntArray:
        """Return results in the shape of the input, whose last axis or part of it are the channels."""
        pixels = values.reshape(-1, self.channels)
        rows = (pixels - self.low) // self.step
        return self.table[rows, np.arange(self.channels)].reshape(values.shape)


Operation = IntegerLayer | MaxPool | SumPool | Add | Gate | Repeat | Requantize
