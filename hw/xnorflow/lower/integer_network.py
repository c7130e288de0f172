"""A binary network in integers only: the exact arithmetic that every later stage must reproduce.

a = W x                            weights +-1, x integers of the input, or +-1 behind it
x = +1 where a >= T, else -1
maps: x is a window, and every window has the same W and T; a pool takes the largest value of a window
result: the last a, or the index of its first maximum

Maps are (rows, columns, channels) as they travel: pixel by pixel, the channels of a pixel together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window

__all__ = ["IntegerLayer", "IntegerNetwork", "MaxPool"]

IntArray = npt.NDArray[np.int64]

FRAMES_AT_ONCE = 64
"""As many have their windows and accumulators in memory at a time."""
EXACT = 2**24
"""float32 holds every integer up to here."""


@dataclass(frozen=True)
class IntegerLayer:
    """One matrix product with its thresholds, for a frame's values or for each window of its maps.

    Args:
        name: node name in the ONNX file, for messages.
        weights: int64 (inputs, outputs), values -1 and +1; the inputs of a window by row, column and channel.
        thresholds: int64 (outputs,), or None for the last layer. Within ``[acc_min, acc_max + 1]``, so that the first
            value always fires and the last never.
        input_datatype: QONNX datatype of the inputs: BIPOLAR, or ``INT<n>`` for the first layer.
        window: what a product is made of; None: all values of a frame.
    """

    name: str
    weights: IntArray
    thresholds: IntArray | None
    input_datatype: str
    window: Window | None = None

    @property
    def inputs(self) -> int:
        """MW: inputs of the layer, or of one window."""
        return int(self.weights.shape[0])

    @property
    def outputs(self) -> int:
        """MH: outputs of the layer, or of one window."""
        return int(self.weights.shape[1])

    @property
    def elements(self) -> int:
        """Inputs of a frame."""
        return self.inputs if self.window is None else self.window.rows * self.window.columns * self.window.channels

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of a frame's results: (outputs,), or (rows, columns, outputs) of a map."""
        return (self.outputs,) if self.window is None else (*self.window.output, self.outputs)

    @property
    def binary_input(self) -> bool:
        """Whether inputs are -1/+1, so that XNOR and popcount do."""
        return self.input_datatype == "BIPOLAR"

    @property
    def acc_bounds(self) -> tuple[int, int]:
        """Smallest and largest accumulator that any input can give."""
        largest = self.inputs * (1 if self.binary_input else 2 ** (int(self.input_datatype.removeprefix("INT")) - 1))
        return -largest, largest

    def accumulate(self, values: IntArray) -> IntArray:
        """Return accumulators (frames, *output_shape) of integer inputs (frames, ...)."""
        # Floats that hold these integers exactly multiply far faster than int64.
        kind: npt.DTypeLike = np.float32 if self.acc_bounds[1] < EXACT else np.float64
        weights = self.weights.astype(kind)
        if self.window is None:
            return np.rint(values.reshape(len(values), -1).astype(kind) @ weights).astype(np.int64)
        maps = values.reshape(len(values), self.window.rows, self.window.columns, self.window.channels)
        windows = self.window.cut(maps.astype(kind)).reshape(-1, self.inputs)
        return np.rint(windows @ weights).astype(np.int64).reshape(-1, *self.output_shape)

    def activate(self, accumulators: IntArray) -> IntArray:
        """Return -1/+1 by threshold; accumulators where there are none."""
        return accumulators if self.thresholds is None else np.where(accumulators >= self.thresholds, 1, -1)

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, *output_shape) of integer inputs (frames, ...)."""
        return self.activate(self.accumulate(values))


@dataclass(frozen=True)
class MaxPool:
    """The largest value of each window, channel by channel.

    Args:
        name: node name in the ONNX file, for messages.
        window: without padding.
    """

    name: str
    window: Window

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(rows, columns, channels) of a frame's results."""
        return (*self.window.output, self.window.channels)

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, *output_shape) of integer inputs (frames, ...)."""
        window = self.window
        maps = values.reshape(len(values), window.rows, window.columns, window.channels)
        return window.cut(maps).max(axis=(3, 4))


@dataclass(frozen=True)
class IntegerNetwork:
    """A chain of integer layers.

    Args:
        layers: in order, from the first product to the last; only the last one has no thresholds.
        labels: whether the result is the index of the first maximum.
    """

    layers: tuple[IntegerLayer | MaxPool, ...]
    labels: bool

    @cached_property
    def products(self) -> tuple[IntegerLayer, ...]:
        """The layers with weights, in order."""
        return tuple(layer for layer in self.layers if isinstance(layer, IntegerLayer))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the layers are called in hardware: conv0, pool0, conv1, fc0..."""
        counts: dict[str, int] = {}
        names = []
        for layer in self.layers:
            kind = "pool" if isinstance(layer, MaxPool) else "fc" if layer.window is None else "conv"
            counts[kind] = counts.get(kind, -1) + 1
            names.append(f"{kind}{counts[kind]}")
        return tuple(names)

    @property
    def first(self) -> IntegerLayer:
        """The layer that takes the input."""
        return self.products[0]

    @property
    def last(self) -> IntegerLayer:
        """The layer that gives the accumulators of the classes."""
        return self.products[-1]

    @property
    def classes(self) -> int:
        """Accumulators of a frame."""
        return int(np.prod(self.last.output_shape))

    @property
    def input_datatype(self) -> str:
        """QONNX datatype of the input, BIPOLAR or ``INT<n>``."""
        return self.first.input_datatype

    def activations(self, values: IntArray) -> list[IntArray]:
        """Return every layer's result (frames, elements) for integer inputs, the last one's as accumulators."""
        results: list[IntArray] = []
        for layer in self.layers:
            values = layer(values)
            results.append(values.reshape(len(values), -1))
        return results

    def accumulators(self, values: IntArray) -> IntArray:
        """Return the last layer's accumulators (frames, classes) for integer inputs (frames, elements)."""
        result = np.empty((len(values), self.classes), np.int64)
        for start in range(0, len(values), FRAMES_AT_ONCE):
            part = values[start : start + FRAMES_AT_ONCE]
            for layer in self.layers:
                part = layer(part)
            result[start : start + FRAMES_AT_ONCE] = part.reshape(len(part), -1)
        return result

    def results(self, values: IntArray) -> IntArray:
        """Return what the accelerator means by its output: accumulators (frames, classes) or labels (frames, 1)."""
        accumulators = self.accumulators(values)
        return accumulators.argmax(axis=1)[:, None] if self.labels else accumulators
