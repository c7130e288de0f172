"""The integer operations found so far, and how float operators become one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.extract_input import InputLevels, extract_input
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import INPUT
from xnorflow.lower.integer_operations import MaxPool, Operation, Requantize
from xnorflow.lower.levels import (
    Levels,
    datatype_of,
    levels_of,
    lines_of,
    of_several_bits,
    same_for_all,
    two_levels,
    whole_steps,
)
from xnorflow.lower.products import ToReal
from xnorflow.lower.segments import Segment
from xnorflow.lower.tensors import Tensor
from xnorflow.lower.thresholds import MOST_VALUES, more_bits, with_thresholds

__all__ = ["FoundProduct", "Operations"]

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FoundProduct:
    """A product before thresholds, with the way to the file's real sums."""

    layer: IntegerLayer
    to_real: ToReal


class Operations:
    """The integer operations of a graph, in order.

    Args:
        model: the qonnx ModelWrapper.

    Attributes:
        model: the same.
        made: the operations.
        sources: for each the positions whose results it takes.
        products: those with weights, by position.
        flipped: neurons that were negated, by position of their product.
        entry: levels of the input, once something needs them.
        head: the operators in front of it.
        input_order: how a frame's values travel; None where as they are.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.made: list[Operation] = []
        self.sources: list[tuple[int, ...]] = []
        self.products: dict[int, FoundProduct] = {}
        self.flipped: dict[int, int] = {}
        self.entry: InputLevels | None = None
        self.input_order: IntArray | None = None
        self.head: Segment | None = None

    def append(self, operation: Operation, *sources: int) -> int:
        """Add an operation and return its position."""
        self.made.append(operation)
        self.sources.append(sources)
        return len(self.made) - 1

    def shared(self, tensor: Tensor) -> Tensor:
        """Return a tensor that several nodes read: integers, if it is quantized."""
        return replace(self.settle(tensor) if tensor.quantized else tensor, alone=False)

    def settle(self, tensor: Tensor) -> Tensor:
        """Return a tensor with nothing left to be done, as integers that mean the same in all channels.

        Raises:
            InputModelError: its values are no integers on one grid.
        """
        if tensor.grid is None:
            tensor = self._enter(tensor)
        if tensor.settled:
            return tensor
        segment = Segment(self.model, list(tensor.pending), tensor.channels)
        product = self.products.get(tensor.source)
        wide = bool(segment.nodes) and of_several_bits(segment.nodes[-1], segment.constants)
        firing = product is not None and product.layer.binary_weights and tensor.levels is None and tensor.alone
        if product is not None and firing and tensor.pending and not wide:
            found = with_thresholds(segment, product.layer, product.to_real)
            if found is not None:
                self.made[tensor.source] = found.layer
                self.flipped[tensor.source] = found.flipped
                levels = two_levels(found.bottom, found.top)
                return self._pool(_settled(tensor, tensor.source, levels, np.asarray([-1, 1])), found.flipped)
        return self._requantize(self._counted(tensor), segment)

    def as_lines(self, tensor: Tensor) -> tuple[Tensor, float, Float64] | None:
        """Return the raw sums of a product, the scale that they have in all channels, and each channel's offset.

        None where the tensor is something else, or there are no such lines.
        """
        product = self.products.get(tensor.source)
        if product is None or tensor.levels is not None or tensor.quantized or tensor.pools:
            return None
        counted = self._counted(tensor)
        assert counted.grid is not None
        rows = np.broadcast_to(counted.grid[:, None], (len(counted.grid), tensor.channels))
        segment = Segment(self.model, list(tensor.pending), tensor.channels)
        found = lines_of(counted.grid, segment(counted.to_real(rows)))
        return None if found is None else (replace(counted, pending=()), *found)

    def _counted(self, tensor: Tensor) -> Tensor:
        """Return the raw sums of a product of 1-bit values as counts, which is what its unit gives."""
        product = self.products.get(tensor.source)
        if product is None or not product.layer.binary_input or tensor.to_real is not product.to_real:
            return tensor
        layer, low = product.layer, -product.layer.inputs
        self.made[tensor.source] = replace(layer, counted=True)
        grid = np.arange(layer.inputs + 1)
        return replace(tensor, grid=grid, to_real=lambda counts: product.to_real(2 * counts + low))

    def _enter(self, tensor: Tensor) -> Tensor:
        """Return the network's input as integers."""
        segment = Segment(self.model, list(tensor.pending), tensor.channels)
        if self.head is None or self.entry is None:
            _check_head(segment)
            self.entry, self.head = extract_input(segment), segment
        elif segment.nodes != self.head.nodes:
            raise InputModelError(
                f"node {segment.last_node}", "a second quantizer of the input", "one for all layers that read it",
                "quantize the input once",
            )  # fmt: skip
        entry = self.entry
        levels = Levels(entry.values.astype(np.float64), entry.scale, entry.offset, entry.datatype)
        grid = np.unique(entry.levels)
        return self._pool(_settled(replace(tensor, to_real=levels), INPUT, levels, grid), 0)

    def _requantize(self, tensor: Tensor, segment: Segment) -> Tensor:
        grid = tensor.grid
        assert grid is not None
        rows = np.broadcast_to(grid[:, None], (len(grid), tensor.channels))
        if rows.size > MOST_VALUES:
            raise InputModelError(
                f"node {segment.last_node}", f"a function of {len(grid)} integers in {tensor.channels} channels",
                f"at most {MOST_VALUES} in all", "use fewer inputs or fewer input bits",
            )  # fmt: skip
        values = segment(tensor.to_real(rows))
        datatype = datatype_of(int(grid[0]), int(grid[-1])) if tensor.levels is None else tensor.levels.datatype
        line = same_for_all(grid, values, datatype)
        if line is not None:
            return self._pool(replace(_settled(tensor, tensor.source, line, grid), to_real=line), 0)
        found = levels_of(values, segment.nodes[-1], segment.constants) if segment.nodes else None
        found = found or whole_steps(grid, values)
        if found is None:
            raise more_bits(segment, tensor.name, values)
        levels, table = found
        step = int(grid[1] - grid[0]) if len(grid) > 1 else 1
        name = segment.last_node if segment.nodes else tensor.name
        operation = Requantize(name, int(grid[0]), step, table, levels.datatype)
        position = self.append(operation, tensor.source)
        integers = np.asarray([-1, 1]) if levels.datatype == "BIPOLAR" else np.arange(table.min(), table.max() + 1)
        settled = replace(_settled(tensor, position, levels, integers), name=name)
        return self._pool(settled, 0 if operation.rising else int((np.diff(table, axis=0) < 0).any(axis=0).sum()))

    def _pool(self, tensor: Tensor, falling: int) -> Tensor:
        """Append the max-pools that stood among the operators: the same behind them where all of it grows."""
        pools = tensor.pools
        if pools and falling:
            raise InputModelError(
                f"node {pools[0].name}", f"a MaxPool in front of an activation that falls with the sum in {falling} "
                "channels", "activation, then MaxPool",
                "put the pool behind the sign, or train with BatchNorm factors above 0",
            )  # fmt: skip
        for pool in pools:
            tensor = self.max_pool(replace(tensor, pools=()), pool.name, pool.window)
        return tensor

    def max_pool(self, tensor: Tensor, name: str, window: Any) -> Tensor:
        """Append a max-pool of integers; the order of the values is the caller's to set."""
        assert tensor.grid is not None and tensor.shape is not None
        operation = MaxPool(name, replace(window, pad_value=int(tensor.grid[0])))
        position = self.append(operation, tensor.source)
        return replace(tensor, source=position, name=name, shape=(tensor.shape[0], *window.output))


def _settled(tensor: Tensor, source: int, levels: Levels, grid: IntArray) -> Tensor:
    return replace(tensor, source=source, levels=levels, to_real=levels, grid=grid, pending=(), alone=True)


def _check_head(head: Segment) -> None:
    found = head.mixed_operand()
    if found:
        raise InputModelError(
            f"node {found[0]}", f"an input operation with {found[1]} different constants",
            "one scale and one offset for all inputs", "normalize with scalars before the first layer",
        )  # fmt: skip
