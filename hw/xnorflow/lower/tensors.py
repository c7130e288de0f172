"""A tensor of the file during extraction: integers that travel, and the float operators that are still to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.windows import Window
from xnorflow.lower.levels import Levels
from xnorflow.lower.operators import ORDER_OPS, QUANTIZER_OPS, attributes_of

__all__ = ["Padding", "Pool", "Tensor", "order_of"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """A MaxPool of values that are not yet quantized.

    Args:
        name: its node name in the file.
        window: what it takes the largest value of.
    """

    name: str
    window: Window


@dataclass(frozen=True)
class Padding:
    """A Pad.

    Args:
        node: it.
        amounts: rows above, columns on the left, rows below, columns on the right.
        value: the real number that it puts there.
    """

    node: Any
    amounts: tuple[int, int, int, int]
    value: float


@dataclass(frozen=True)
class Tensor:
    """Integers that an operation gives, with what the file does to them up to this tensor.

    Args:
        source: position of the operation that gives the integers.
        name: of its node in the file, for messages.
        channels: of a pixel, or values of a frame where there are no maps.
        shape: (channels, rows, columns) of the maps; None where there are none.
        order: where each value stood in a flattened (channels, rows, columns) when the integers were given, in the
            shape that the file has it in.
        grid: int64, the integers that can be there, ascending in equal steps; None for the network's input.
        to_real: float32 (rows, channels) of integers (rows, channels).
        levels: the same for all channels as scale and offset; None where channels differ.
        pending: float operators behind it, in order; all element-wise.
        pools: max-pools among them, whose place does not matter where all of it grows with the integer.
        padding: the last of them, where it is a Pad.
        alone: whether nothing else reads the integers, or what became of them on the way here.
    """

    source: int
    name: str
    channels: int
    shape: tuple[int, int, int] | None
    order: IntArray
    grid: IntArray | None
    to_real: Callable[[IntArray], FloatArray]
    levels: Levels | None
    pending: tuple[Any, ...] = ()
    pools: tuple[Pool, ...] = ()
    padding: Padding | None = None
    alone: bool = True

    @property
    def quantized(self) -> bool:
        """Whether a quantizer is among what is still to be done."""
        return any(node.op_type in QUANTIZER_OPS for node in self.pending)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done, and all channels mean the same by an integer."""
        return not self.pending and self.levels is not None and self.grid is not None

    @property
    def in_order(self) -> bool:
        """Whether values stand where they stood when the integers were given."""
        return bool((np.diff(self.order.reshape(-1)) == 1).all())

    def moved(self, node: Any, shape: tuple[int, ...]) -> Tensor:
        """Return the tensor behind an operator that only moves values about."""
        order = self.order
        if node.op_type in ORDER_OPS:
            order = order.transpose(attributes_of(node).get("perm", list(range(order.ndim))[::-1]))
        return replace(self, order=order.reshape(shape))

    def then(self, node: Any) -> Tensor:
        """Return the tensor behind an element-wise operator."""
        return replace(self, pending=(*self.pending, node))


def order_of(shape: tuple[int, ...]) -> IntArray:
    """Return the order of values that nobody has moved, in a tensor of this shape."""
    return np.arange(int(np.prod(shape))).reshape(shape)
