"""A binary perceptron in integers only: the exact arithmetic that every later stage must reproduce.

a_k = W_k x_k                      weights +-1, x_0 integers of the input, x_k = +-1 behind it
x_{k+1} = +1 where a_k >= T_k, else -1
result: the last a_k, or the index of its first maximum
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["IntegerLayer", "IntegerNetwork"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class IntegerLayer:
    """One matrix product with its thresholds.

    Args:
        name: node name in the ONNX file, for messages.
        weights: int64 (inputs, outputs), values -1 and +1.
        thresholds: int64 (outputs,), or None for the last layer. Within ``[acc_min, acc_max + 1]``, so that the first
            value always fires and the last never.
        input_datatype: QONNX datatype of the inputs: BIPOLAR, or ``INT<n>`` for the first layer.
    """

    name: str
    weights: IntArray
    thresholds: IntArray | None
    input_datatype: str

    @property
    def inputs(self) -> int:
        """MW: inputs of the layer."""
        return int(self.weights.shape[0])

    @property
    def outputs(self) -> int:
        """MH: outputs of the layer."""
        return int(self.weights.shape[1])

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
        """Return accumulators (frames, outputs) of integer inputs (frames, inputs)."""
        # float64 holds these integers exactly and multiplies far faster than int64.
        return np.rint(values.astype(np.float64) @ self.weights.astype(np.float64)).astype(np.int64)

    def activate(self, accumulators: IntArray) -> IntArray:
        """Return -1/+1 by threshold; accumulators where there are none."""
        return accumulators if self.thresholds is None else np.where(accumulators >= self.thresholds, 1, -1)


@dataclass(frozen=True)
class IntegerNetwork:
    """A chain of integer layers.

    Args:
        layers: in order; only the last has no thresholds.
        labels: whether the result is the index of the first maximum.
    """

    layers: tuple[IntegerLayer, ...]
    labels: bool

    @property
    def input_datatype(self) -> str:
        """QONNX datatype of the input, BIPOLAR or ``INT<n>``."""
        return self.layers[0].input_datatype

    def activations(self, values: IntArray) -> list[IntArray]:
        """Return every layer's result for integer inputs (frames, inputs), the last one's as accumulators."""
        results: list[IntArray] = []
        for layer in self.layers:
            values = layer.activate(layer.accumulate(values))
            results.append(values)
        return results

    def accumulators(self, values: IntArray) -> IntArray:
        """Return the last layer's accumulators (frames, classes)."""
        return self.activations(values)[-1]

    def results(self, values: IntArray) -> IntArray:
        """Return what the accelerator means by its output: accumulators (frames, classes) or labels (frames, 1)."""
        accumulators = self.accumulators(values)
        return accumulators.argmax(axis=1)[:, None] if self.labels else accumulators
