"""The threshold of each neuron of a 1-bit layer, by evaluating the operators behind it.

For each channel, the operators behind a matrix product are a monotone function of the accumulator with two values, so
one integer threshold says it all. It is found by evaluating those very operators on the accumulators that can arrive,
in float32 as QONNX executes them, instead of solving an equation in rounded constants.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.products import ToReal
from xnorflow.lower.segments import Segment

__all__ = ["MOST_VALUES", "Thresholded", "grid_of", "more_bits", "with_thresholds"]

IntArray = npt.NDArray[np.int64]

EXHAUSTIVE_LEVELS = 4200
"""Up to here every accumulator value is evaluated; above, the flip is bisected and its surroundings are evaluated."""
MOST_VALUES = 1 << 25
"""Of a function of few bits: sums of all channels together."""
WINDOW = 32
PROBES = 129
"""Evenly spaced accumulators evaluated besides, so that a third value or a second flip does not hide."""


@dataclass(frozen=True)
class Thresholded:
    """A product with the thresholds of the activation behind it.

    Args:
        layer: with thresholds.
        bottom: the activation's smaller value.
        top: its larger one; the same where it is constant.
        flipped: neurons whose weights were negated, since their activation falls with the sum.
    """

    layer: IntegerLayer
    bottom: float
    top: float
    flipped: int


def grid_of(layer: IntegerLayer) -> IntArray:
    """Return every accumulator that inputs of a product's datatype can give, ascending."""
    low, high = layer.acc_bounds
    return np.arange(low, high + 1, 2 if layer.binary_input else 1)


def with_thresholds(segment: Segment, layer: IntegerLayer, to_real: ToReal) -> Thresholded | None:
    """Find the threshold of each neuron; None where the activation has more than two values.

    Raises:
        InputModelError: a neuron switches more than once, or the activation has more values than can be looked at.
    """
    grid = grid_of(layer)
    rows, values = _evaluate(segment, grid, to_real)
    distinct = np.unique(values)
    if len(distinct) > 2:
        if len(grid) * segment.channels > MOST_VALUES:
            raise more_bits(segment, layer.name, values)
        return None
    bottom, top = float(distinct[0]), float(distinct[-1])
    fires = values == np.float32(top) if top > bottom else np.ones(values.shape, bool)
    falling = fires[0] & ~fires[-1]
    fires = np.where(falling, ~fires, fires)
    if (np.diff(fires.astype(np.int8), axis=0) < 0).any():
        channel = int(np.nonzero((np.diff(fires.astype(np.int8), axis=0) < 0).any(axis=0))[0][0])
        raise InputModelError(
            f"node {segment.last_node}", f"channel {channel} switches more than once as its sum grows",
            "a monotone activation", "use BatchNorm and sign between layers",
        )  # fmt: skip
    step = int(grid[1] - grid[0])
    never = int(grid[-1]) + step
    first = np.where(fires.any(axis=0), np.take_along_axis(rows, fires.argmax(axis=0)[None], axis=0)[0], never)
    # A falling neuron fires below its flip: with weights negated it fires from -(flip - step) upwards.
    thresholds = np.where(falling, -(first - step), first)
    weights = np.where(falling, -layer.weights, layer.weights)
    layer = replace(layer, weights=weights, thresholds=thresholds.astype(np.int64))
    return Thresholded(layer, bottom, top, int(falling.sum()))


def _evaluate(segment: Segment, grid: IntArray, to_real: ToReal) -> tuple[IntArray, npt.NDArray[np.float32]]:
    """Return accumulators (rows, channels), ascending, around each flip or all of them, and the values they give."""
    channels = segment.channels
    if len(grid) <= EXHAUSTIVE_LEVELS:
        rows = np.broadcast_to(grid[:, None], (len(grid), channels))
    else:
        rows = _bisect(segment, grid, to_real)
    return rows, segment(to_real(rows))


def _bisect(segment: Segment, grid: IntArray, to_real: ToReal) -> IntArray:
    channels = segment.channels
    low = np.zeros(channels, np.int64)
    high = np.full(channels, len(grid) - 1)
    ends = segment(to_real(np.stack([grid[low], grid[high]])))
    while (high - low > 1).any():
        middle = (low + high) // 2
        value = segment(to_real(grid[middle][None]))[0]
        same = value == ends[0]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    centers = np.clip(low, WINDOW, len(grid) - 1 - WINDOW)
    window = centers[None] + np.arange(-WINDOW, WINDOW + 1)[:, None]
    probes = np.linspace(0, len(grid) - 1, PROBES).astype(np.int64)
    spread = np.broadcast_to(probes[:, None], (PROBES, channels))
    return grid[np.sort(np.concatenate([window, spread]), axis=0)]


def more_bits(segment: Segment, name: str, values: npt.NDArray[np.float32]) -> InputModelError:
    """Return the error of an activation whose values are not what a layer can give.

    Args:
        segment: the operators of the activation.
        name: of the product in front.
        values: float32 (sums, channels) that it gives.
    """
    distinct = max(len(np.unique(column)) for column in values.T)
    bits = max(2, int(np.ceil(np.log2(distinct))))
    found = f"{bits}-bit activations" if bits <= 8 else "activations that are not quantized"
    if distinct <= 2:
        found = "1-bit activations whose values differ between neurons"
    return InputModelError(
        f"node {segment.last_node}", f"{found} behind {name} ({distinct} different values in a neuron)",
        "1-bit activations: two values, the same for all neurons", "train with act_bit_width=1 and one scale a layer",
    )  # fmt: skip
