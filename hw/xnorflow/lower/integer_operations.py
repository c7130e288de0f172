"""What happens to integers between products: pools, sums of branches, and functions of one integer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer

__all__ = ["Add", "MaxPool", "Operation", "Repeat", "Requantize", "SumPool"]

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
    """

    name: str
    window: Window

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, rows, columns, channels) of integer inputs (frames, ...)."""
        return self.window.cut(_maps(values, self.window)).sum(axis=(3, 4))


@dataclass(frozen=True)
class Add:
    """The sum of two branches, element by element.

    Args:
        name: node name in the ONNX file, for messages.
    """

    name: str

    def __call__(self, values: IntArray, others: IntArray) -> IntArray:
        """Return sums of two arrays of as many elements, in the shape of the first."""
        return values + others.reshape(values.shape)


@dataclass(frozen=True)
class Repeat:
    """All channels of a pixel, several times one after the other.

    Args:
        name: node name in the ONNX file, for messages.
        channels: of a pixel coming in.
        times: how often they go out, at least 2.
    """

    name: str
    channels: int
    times: int

    def __call__(self, values: IntArray) -> IntArray:
        """Return (..., times * channels) of (..., channels)."""
        pixels = values.reshape(len(values), -1, self.channels)
        return np.tile(pixels, (1, 1, self.times))


@dataclass(frozen=True)
class Requantize:
    """A function of one integer for each channel: normalization, activation and rounding in one.

    Args:
        name: node name of the quantizer in the ONNX file, for messages.
        low: the smallest integer that comes in.
        step: from one that comes in to the next: 2 for sums of -1 and +1.
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


Operation = IntegerLayer | MaxPool | SumPool | Add | Repeat | Requantize
