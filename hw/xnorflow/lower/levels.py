"""What integers stand for: real values on a regular grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.lower.operators import attributes_of

__all__ = ["Levels", "datatype_of", "last_bit", "levels_of", "lines_of", "of_several_bits", "same_for_all",
           "two_levels", "whole_steps"]  # fmt: skip

Float64 = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MOST_BITS = 16
"""Of an integer between layers."""


@dataclass(frozen=True)
class Levels:
    """The real values of a tensor of integers: ``offset + scale * q``.

    Args:
        values: float64, those that occur.
        scale: of an integer ``q``.
        offset: of all.
        datatype: of the integers, BIPOLAR or ``INT<n>``.
    """

    values: Float64
    scale: float
    offset: float
    datatype: str

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest integer of the datatype."""
        if self.datatype == "BIPOLAR":
            return -1, 1
        half = 2 ** (int(self.datatype.removeprefix("INT")) - 1)
        return -half, half - 1

    def integer_of(self, real: float) -> int | None:
        """Return the ``q`` of a real value within the datatype, or None where it has none."""
        number = (real - self.offset) / self.scale
        integer = round(number)
        low, high = self.range
        fits = integer in (-1, 1) if self.datatype == "BIPOLAR" else low <= integer <= high
        return integer if fits and abs(number - integer) < 1e-3 else None

    def __call__(self, integers: IntArray) -> FloatArray:
        """Return the real values of integers, rounded once an operation."""
        real = integers.astype(np.float32) * np.float32(self.scale)
        return real + np.float32(self.offset) if self.offset else real


def datatype_of(low: int, high: int) -> str:
    """Return the QONNX datatype ``INT<n>`` that holds ``low`` to ``high``, of 2 bits at least."""
    return f"INT{max(int(max(high, -low - 1)).bit_length() + 1, 2)}"


def two_levels(bottom: float, top: float) -> Levels:
    """Return the levels of an activation ``offset + scale * q``, q = -1 or +1; a constant one has q = +1."""
    if bottom == top:  # the scale is above 0 like any other
        scale = abs(bottom) or 1.0
        return Levels(np.asarray([bottom]), scale, bottom - scale, "BIPOLAR")
    return Levels(np.asarray([bottom, top]), (top - bottom) / 2, (top + bottom) / 2, "BIPOLAR")


def same_for_all(grid: IntArray, values: FloatArray, datatype: str) -> Levels | None:
    """Return what integers mean where that is the same line for all channels, rising; else None.

    Args:
        grid: int64 (integers,).
        values: float32 (integers, channels), what becomes of them.
        datatype: of the integers.
    """
    if (values != values[:, :1]).any():
        return None
    found = lines_of(grid, values[:, :1])
    if found is None:
        return None
    scale, offsets = found
    return Levels(values[:, 0].astype(np.float64), scale, float(offsets[0]), datatype)


def lines_of(grid: IntArray, values: FloatArray) -> tuple[float, Float64] | None:
    """Return the scale, and the offset of each channel, where integers are rising lines of one scale; else None.

    Args:
        grid: int64 (integers,).
        values: float32 (integers, channels), what becomes of them.
    """
    real = values.astype(np.float64)
    scale = float((real[-1, 0] - real[0, 0]) / (grid[-1] - grid[0])) if len(grid) > 1 else 0.0
    if scale <= 0:
        return None
    zero = int((grid == 0).argmax())  # where 0 is among them the offset is what becomes of it, not rounded again
    offsets = real[zero] - scale * grid[zero]
    if not np.allclose(grid[:, None] * scale + offsets, real, rtol=0, atol=scale * 1e-3):
        return None
    return scale, offsets


def whole_steps(grid: IntArray, values: FloatArray) -> tuple[Levels, IntArray] | None:
    """Return levels and integers of lines as in :func:`lines_of` whose offsets are half steps apart; else None.

    Sums of an odd number of signs are odd: as a count each is half a step off the even ones.
    """
    found = lines_of(grid, values)
    if found is None:
        return None
    for factor in (1, 2):
        scale, offsets = found[0] / factor, found[1]
        base = float(offsets[0] - np.rint(offsets[0] / scale) * scale)
        steps = np.rint((offsets - base) / scale)
        if np.allclose(steps * scale + base, offsets, rtol=0, atol=scale * 1e-3):
            integers = factor * grid[:, None] + steps.astype(np.int64)
            datatype = datatype_of(int(integers.min()), int(integers.max()))
            return Levels(np.unique(values.astype(np.float64)), scale, base, datatype), integers
    return None


def levels_of(values: FloatArray, quantizer: Any, constants: dict[str, FloatArray]) -> tuple[Levels, IntArray] | None:
    """Return what quantized values are as integers: their levels and the integers, or None where they are no grid.

    Args:
        values: float32 (integers, channels), with at least one value.
        quantizer: the node that gave them.
        constants: its operands.
    """
    real = values.astype(np.float64)
    distinct = np.unique(real)
    if len(distinct) <= 2 and not of_several_bits(quantizer, constants):
        levels = two_levels(float(distinct[0]), float(distinct[-1]))
        signs = np.where(real > levels.offset, 1, -1) if len(distinct) == 2 else np.ones(real.shape)
        return levels, signs.astype(np.int64)
    declared = _scale_of(quantizer, constants)
    for scale in (declared,) if declared else (float(np.diff(distinct).min(initial=np.inf)), last_bit(distinct)):
        offset = 0.0 if abs(distinct[0] / scale - np.rint(distinct[0] / scale)) < 1e-3 else float(distinct[0])
        numbers = np.rint((real - offset) / scale)
        low, high = float(numbers.min()), float(numbers.max())
        small = max(high, -low - 1) < 2 ** (MOST_BITS - 1)
        if small and np.allclose(numbers * scale + offset, real, rtol=0, atol=scale * 1e-3):
            return Levels(distinct, scale, offset, datatype_of(int(low), int(high))), numbers.astype(np.int64)
    return None


def of_several_bits(quantizer: Any, constants: dict[str, FloatArray]) -> bool:
    """Return whether a node is a Quant that says it has 2 bits or more, even if only two values ever come.

    Such values are added to others of the same scale; as -1 and +1 they would be of another.
    """
    if quantizer.op_type not in ("Quant", "IntQuant") or _scale_of(quantizer, constants) is None:
        return False
    bits = constants.get(quantizer.input[3])
    return bits is not None and bool((bits >= 2).all())


def last_bit(numbers: Float64) -> float:
    """Return the largest power of two that all numbers are multiples of; infinity where there is none but 0."""
    mantissas, exponents = np.frexp(np.unique(numbers[numbers != 0]))
    whole = (np.abs(mantissas) * 2.0**53).astype(np.int64)
    lowest = (whole & -whole).astype(np.float64)
    return float(np.min(np.ldexp(lowest, exponents - 53), initial=np.inf))


def _scale_of(quantizer: Any, constants: dict[str, FloatArray]) -> float | None:
    """Return the scale that a quantizer says it has, for all channels; None where it does not."""
    if quantizer.op_type in ("Quant", "IntQuant"):
        scale = constants.get(quantizer.input[1])
    elif quantizer.op_type == "MultiThreshold":
        return float(attributes_of(quantizer).get("out_scale", 1.0))
    else:
        return None
    if scale is None or scale.size == 0 or (scale != scale.reshape(-1)[0]).any():
        return None
    return float(scale.reshape(-1)[0])
