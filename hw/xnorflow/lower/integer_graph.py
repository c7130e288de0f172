"""The nodes of integer.onnx: each integer operation in ONNX operators that are exact on integers in float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT
from xnorflow.lower.integer_operations import Add, Gate, MaxPool, Operation, Repeat, Requantize, SumPool

__all__ = ["IntegerGraph", "result_name"]


@dataclass
class _Result:
    """What stands for an operation's result: a tensor's name, and whether it is (N, channels, rows, columns)."""

    tensor: str
    is_map: bool


class IntegerGraph:
    """The graph being written: values travel as (N, elements), channels last; within maps as ONNX has them."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._results = {INPUT: _Result("x", False)}
        self._made = 0
        self._current = _Result("x", False)

    def add(self, name: str, operation: Operation, sources: tuple[int, ...]) -> None:
        """Write the nodes of one operation."""
        self._current = replace(self._results[sources[0]])
        match operation:
            case IntegerLayer():
                self._product(name, operation)
            case MaxPool(_, window):
                self._map(name, window)
                self._node("MaxPool", name, [], kernel_shape=window.kernel, strides=window.stride)
            case SumPool():
                self._sum_pool(name, operation)
            case Add(_, shifts):
                self._add(name, shifts, self._results[sources[1]].tensor)
            case Gate():
                self._gate(name, operation, self._results[sources[1]])
            case Repeat():
                self._repeat(name, operation)
            case Requantize():
                self._requantize(name, operation)
        self._made += 1
        self._results[self._made - 1] = self._current

    def flatten(self, position: int, elements: int) -> str:
        """Return the tensor of an operation's result as (N, elements), channels last."""
        self._current = replace(self._results[position])
        self._flat(f"result{position}", elements)
        return self._current.tensor

    def _product(self, name: str, layer: IntegerLayer) -> None:
        largest = max(map(abs, layer.acc_bounds))
        if largest >= 2**24:
            raise LowerError(
                f"layer {layer.name}", f"sums up to {largest}", "sums below 2**24, exact in float32",
                "use fewer inputs or fewer input bits",
            )  # fmt: skip
        if layer.window is None:
            self._flat(name, layer.elements)
            weights = self._constant(f"{name}_weights", layer.weights.astype(np.float32))
            self._node("MatMul", f"{name}_matmul", [weights])
        else:
            window = layer.window
            self._map(name, window)
            kernels = layer.weights.reshape(*window.kernel, window.channels, -1).transpose(3, 2, 0, 1)
            weights = self._constant(f"{name}_weights", np.ascontiguousarray(kernels, np.float32))
            self._node("Conv", f"{name}_conv", [weights], kernel_shape=window.kernel, strides=window.stride)
        if layer.thresholds is not None:
            # Half below the threshold: the difference is never 0, so Sign gives -1 or +1 only.
            thresholds = (layer.thresholds - 0.5).astype(np.float32).reshape(self._channels())
            self._node("Sub", f"{name}_threshold", [self._constant(f"{name}_thresholds", thresholds)])
            self._node("Sign", f"{name}_sign", [])
        elif layer.counted:
            self._count(name, layer.inputs)

    def _count(self, name: str, terms: int) -> None:
        """Make the number of ones of a sum of -1 and +1."""
        self._node("Add", f"{name}_twice", [self._constant(f"{name}_terms", np.asarray(terms, np.float32))])
        self._node("Mul", f"{name}_count", [self._constant(f"{name}_half", np.asarray(0.5, np.float32))])

    def _add(self, name: str, shifts: tuple[int, int], other: str) -> None:
        tensors = [self._current.tensor, other]
        for side, shift in enumerate(shifts):
            if shift:
                self._current.tensor = tensors[side]
                factor = self._constant(f"{name}_factor{side}", np.asarray(2.0**shift, np.float32))
                self._node("Mul", f"{name}_shift{side}", [factor])
                tensors[side] = self._current.tensor
        self._current.tensor = tensors[0]
        self._node("Add", name, tensors[1:])

    def _gate(self, name: str, gate: Gate, codes: _Result) -> None:
        """Write the number that is multiplied, and its factor by look-up: a power would be computed by logarithms."""
        values = self._current.tensor
        self._current.tensor = codes.tensor
        if not codes.is_map:
            self._pixel(name)
        self._node("Cast", f"{name}_code", [], to=7)
        place = self._current.tensor
        table = 2.0 ** np.arange(gate.largest + 1)
        self._current.tensor = self._constant(f"{name}_factors", table.astype(np.float32))
        self._node("Gather", f"{name}_factor", [place])
        factor, self._current.tensor = self._current.tensor, values
        self._node("Mul", f"{name}_scaled", [self._constant(f"{name}_scale", np.asarray(gate.scale, np.float32))])
        self._node("Add", f"{name}_moved", [self._constant(f"{name}_offset", np.asarray(gate.offset, np.float32))])
        self._node("Mul", name, [factor])

    def _repeat(self, name: str, repeat: Repeat) -> None:
        if repeat.pixels is None:
            self._node("Concat", name, [self._current.tensor] * (repeat.times - 1), axis=1)
            return
        if not self._current.is_map:
            self._pixel(name)
        self._node("Tile", name, [self._constant(f"{name}_times", np.asarray((1, 1, *repeat.pixels), np.int64))])
        self._current.is_map = True

    def _pixel(self, name: str) -> None:
        """Make a map of one pixel of (N, channels)."""
        self._node("Reshape", f"{name}_pixel", [self._constant(f"{name}_shape", np.asarray([0, -1, 1, 1], np.int64))])

    def _sum_pool(self, name: str, pool: SumPool) -> None:
        """Write a convolution with ones for each channel: unlike an average, it does not round."""
        window = pool.window
        self._map(name, window)
        ones = self._constant(f"{name}_ones", np.ones((window.channels, 1, *window.kernel), np.float32))
        self._node(
            "Conv", name, [ones], kernel_shape=window.kernel, strides=window.stride, group=window.channels
        )  # fmt: skip
        if pool.counted:
            self._count(name, window.positions)

    def _requantize(self, name: str, function: Requantize) -> None:
        """Write a look-up: integer and channel give the place in one long table."""
        rows, channels = function.table.shape
        low = function.low - function.step * rows * np.arange(channels)
        self._node("Sub", f"{name}_low", [self._constant(f"{name}_lows", self._by_channel(low))])
        if function.step != 1:
            self._node("Div", f"{name}_step", [self._constant(f"{name}_steps", np.asarray(function.step, np.float32))])
        self._node("Cast", f"{name}_place", [], to=7)
        place, table = self._current.tensor, np.ascontiguousarray(function.table.T.reshape(-1), np.float32)
        self._current.tensor = self._constant(f"{name}_table", table)
        self._node("Gather", name, [place])

    def _channels(self) -> tuple[int, ...]:
        return (-1, 1, 1) if self._current.is_map else (-1,)

    def _by_channel(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        return values.astype(np.float32).reshape(self._channels())

    def _flat(self, name: str, elements: int) -> None:
        if self._current.is_map:
            self._node("Transpose", f"{name}_channels_last", [], perm=[0, 2, 3, 1])
            self._node("Reshape", f"{name}_flat", [self._constant(f"{name}_size", np.asarray([0, elements], np.int64))])
            self._current.is_map = False

    def _map(self, name: str, window: Window) -> None:
        """Make maps (N, channels, rows, columns) of what is there, padded."""
        if not self._current.is_map:
            shape = np.asarray([0, window.rows, window.columns, window.channels], np.int64)
            self._node("Reshape", f"{name}_map", [self._constant(f"{name}_shape", shape)])
            self._node("Transpose", f"{name}_channels_first", [], perm=[0, 3, 1, 2])
            self._current.is_map = True
        if window.padding:
            top, left, bottom, right = window.pads
            amounts = self._constant(f"{name}_pads", np.asarray([0, 0, top, left, 0, 0, bottom, right], np.int64))
            value = self._constant(f"{name}_pad_value", np.asarray(window.pad_value, np.float32))
            self._node("Pad", f"{name}_pad", [amounts, value])

    def _constant(self, name: str, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _node(self, kind: str, name: str, operands: list[str], **attributes: Any) -> None:
        from onnx import helper

        output = f"{name}_out"
        self.nodes.append(helper.make_node(kind, [self._current.tensor, *operands], [output], name=name, **attributes))
        self._current.tensor = output


def result_name(name: str, operation: Operation) -> str:
    """Return the tensor that holds an operation's result."""
    if isinstance(operation, IntegerLayer):
        kind = "matmul" if operation.window is None else "conv"
        if operation.thresholds is not None:
            return f"{name}_sign_out"
        return f"{name}_count_out" if operation.counted else f"{name}_{kind}_out"
    return f"{name}_count_out" if isinstance(operation, SumPool) and operation.counted else f"{name}_out"
