"""A matrix product with 1-bit weights as integers, and the way back to the real numbers that the file computes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.levels import Levels

__all__ = ["Product", "ToReal", "integer_product"]

Float64 = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

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
        exact: whether the file's own float32 sums never round, whatever their order.
    """

    slope: FloatArray
    shift: FloatArray
    bias: FloatArray
    scale: float
    offset: float
    input_datatype: str
    exact: bool

    def __call__(self, accumulators: npt.NDArray[np.int64]) -> FloatArray:
        """Return float32 (rows, outputs) of accumulators (rows, outputs)."""
        real = accumulators.astype(np.float32) * self.slope
        for constant in (self.shift, self.bias):
            if constant.any():
                real = real + constant
        return real


def integer_product(stage: Product, levels: Levels) -> tuple[IntegerLayer, ToReal]:
    """Take the signs of a product's weights; put their magnitudes and the inputs' scale behind it.

    Args:
        stage: the product.
        levels: what its inputs can be.

    Raises:
        InputModelError: the weights are not of 1 bit, or padding has a value that inputs cannot have.
    """
    magnitudes = np.abs(stage.weights)
    per_channel = magnitudes.max(axis=0)
    if (per_channel == 0).any() or not np.allclose(magnitudes, per_channel, rtol=1e-5, atol=0):
        raise _more_bits(stage)
    signs = np.where(stage.weights > 0, 1, -1).astype(np.int64)
    shift = levels.offset * per_channel * signs.sum(axis=0)
    window, values = stage.window, levels.values
    if window is not None and window.padding:
        window = replace(window, pad_value=_pad_value(stage, levels))
        values = np.append(values, stage.pad)
    to_real = ToReal(
        (levels.scale * per_channel).astype(np.float32), shift.astype(np.float32), stage.bias.astype(np.float32),
        levels.scale, levels.offset, levels.datatype, _sums_exactly(values, stage.weights),
    )  # fmt: skip
    return IntegerLayer(stage.name, signs, None, levels.datatype, window), to_real


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


def _more_bits(stage: Product) -> InputModelError:
    distinct = max(len(np.unique(column)) for column in stage.weights.T)
    bits = max(2, int(np.ceil(np.log2(distinct))))
    if distinct <= 2:
        found = "weights of two values that are no -s and +s"
    else:
        found = f"{bits}-bit weights" if bits <= 8 else "weights that are not quantized"
    return InputModelError(
        f"node {stage.name}", f"{found} ({distinct} different values in a neuron)", "1-bit weights: -s and +s for each "
        "neuron", "train with weight_bit_width=1",
    )  # fmt: skip


def _sums_exactly(values: Float64, weights: Float64) -> bool:
    """Return whether every partial sum of value times weight, in any order, is a float32."""
    largest = np.abs(values).max() * np.abs(weights).max() * len(weights)
    unit = _last_bit(values) * _last_bit(weights)
    return bool(largest <= EXACT * unit)


def _last_bit(numbers: Float64) -> float:
    """Return the largest power of two that all numbers are multiples of."""
    mantissas, exponents = np.frexp(np.unique(numbers[numbers != 0]))
    whole = (np.abs(mantissas) * 2.0**53).astype(np.int64)
    lowest = (whole & -whole).astype(np.float64)
    return float(np.min(np.ldexp(lowest, exponents - 53), initial=np.inf))
