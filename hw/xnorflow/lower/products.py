"""A matrix product with weights of 1 bit, or few, as integers, and the way back to the file's real numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.levels import Levels, last_bit

__all__ = ["Product", "ToReal", "integer_product"]

Float64 = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MOST_WEIGHT_BITS = 8
EXACT = 2.0**24
"""float32 holds every integer up to here."""


@dataclass(frozen=True)
class Product:
    """A product of weights and inputs as the file has it.

    Args:
        name: its node name.
        weights: float64 (inputs, outputs), scale included; the rows in the order in which the values travel: rows,
            columns and channels of a window, or of a frame.
        bias: float64 (outputs,) added to the product, or zeros.
        window: of a convolution; else None.
        pad: the real value around the map, where the window has padding.
    """

    name: str
    weights: Float64
    bias: Float64
    window: Window | None
    pad: float


@dataclass(frozen=True)
class ToReal:
    """Real sums of a product: ``(slope * accumulator + shift) + bias``, in float32, rounded once an operation.

    Args:
        slope: float32 (outputs,).
        shift: float32 (outputs,), from input levels that do not lie around 0.
        bias: float32 (outputs,), the file's.
        scale: real value of an input integer ``q``: ``offset + scale * q``.
        offset: see ``scale``.
        input_datatype: of the input integers.
        unit: what the weights are whole multiples of; None where they are -s and +s in each column.
        exact: whether the file's own float32 sums never round, whatever their order.
    """

    slope: FloatArray
    shift: FloatArray
    bias: FloatArray
    scale: float
    offset: float
    input_datatype: str
    unit: float | None
    exact: bool

    def __call__(self, accumulators: npt.NDArray[np.int64]) -> FloatArray:
        """Return float32 (rows, outputs) of accumulators (rows, outputs)."""
        real = accumulators.astype(np.float32) * self.slope
        for constant in (self.shift, self.bias):
            if constant.any():
                real = real + constant
        return real


def integer_product(stage: Product, levels: Levels, bounds: tuple[int, int] | None) -> tuple[IntegerLayer, ToReal]:
    """Take the integers of a product's weights; put their unit and the inputs' scale behind it.

    Args:
        stage: the product.
        levels: what its inputs can be.
        bounds: smallest and largest input integer; None: by the datatype.

    Raises:
        InputModelError: the weights are neither of 1 bit nor, behind integers, of few bits, or padding has a value that
            inputs cannot have.
    """
    found = _few_bits(stage, levels) if len(stage.weights) == 1 else None
    found = found or _signs(stage) or _few_bits(stage, levels)
    if found is None:
        raise _more_bits(stage, levels)
    integers, units = found
    binary = bool((np.abs(integers) == 1).all())
    shift = levels.offset * units * integers.sum(axis=0)
    window, values = stage.window, levels.values
    if window is not None and window.padding:
        window = replace(window, pad_value=_pad_value(stage, levels))
        values = np.append(values, stage.pad)
        bounds = bounds and (min(bounds[0], window.pad_value), max(bounds[1], window.pad_value))
    to_real = ToReal(
        (levels.scale * units).astype(np.float32), shift.astype(np.float32), stage.bias.astype(np.float32),
        levels.scale, levels.offset, levels.datatype, None if binary else float(units[0]),
        _sums_exactly(values, stage.weights),
    )  # fmt: skip
    bounds = None if binary else bounds or levels.range
    return IntegerLayer(stage.name, integers, None, levels.datatype, window, bounds), to_real


def _signs(stage: Product) -> tuple[IntArray, Float64] | None:
    """Return weights as signs, and their magnitude in each column; None where a column has several magnitudes."""
    magnitudes = np.abs(stage.weights)
    per_channel = magnitudes.max(axis=0)
    if (per_channel == 0).any() or not np.allclose(magnitudes, per_channel, rtol=1e-5, atol=0):
        return None
    return np.where(stage.weights > 0, 1, -1).astype(np.int64), per_channel


def _few_bits(stage: Product, levels: Levels) -> tuple[IntArray, Float64] | None:
    """Return weights as multiples of one unit, and the unit for each column; None where there is none.

    Inputs are integers of several bits: those of 1 bit meet weights of 1 bit only.
    """
    magnitudes = np.abs(stage.weights[stage.weights != 0])
    if levels.datatype == "BIPOLAR" or not len(magnitudes):
        return None
    for unit in (float(magnitudes.min()), last_bit(stage.weights)):
        integers = np.rint(stage.weights / unit)
        small = np.abs(integers).max() < 2 ** (MOST_WEIGHT_BITS - 1)
        if small and np.allclose(integers * unit, stage.weights, rtol=1e-5, atol=0):
            return integers.astype(np.int64), np.full(stage.weights.shape[1], unit)
    return None


def _pad_value(stage: Product, levels: Levels) -> int:
    value = levels.integer_of(stage.pad)
    if value is None:
        bipolar = levels.datatype == "BIPOLAR"
        found = "zero padding, which has no 1-bit value" if bipolar and stage.pad == 0 else f"padding of {stage.pad:g}"
        allowed = " or ".join(f"{level:g}" for level in np.unique(levels.values)) if bipolar else "a value of its input"
        raise InputModelError(
            f"node {stage.name}", found, f"padding of {allowed}", "pad with -1 in training: Pad, then an unpadded Conv"
        )
    return value


def _more_bits(stage: Product, levels: Levels) -> InputModelError:
    distinct = max(len(np.unique(column)) for column in stage.weights.T)
    bits = max(2, int(np.ceil(np.log2(distinct))))
    if distinct <= 2:
        found = "weights of two values that are no -s and +s"
    else:
        found = f"{bits}-bit weights" if bits <= 8 else "weights that are not quantized"
    allowed = "1-bit weights: -s and +s for each neuron"
    if levels.datatype != "BIPOLAR":
        allowed += f", or multiples of one number with at most {MOST_WEIGHT_BITS} bits"
    return InputModelError(
        f"node {stage.name}", f"{found} ({distinct} different values in a neuron)", allowed,
        "train with weight_bit_width=1",
    )  # fmt: skip


def _sums_exactly(values: Float64, weights: Float64) -> bool:
    """Return whether every partial sum of value times weight, in any order, is a float32."""
    largest = np.abs(values).max() * np.abs(weights).max() * len(weights)
    unit = last_bit(values) * last_bit(weights)
    return bool(largest <= EXACT * unit)
