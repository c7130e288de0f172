"""The host's part in front of the accelerator: every float32 becomes one of at most 256 levels, exactly.

The operators in front of the first product are a staircase of one variable. Its steps are found by bisection over the
float32 numbers in their own order, so that the table gives for *every* float32 what the operators give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.segments import Segment

__all__ = ["InputLevels", "extract_input"]

FloatArray = npt.NDArray[np.float32]
Staircase = Callable[[FloatArray], FloatArray]

LARGEST = np.float32(2.0**24)
"""Inputs are taken to lie within +-LARGEST; outside, the outermost levels hold."""
MAX_LEVELS = 256


@dataclass(frozen=True)
class InputLevels:
    """The input quantizer as a table.

    Args:
        thresholds: float32 (levels - 1,), ascending; an input at or above ``thresholds[i]`` has passed step ``i``.
        levels: int64 (levels,), the integer between the steps.
        values: float32 (levels,), what the file computes for each: ``offset + scale * level``, rounded.
        scale: real value of an integer ``q``: ``offset + scale * q``.
        offset: see ``scale``.
        datatype: BIPOLAR or ``INT<n>``.
    """

    thresholds: npt.NDArray[np.float32]
    levels: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    scale: float
    offset: float
    datatype: str


def extract_input(head: Segment) -> InputLevels:
    """Find all steps of the operators in front of the first product.

    Raises:
        InputModelError: more than 256 levels (no quantizer, or one of more than 8 bits), or levels off a regular grid.
    """

    def staircase(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        rows = -(-len(values) // head.channels)
        padded = np.zeros(rows * head.channels, np.float32)
        padded[: len(values)] = values
        return head(padded.reshape(rows, head.channels)).reshape(-1)[: len(values)]

    thresholds, values = _find_steps(staircase, head)
    return _to_grid(thresholds, values, head)


def _ordered(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Map float32 to integers of the same order, neighbors to neighbors."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _from_ordered(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    bits = np.where(keys < 0, (-keys) | 0x80000000, keys).astype(np.uint32)
    return bits.view(np.float32)


def _find_steps(staircase: Staircase, head: Segment) -> tuple[FloatArray, FloatArray]:
    ends = _ordered(np.asarray([-LARGEST, LARGEST], np.float32))
    probes = np.unique(np.concatenate([np.linspace(-4, 4, 4097), np.linspace(-300, 300, 4801)]).astype(np.float32))
    keys = np.unique(np.concatenate([ends, _ordered(probes)]))
    values = staircase(_from_ordered(keys))
    _check_count(values, head)
    while True:
        gaps = np.nonzero((values[1:] != values[:-1]) & (np.diff(keys) > 1))[0]
        if not len(gaps):
            break
        middles = (keys[gaps] + keys[gaps + 1]) // 2
        found = staircase(_from_ordered(middles))
        keys = np.insert(keys, gaps + 1, middles)
        values = np.insert(values, gaps + 1, found)
        _check_count(values, head)
    steps = np.nonzero(values[1:] != values[:-1])[0] + 1
    return _from_ordered(keys[steps]), np.concatenate([values[:1], values[steps]])


def _check_count(values: npt.NDArray[np.float32], head: Segment) -> None:
    if not np.isfinite(values).all():
        raise InputModelError(
            f"node {head.last_node}", "NaN or infinite values in front of the first layer", "finite numbers",
            "check the input operators",
        )  # fmt: skip
    if len(np.unique(values)) > MAX_LEVELS:
        raise InputModelError(
            f"node {head.last_node}", f"an input of more than {MAX_LEVELS} levels in front of the first layer",
            "an input quantizer of 1 to 8 bits", "put a QuantIdentity of at most 8 bits in front of the first layer",
        )  # fmt: skip


def _to_grid(thresholds: npt.NDArray[np.float32], values: npt.NDArray[np.float32], head: Segment) -> InputLevels:
    real = values.astype(np.float64)
    distinct = np.unique(real)
    if len(distinct) == 1:
        raise InputModelError(
            f"node {head.last_node}", f"an input quantizer whose only value is {distinct[0]:g}", "two or more levels",
            "check its scale",
        )  # fmt: skip
    if len(distinct) == 2:
        scale, offset = (distinct[1] - distinct[0]) / 2, (distinct[1] + distinct[0]) / 2
        signs = np.where(real > offset, 1, -1).astype(np.int64)
        return InputLevels(thresholds, signs, values, float(scale), float(offset), "BIPOLAR")
    # The smallest distance says how many steps there are; their sum says how long they are, far more precisely.
    steps = np.rint((distinct[-1] - distinct[0]) / np.diff(distinct).min())
    scale = float((distinct[-1] - distinct[0]) / steps)
    # Levels that are multiples of the scale keep the zero; others are counted from the lowest one.
    offset = 0.0 if abs(distinct[0] / scale - np.rint(distinct[0] / scale)) < 1e-3 else float(distinct[0])
    levels = np.rint((real - offset) / scale).astype(np.int64)
    if steps >= MAX_LEVELS or not np.allclose(levels * scale + offset, real, rtol=0, atol=scale * 1e-3):
        raise InputModelError(
            f"node {head.last_node}", "input levels that are not evenly spaced",
            "a uniform quantizer of at most 8 bits", "use a Quant node with one scale",
        )  # fmt: skip
    if levels.min() < -128 or levels.max() > 127:
        center = int(levels.min()) + 128
        levels, offset = levels - center, offset + center * scale
    bits = max(int(max(levels.max() + 1, -levels.min()) - 1).bit_length() + 1, 2)
    return InputLevels(thresholds, levels, values, scale, offset, f"INT{bits}")
