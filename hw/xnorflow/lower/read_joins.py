"""Where two branches of the file meet, as an integer operation: sums and gates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.integer_network import INPUT
from xnorflow.lower.integer_operations import Add, Gate, Repeat, Requantize
from xnorflow.lower.levels import Levels, datatype_of
from xnorflow.lower.operators import node_name
from xnorflow.lower.read_operations import grid_in, integers_of, levels_in, misplaced
from xnorflow.lower.settle import Operations
from xnorflow.lower.tensors import Tensor, order_of

__all__ = ["read_join"]

Float64 = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SMALLEST_RATIO = 1e-6
"""Scales of two branches that differ by less are the same number, rounded twice."""
MOST_SHIFT = 24
MOST_CODE = 7


def read_join(operations: Operations, node: Any, left: Tensor, right: Tensor) -> Tensor:
    """Read an operator of two tensors.

    Where both are functions of the same integer, so is what it gives; else it is a sum of branches, or the product of a
    map with a power of two for each channel.

    Raises:
        InputModelError: integers cannot do it.
    """
    for tensor in (left, right):
        if tensor.padding is not None:
            raise misplaced(tensor.padding.node)
    if _same_integers(left, right):
        behind = [later for later in right.pending if later not in left.pending]
        return replace(left, pending=(*left.pending, *behind, node), alone=left.alone and right.alone)
    if node.op_type == "Add":
        return _read_add(operations, node, left, right)
    if node.op_type == "Mul":
        return _read_gate(operations, node, left, right)
    raise InputModelError(
        f"node {node_name(node)}", f"{node.op_type} of 2 branches", "Add of two branches, or Mul with a gate",
        "join branches by an addition",
    )  # fmt: skip


def _same_integers(left: Tensor, right: Tensor) -> bool:
    return (
        left.source == right.source
        and left.to_real is right.to_real
        and left.pools == right.pools
        and left.order.shape == right.order.shape
        and bool((left.order == right.order).all())
    )


@dataclass(frozen=True)
class _Side:
    """A branch of integers that are real numbers by one scale, and an offset for each channel."""

    tensor: Tensor
    scale: float
    offsets: Float64


def _side(operations: Operations, node: Any, tensor: Tensor) -> _Side:
    found = operations.as_lines(tensor) if tensor.in_order else None
    if found is not None:
        return _Side(*found)
    tensor = integers_of(operations, tensor)
    levels = levels_in(tensor)
    if levels.datatype == "BIPOLAR":
        raise InputModelError(
            f"node {node_name(node)}", "a branch of 1-bit values", "branches of 2 bits and more",
            "add before the sign, as residual networks do",
        )  # fmt: skip
    return _Side(tensor, levels.scale, np.full(tensor.channels, levels.offset))


def _read_add(operations: Operations, node: Any, left: Tensor, right: Tensor) -> Tensor:
    sides = [_side(operations, node, tensor) for tensor in (left, right)]
    first, second = (side.tensor for side in sides)
    if first.order.shape != second.order.shape or _travels_as(first) != _travels_as(second):
        shapes = " and ".join("x".join(str(size) for size in tensor.order.shape[1:]) for tensor in (first, second))
        raise InputModelError(
            f"node {node_name(node)}", f"branches of shapes {shapes}", "branches of the same shape",
            "bring the shortcut to the shape of the other branch: average-pool and repeat the channels",
        )  # fmt: skip
    shifts = _shifts(node, [side.scale for side in sides])
    grids = [grid_in(side.tensor) << shift for side, shift in zip(sides, shifts, strict=True)]
    sums = np.arange(grids[0][0] + grids[1][0], grids[0][-1] + grids[1][-1] + 1)
    position = operations.append(Add(node_name(node), shifts), first.source, second.source)
    scale, offsets = min(side.scale for side in sides), sides[0].offsets + sides[1].offsets
    joined = replace(first, source=position, name=node_name(node), grid=sums, levels=None, pending=(), alone=True)
    if (offsets != offsets[0]).any():
        return replace(joined, to_real=lambda q: q.astype(np.float32) * np.float32(scale) + offsets.astype(np.float32))
    levels = Levels(sums * scale + offsets[0], scale, float(offsets[0]), datatype_of(int(sums[0]), int(sums[-1])))
    return replace(joined, to_real=levels, levels=levels)


def _shifts(node: Any, scales: list[float]) -> tuple[int, int]:
    """Return by how many bits each side is shifted, so that both have the smaller scale."""
    exponent = round(math.log2(scales[0] / scales[1]))
    if abs(scales[0] - scales[1] * 2.0**exponent) > SMALLEST_RATIO * scales[0] or abs(exponent) > MOST_SHIFT:
        raise InputModelError(
            f"node {node_name(node)}", f"branches of scales {scales[0]:g} and {scales[1]:g}",
            "one scale for both, or a power of two times it", "quantize both branches with the same scale",
        )  # fmt: skip
    return max(exponent, 0), max(-exponent, 0)


def _travels_as(tensor: Tensor) -> tuple[int, ...] | None:
    return None if tensor.source == INPUT and tensor.order.ndim != 4 else tensor.shape


def _read_gate(operations: Operations, node: Any, left: Tensor, right: Tensor) -> Tensor:
    """Read the product of a map with a factor for each of its channels, (1, channels, 1, 1)."""
    sides = [integers_of(operations, tensor) for tensor in (left, right)]
    # Over a map of one pixel both are alike: the factors are those that are powers of two.
    values, factors = sorted(sides, key=lambda side: (-side.order.size, _codes_of(operations, side) is not None))
    if values.shape is None or factors.order.shape != (1, values.channels, 1, 1):
        shapes = " and ".join("x".join(str(size) for size in side.order.shape[1:]) for side in (left, right))
        raise InputModelError(
            f"node {node_name(node)}", f"a product of two branches of shapes {shapes}",
            "a map times one factor a channel", "gate whole channels, with factors (1, channels, 1, 1)",
        )  # fmt: skip
    levels, (unit, largest) = levels_in(values), _as_codes(operations, node, factors)
    # The number that is multiplied must be 0 where the real one is: of a count of n terms, twice the count less n.
    grid = grid_in(values)
    counted = grid[0] == 0 and abs(2 * levels.offset / levels.scale + grid[-1]) < SMALLEST_RATIO * grid[-1]
    scale = 2 if counted else 1
    offset = levels.offset * scale / levels.scale
    if abs(offset - round(offset)) > SMALLEST_RATIO * max(abs(offset), 1):
        raise InputModelError(
            f"node {node_name(node)}", f"a gate of values {levels.scale:g} n + {levels.offset:g}",
            "an offset of whole steps", "gate the sums of a product, in front of its normalization",
        )  # fmt: skip
    pixels = values.shape[1:]
    codes = factors.source
    if pixels != (1, 1):
        times = pixels[0] * pixels[1]
        codes = operations.append(Repeat(node_name(node), values.channels, times, pixels), codes)
    gate = Gate(node_name(node), scale, round(offset), largest)
    position = operations.append(gate, values.source, codes)
    ends = (scale * grid[[0, -1]] + gate.offset)[:, None] << np.asarray([0, largest])
    grid = np.arange(ends.min(), ends.max() + 1)
    unit *= levels.scale / scale
    real = np.asarray(grid * unit, np.float64)
    gated = Levels(real, unit, 0.0, datatype_of(int(grid[0]), int(grid[-1])))
    order = order_of((1, *values.shape))
    return replace(
        values, source=position, name=node_name(node), order=order, grid=grid, to_real=gated, levels=gated, pending=(),
        alone=True,
    )  # fmt: skip


def _as_codes(operations: Operations, node: Any, factors: Tensor) -> tuple[float, int]:
    """Let the function that gives the factors give their exponents; return the smallest factor, and the last code."""
    found = _codes_of(operations, factors)
    if found is None:
        real = ", ".join(f"{value:g}" for value in np.unique(_factors_of(operations, factors))[:6])
        raise InputModelError(
            f"node {node_name(node)}", f"a gate whose factors are {real}",
            f"powers of two that nothing else reads, of a ratio of at most {2**MOST_CODE}",
            'use gate = "power_of_two" or "static"',
        )  # fmt: skip
    unit, codes = found
    function, largest = operations.made[factors.source], int(codes.max())
    assert isinstance(function, Requantize)
    bits = max(largest.bit_length(), 2)
    operations.made[factors.source] = replace(function, table=codes, datatype=f"UINT{bits}")
    return unit, largest


def _codes_of(operations: Operations, factors: Tensor) -> tuple[float, IntArray] | None:
    """Return the smallest factor, and the exponents of all over it; None where they are no powers of two."""
    real = _factors_of(operations, factors)
    unit = float(real.min())
    if unit <= 0 or not factors.alone:
        return None
    codes = np.rint(np.log2(real / unit))
    fits = codes.max() <= MOST_CODE and np.allclose(unit * 2.0**codes, real, rtol=1e-6, atol=0)
    return (unit, codes.astype(np.int64)) if fits else None


def _factors_of(operations: Operations, factors: Tensor) -> Float64:
    """Return what a function gives as real numbers (integers, channels); 0 where it is none."""
    function = operations.made[factors.source] if factors.source != INPUT else None
    levels = levels_in(factors)
    integers = function.table if isinstance(function, Requantize) else None
    return np.zeros((1, 1)) if integers is None else np.asarray(levels.scale * integers + levels.offset, np.float64)
