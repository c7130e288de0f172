"""From the float graph to exact integers: weights, thresholds, input levels and output tables by evaluation.

For each channel, the operators behind a matrix product are a monotone function of the accumulator with two values, so
one integer threshold says it all. It is found by evaluating those very operators on the accumulators that can arrive,
in float32 as QONNX executes them, instead of solving an equation in rounded constants.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.host import HostCodec
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_input import InputLevels, extract_input
from xnorflow.lower.integer_network import IntegerLayer, IntegerNetwork, MaxPool
from xnorflow.lower.products import Levels, ToReal, integer_product
from xnorflow.lower.split_chain import Chain, PoolStage, ProductStage

__all__ = ["Extraction", "extract_integers"]

IntArray = npt.NDArray[np.int64]

EXHAUSTIVE_LEVELS = 4200
"""Up to here every accumulator value is evaluated; above, the flip is bisected and its surroundings are evaluated."""
WINDOW = 32
PROBES = 129
"""Evenly spaced accumulators evaluated besides, so that a third value or a second flip does not hide."""


@dataclass(frozen=True)
class Extraction:
    """What a float graph comes to.

    Args:
        network: the integers.
        codec: what the host does before and behind the accelerator.
        flipped_channels: neurons whose weights were negated because their BatchNorm slope is negative, by layer.
        host_argmax: whether the file ends in TopK or ArgMax that has to stay on the host.
        products: for each layer, the way from its accumulators to the file's real sums.
    """

    network: IntegerNetwork
    codec: HostCodec
    flipped_channels: tuple[int, ...]
    host_argmax: bool
    products: tuple[ToReal, ...]


def extract_integers(chain: Chain, input_shape: tuple[int, ...], output: OutputKind) -> Extraction:
    """Turn a chain of float operators into an integer network.

    Args:
        chain: from :func:`split_chain`.
        input_shape: shape of one frame, without the batch.
        output: what the accelerator shall send.

    Raises:
        InputModelError: weights or activations of more than 1 bit, an input of more than 8 bits, logits that do not
            follow the sums, or labels asked for where the classes' final scales differ.
    """
    entry = extract_input(chain.head)
    levels = Levels(entry.values.astype(np.float64), entry.scale, entry.offset, entry.datatype)
    layers: list[IntegerLayer | MaxPool] = []
    products: list[ToReal] = []
    flips: list[int] = []
    for stage in chain.stages[:-1]:
        layer, to_real = integer_product(stage, levels)
        layer, bottom, top, flipped = _thresholds(stage, layer, to_real)
        layers.append(layer)
        layers += [_pool(pool, flipped) for pool in stage.pools]
        products.append(to_real)
        flips.append(flipped)
        levels = Levels(np.asarray([bottom, top]), *_scale(bottom, top), "BIPOLAR")
    last, to_real = integer_product(chain.stages[-1], levels)
    last, codec, labels, flipped = _result(chain, last, to_real, entry, input_shape, output)
    network = IntegerNetwork((*layers, last), labels)
    return Extraction(network, codec, (*flips, flipped), chain.ends_in_labels and not labels, (*products, to_real))


def _scale(bottom: float, top: float) -> tuple[float, float]:
    """Return scale and offset of an activation ``offset + scale * q``, q = -1 or +1; a constant one has q = +1."""
    return (bottom, 0.0) if bottom == top else ((top - bottom) / 2, (top + bottom) / 2)


def _pool(pool: PoolStage, flipped: int) -> MaxPool:
    """Return a pool of 1-bit values; one of sums is the same where the activation behind it grows with the sum."""
    if pool.early and flipped:
        raise InputModelError(
            f"node {pool.name}", f"a MaxPool in front of an activation that falls with the sum in {flipped} channels",
            "activation, then MaxPool", "put the pool behind the sign, or train with BatchNorm factors above 0",
        )  # fmt: skip
    return MaxPool(pool.name, replace(pool.window, pad_value=-1))


def _grid(layer: IntegerLayer) -> IntArray:
    low, high = layer.acc_bounds
    return np.arange(low, high + 1, 2 if layer.binary_input else 1)


def _thresholds(stage: ProductStage, layer: IntegerLayer, to_real: ToReal) -> tuple[IntegerLayer, float, float, int]:
    """Return the layer with thresholds, then the two values of its activation, and how many neurons were negated."""
    grid = _grid(layer)
    rows, values = _evaluate(stage, grid, to_real)
    distinct = np.unique(values)
    if len(distinct) > 2:
        raise _more_bits(stage, values)
    bottom, top = float(distinct[0]), float(distinct[-1])
    fires = values == np.float32(top) if top > bottom else np.ones(values.shape, bool)
    falling = fires[0] & ~fires[-1]
    fires = np.where(falling, ~fires, fires)
    if (np.diff(fires.astype(np.int8), axis=0) < 0).any():
        channel = int(np.nonzero((np.diff(fires.astype(np.int8), axis=0) < 0).any(axis=0))[0][0])
        raise InputModelError(
            f"node {stage.segment.last_node}", f"channel {channel} switches more than once as its sum grows",
            "a monotone activation", "use BatchNorm and sign between layers",
        )  # fmt: skip
    step = int(grid[1] - grid[0])
    never = int(grid[-1]) + step
    first = np.where(fires.any(axis=0), np.take_along_axis(rows, fires.argmax(axis=0)[None], axis=0)[0], never)
    # A falling neuron fires below its flip: with weights negated it fires from -(flip - step) upwards.
    thresholds = np.where(falling, -(first - step), first)
    weights = np.where(falling, -layer.weights, layer.weights)
    layer = replace(layer, weights=weights, thresholds=thresholds.astype(np.int64))
    return layer, bottom, top, int(falling.sum())


def _more_bits(stage: ProductStage, values: npt.NDArray[np.float32]) -> InputModelError:
    distinct = max(len(np.unique(column)) for column in values.T)
    bits = max(2, int(np.ceil(np.log2(distinct))))
    found = f"{bits}-bit activations" if bits <= 8 else "activations that are not quantized"
    if distinct <= 2:
        found = "1-bit activations whose values differ between neurons"
    return InputModelError(
        f"node {stage.segment.last_node}", f"{found} behind {stage.name} ({distinct} different values in a neuron)",
        "1-bit activations: two values, the same for all neurons", "train with act_bit_width=1 and one scale a layer",
    )  # fmt: skip


def _evaluate(stage: ProductStage, grid: IntArray, to_real: ToReal) -> tuple[IntArray, npt.NDArray[np.float32]]:
    """Return accumulators (rows, channels), ascending, around each flip or all of them, and the values they give."""
    channels = stage.weights.shape[1]
    if len(grid) <= EXHAUSTIVE_LEVELS:
        rows = np.broadcast_to(grid[:, None], (len(grid), channels))
    else:
        rows = _bisect(stage, grid, to_real)
    return rows, stage.segment(to_real(rows))


def _bisect(stage: ProductStage, grid: IntArray, to_real: ToReal) -> IntArray:
    channels = stage.weights.shape[1]
    low = np.zeros(channels, np.int64)
    high = np.full(channels, len(grid) - 1)
    ends = stage.segment(to_real(np.stack([grid[low], grid[high]])))
    while (high - low > 1).any():
        middle = (low + high) // 2
        value = stage.segment(to_real(grid[middle][None]))[0]
        same = value == ends[0]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    centers = np.clip(low, WINDOW, len(grid) - 1 - WINDOW)
    window = centers[None] + np.arange(-WINDOW, WINDOW + 1)[:, None]
    probes = np.linspace(0, len(grid) - 1, PROBES).astype(np.int64)
    spread = np.broadcast_to(probes[:, None], (PROBES, channels))
    return grid[np.sort(np.concatenate([window, spread]), axis=0)]


def _result(
    chain: Chain,
    layer: IntegerLayer,
    to_real: ToReal,
    entry: InputLevels,
    input_shape: tuple[int, ...],
    output: OutputKind,
) -> tuple[IntegerLayer, HostCodec, bool, int]:
    stage = chain.stages[-1]
    if layer.window is not None and layer.window.count != 1:
        raise InputModelError(
            f"node {stage.name}", f"a last layer that gives a map of {'x'.join(map(str, layer.window.output))} pixels",
            "one value a class", "end in a fully connected layer",
        )  # fmt: skip
    grid = _grid(layer)
    table, shared = _table(stage, layer, grid, to_real)
    labels = output is OutputKind.LABELS or (output is OutputKind.AUTO and chain.ends_in_labels and shared)
    if labels and not shared:
        raise InputModelError(
            f"node {stage.segment.last_node}", "final scales or offsets that differ between classes",
            "one scale and one offset for all classes where labels are made on chip",
            'build with output "logits" and take the maximum on the host',
        )  # fmt: skip
    flipped = 0
    if labels and table[0, 0] > table[-1, 0]:
        layer, table, flipped = replace(layer, weights=-layer.weights), table[::-1], layer.outputs
    codec = HostCodec(
        input_shape=input_shape,
        datatype=entry.datatype,
        thresholds=entry.thresholds,
        levels=entry.levels,
        step=int(grid[1] - grid[0]),
        offset=int(grid[0]) if layer.binary_input else 0,  # a popcount travels instead of the sum
        acc_min=int(grid[0]),
        logits=np.ascontiguousarray(table),
        labels=labels,
        order=chain.input_order,
    )
    return layer, codec, labels, flipped


def _table(
    stage: ProductStage, layer: IntegerLayer, grid: IntArray, to_real: ToReal
) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the logits (rows, classes) of every accumulator, and whether all classes have the same."""
    table = stage.segment(to_real(np.broadcast_to(grid[:, None], (len(grid), layer.outputs))))
    slopes = np.sign(np.diff(table, axis=0))
    lost = np.nonzero((slopes != slopes[0]).any(axis=0) | (slopes[0] == 0))[0]
    if len(lost):
        raise InputModelError(
            f"node {stage.segment.last_node}", f"the same logit for different sums in class {int(lost[0])}",
            "logits that grow or fall with the sum", "look for a factor of 0 or a huge offset behind the last layer",
        )  # fmt: skip
    return table, bool((table == table[:, :1]).all())
