"""A binary network in integers only: the exact arithmetic that every later stage must reproduce.

a = W x                            weights +-1 or few bits, x integers of the input, +-1 or few bits behind it
x = +1 where a >= T, else -1
maps: x is a window, and every window has the same W and T
between products: max-pools, sums over windows, sums of two branches, gates, and functions of one integer a channel
result: the last a, or the index of its first maximum
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_operations import Add, Gate, MaxPool, Operation, Repeat, Requantize, SumPool

__all__ = ["INPUT", "IntegerNetwork"]

IntArray = npt.NDArray[np.int64]

INPUT = -1
"""Stands for the network's input where a position in ``operations`` is meant."""
FRAMES_AT_ONCE = 64
"""As many have their windows and accumulators in memory at a time."""
NAMES = {MaxPool: "pool", SumPool: "sum", Add: "add", Gate: "gate", Repeat: "repeat", Requantize: "quant"}
"""What operations are called in hardware, with a number behind; products are conv and fc."""


@dataclass(frozen=True)
class IntegerNetwork:
    """Integer operations, each of the results of earlier ones.

    Args:
        operations: in an order in which they can be done; the last one is the product that gives the classes.
        labels: whether the result is the index of the first maximum.
        sources: for each operation the positions of those whose results it takes, or :data:`INPUT`; empty: each takes
            the result of the one before.
    """

    operations: tuple[Operation, ...]
    labels: bool
    sources: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def edges(self) -> tuple[tuple[int, ...], ...]:
        """``sources``, filled in where there are none."""
        return self.sources or tuple((position - 1,) for position in range(len(self.operations)))

    @cached_property
    def products(self) -> tuple[IntegerLayer, ...]:
        """The operations with weights, in order."""
        return tuple(operation for operation in self.operations if isinstance(operation, IntegerLayer))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the operations are called in hardware: conv0, pool0, conv1, fc0..."""
        counts: dict[str, int] = {}
        names = []
        for operation in self.operations:
            if isinstance(operation, IntegerLayer):
                kind = "fc" if operation.window is None else "conv"
            else:
                kind = NAMES[type(operation)]
            counts[kind] = counts.get(kind, -1) + 1
            names.append(f"{kind}{counts[kind]}")
        return tuple(names)

    @property
    def first(self) -> IntegerLayer:
        """The first product, which takes the input."""
        return self.products[0]

    @property
    def last(self) -> IntegerLayer:
        """The product that gives the accumulators of the classes."""
        return self.products[-1]

    @property
    def classes(self) -> int:
        """Accumulators of a frame."""
        return int(np.prod(self.last.output_shape))

    @property
    def input_datatype(self) -> str:
        """QONNX datatype of the input, BIPOLAR or ``INT<n>``."""
        return self.first.input_datatype

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        """For each operation, and :data:`INPUT`, the operations that take its result."""
        readers: dict[int, list[int]] = {position: [] for position in range(INPUT, len(self.operations))}
        for position, sources in enumerate(self.edges):
            for source in sources:
                readers[source].append(position)
        return readers

    def activations(self, values: IntArray) -> list[IntArray]:
        """Return every operation's result (frames, elements) for integer inputs, the last one's as accumulators."""
        results = self._run(values, keep=True)
        arrays = [results[position] for position in range(len(self.operations))]
        return [array.reshape(len(values), int(np.prod(array.shape[1:]))) for array in arrays]

    def accumulators(self, values: IntArray) -> IntArray:
        """Return the last product's accumulators (frames, classes) for integer inputs (frames, elements)."""
        result = np.empty((len(values), self.classes), np.int64)
        for start in range(0, len(values), FRAMES_AT_ONCE):
            part = values[start : start + FRAMES_AT_ONCE]
            last = self._run(part, keep=False)[len(self.operations) - 1]
            result[start : start + FRAMES_AT_ONCE] = last.reshape(len(part), self.classes)
        return result

    def results(self, values: IntArray) -> IntArray:
        """Return what the accelerator means by its output: accumulators (frames, classes) or labels (frames, 1)."""
        accumulators = self.accumulators(values)
        return accumulators.argmax(axis=1)[:, None] if self.labels else accumulators

    def _run(self, values: IntArray, keep: bool) -> dict[int, IntArray]:
        """Return results by position, all of them or only those that something is still to be done with."""
        results = {INPUT: values}
        for position, (operation, sources) in enumerate(zip(self.operations, self.edges, strict=True)):
            results[position] = operation(*(results[source] for source in sources))
            for source in set(sources):
                if not keep and max(self.readers[source]) == position:
                    del results[source]
        return results
