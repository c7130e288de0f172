"""A product of weights and inputs in integers, with its thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window

__all__ = ["IntegerLayer"]

IntArray = npt.NDArray[np.int64]

EXACT = 2**24
"""float32 holds every integer up to here."""


@dataclass(frozen=True)
class IntegerLayer:
    """One matrix product with its thresholds, for a frame's values or for each window of its maps.

    Args:
        name: node name in the ONNX file, for messages.
        weights: int64 (inputs, outputs), values -1 and +1, or of few bits; the inputs of a window by row, column and
            channel.
        thresholds: int64 (outputs,), or None for the last layer. Within ``[acc_min, acc_max + 1]``, so that the first
            value always fires and the last never.
        input_datatype: QONNX datatype of the inputs: BIPOLAR, or ``INT<n>`` for the first layer.
        window: what a product is made of; None: all values of a frame.
        bounds: smallest and largest input, where they are known better than by the datatype.
        counted: whether a result is the number of terms that are +1, 0 to ``inputs``, instead of their sum. Only where
            all terms are -1 or +1, without thresholds.
    """

    name: str
    weights: IntArray
    thresholds: IntArray | None
    input_datatype: str
    window: Window | None = None
    bounds: tuple[int, int] | None = None
    counted: bool = False

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
    def binary_weights(self) -> bool:
        """Whether all weights are -1 or +1."""
        return bool((np.abs(self.weights) == 1).all())

    @property
    def acc_bounds(self) -> tuple[int, int]:
        """Smallest and largest accumulator that any input can give."""
        if self.bounds is not None:
            ends = self.weights[None] * np.asarray(self.bounds)[:, None, None]
            return int(ends.min(axis=0).sum(axis=0).min()), int(ends.max(axis=0).sum(axis=0).max())
        largest = self.inputs * (1 if self.binary_input else 2 ** (int(self.input_datatype.removeprefix("INT")) - 1))
        return -largest, largest

    @property
    def result_bounds(self) -> tuple[int, int]:
        """Smallest and largest result without thresholds."""
        return (0, self.inputs) if self.counted else self.acc_bounds

    def accumulate(self, values: IntArray) -> IntArray:
        """Return accumulators (frames, *output_shape) of integer inputs (frames, ...)."""
        # Floats that hold these integers exactly multiply far faster than int64.
        kind: npt.DTypeLike = np.float32 if max(map(abs, self.acc_bounds)) < EXACT else np.float64
        weights = self.weights.astype(kind)
        if self.window is None:
            return np.rint(values.reshape(len(values), self.inputs).astype(kind) @ weights).astype(np.int64)
        maps = values.reshape(len(values), self.window.rows, self.window.columns, self.window.channels)
        windows = self.window.cut(maps.astype(kind)).reshape(-1, self.inputs)
        return np.rint(windows @ weights).astype(np.int64).reshape(-1, *self.output_shape)

    def activate(self, accumulators: IntArray) -> IntArray:
        """Return -1/+1 by threshold; accumulators, or counts, where there are none."""
        if self.thresholds is not None:
            return np.where(accumulators >= self.thresholds, 1, -1)
        return (accumulators + self.inputs) // 2 if self.counted else accumulators

    def __call__(self, values: IntArray) -> IntArray:
        """Return results (frames, *output_shape) of integer inputs (frames, ...)."""
        return self.activate(self.accumulate(values))
