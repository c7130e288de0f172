"""The end of a network: what the host makes of accumulators or labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.host import HostCodec
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_input import InputLevels
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.products import ToReal
from xnorflow.lower.segments import Segment
from xnorflow.lower.thresholds import grid_of

__all__ = ["Ends", "read_result"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """What the host needs to know besides the last layer.

    Args:
        entry: the input's levels.
        input_shape: of a frame, without the batch.
        input_order: how a frame's values travel; None where as they are.
        ends_in_labels: whether the file ends in an argmax.
        output: what the accelerator shall send.
    """

    entry: InputLevels
    input_shape: tuple[int, ...]
    input_order: IntArray | None
    ends_in_labels: bool
    output: OutputKind


def read_result(
    ends: Ends, segment: Segment, layer: IntegerLayer, to_real: ToReal
) -> tuple[IntegerLayer, HostCodec, int]:
    """Return the last layer, perhaps negated so that labels come out, the host's part, and how many were negated.

    Args:
        ends: what the host needs to know besides.
        segment: the operators behind the layer.
        layer: the last product.
        to_real: the way from its accumulators to the file's sums.

    Raises:
        InputModelError: a map as the result, logits that do not follow the sums, or labels asked for where the classes'
            final scales differ.
    """
    if layer.window is not None and layer.window.count != 1:
        raise InputModelError(
            f"node {layer.name}", f"a last layer that gives a map of {'x'.join(map(str, layer.window.output))} pixels",
            "one value a class", "end in a fully connected layer",
        )  # fmt: skip
    grid = grid_of(layer)
    table, shared = _table(segment, layer, grid, to_real)
    labels = ends.output is OutputKind.LABELS or (ends.output is OutputKind.AUTO and ends.ends_in_labels and shared)
    if labels and not shared:
        raise InputModelError(
            f"node {segment.last_node}", "final scales or offsets that differ between classes",
            "one scale and one offset for all classes where labels are made on chip",
            'build with output "logits" and take the maximum on the host',
        )  # fmt: skip
    flipped = 0
    if labels and table[0, 0] > table[-1, 0]:
        layer, table, flipped = replace(layer, weights=-layer.weights), table[::-1], layer.outputs
    codec = HostCodec(
        input_shape=ends.input_shape,
        datatype=ends.entry.datatype,
        thresholds=ends.entry.thresholds,
        levels=ends.entry.levels,
        step=int(grid[1] - grid[0]),
        offset=int(grid[0]) if layer.binary_input else 0,  # a popcount travels instead of the sum
        acc_min=int(grid[0]),
        logits=np.ascontiguousarray(table),
        labels=labels,
        order=ends.input_order,
    )
    return layer, codec, flipped


def _table(
    segment: Segment, layer: IntegerLayer, grid: IntArray, to_real: ToReal
) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the logits (rows, classes) of every accumulator, and whether all classes have the same."""
    table = segment(to_real(np.broadcast_to(grid[:, None], (len(grid), layer.outputs))))
    slopes = np.sign(np.diff(table, axis=0))
    lost = np.nonzero((slopes != slopes[0]).any(axis=0) | (slopes[0] == 0))[0]
    if len(lost):
        raise InputModelError(
            f"node {segment.last_node}", f"the same logit for different sums in class {int(lost[0])}",
            "logits that grow or fall with the sum", "look for a factor of 0 or a huge offset behind the last layer",
        )  # fmt: skip
    return table, bool((table == table[:, :1]).all())
