"""Sliding windows and pools in C++ against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hls_units import Unit, require_numpy
from qonnx.core.datatype import DataType

FRAMES = 3


def over_map(
    kind: str, name: str, datatype: str, size: tuple[int, int], channels: int, fold: int, kernel: tuple[int, int],
    **more: Any,
) -> Unit:  # fmt: skip
    """Return an operator over random maps, both ends of the datatype among the values."""
    kinds = DataType[datatype]
    values = np.random.default_rng(sum(size)).integers(
        int(kinds.min()), int(kinds.max()) + 1, (FRAMES, 1, *size, channels)
    )
    values[0, 0, 0], values[0, 0, -1] = kinds.min(), kinds.max()
    attributes = dict(
        IFMDim=list(size), IFMChannels=channels, ConvKernelDim=list(kernel), inputDataType=datatype, **more
    )
    attributes["SIMD" if kind == "SlidingWindow" else "PE"] = fold
    frames = {"x": values.astype(np.float32)}
    unit = Unit(name, kind, frames, {"x": datatype}, [1, 1, 1, 1], attributes)
    unit.model.set_tensor_shape("y", list(unit.operator.get_normal_output_shape()))
    return unit


UNITS = [
    over_map("SlidingWindow", "plain", "BINARY", (6, 7), 8, 4, (3, 3)),
    over_map("SlidingWindow", "padded", "INT4", (5, 6), 6, 2, (3, 3), Padding=[1, 1, 1, 1], PadValue=-3),
    over_map("SlidingWindow", "strided", "INT2", (9, 9), 2, 2, (3, 3), Stride=[2, 2], Padding=[1, 1, 0, 0]),
    over_map("SlidingWindow", "rest", "BINARY", (8, 7), 3, 1, (2, 3), Stride=[3, 2]),
    over_map("SlidingWindow", "skips", "INT8", (7, 8), 2, 1, (1, 2), Stride=[3, 3]),
    over_map("SlidingWindow", "single", "INT8", (4, 4), 4, 2, (1, 1)),
    over_map("SlidingWindow", "halves", "INT8", (6, 6), 4, 4, (1, 1), Stride=[2, 2]),
    over_map("SlidingWindow", "whole", "BINARY", (3, 3), 8, 4, (3, 3)),
    over_map("SlidingWindow", "row", "BINARY", (1, 12), 4, 2, (1, 3), Padding=[0, 2, 0, 1], PadValue=1),
    over_map("SlidingWindow", "at_once", "BINARY", (6, 5), 8, 8, (3, 3), parallel_window=1),
    over_map("SlidingWindow", "at_once_strided", "INT4", (7, 6), 3, 3, (2, 3), Stride=[2, 3], parallel_window=1),
    over_map("SlidingWindow", "at_once_row", "INT4", (3, 8), 3, 3, (1, 2), Stride=[1, 2], parallel_window=1),
    over_map("WindowPool", "largest_bits", "BINARY", (6, 8), 12, 4, (2, 2), Stride=[2, 2]),
    over_map("WindowPool", "largest", "INT4", (4, 6), 6, 3, (2, 3), Stride=[2, 3]),
    over_map("WindowPool", "largest_overlap", "INT4", (7, 7), 4, 2, (3, 3), Stride=[2, 2], Padding=[1, 1, 1, 1],
             PadValue=-8),
    over_map("WindowPool", "sums", "INT3", (4, 4), 6, 2, (2, 2), Stride=[2, 2], PoolMode="sum"),
    over_map("WindowPool", "sums_unsigned", "UINT4", (4, 4), 4, 4, (2, 2), Stride=[2, 2], PoolMode="sum"),
    over_map("WindowPool", "sum_of_map", "INT8", (5, 4), 10, 5, (5, 4), PoolMode="sum"),
    over_map("WindowPool", "count_of_map", "BINARY", (4, 4), 8, 2, (4, 4), PoolMode="sum"),
    over_map("WindowPool", "columns_only", "INT4", (3, 6), 4, 2, (1, 2), Stride=[1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_maps_are_equal_to_numpy(unit, simulation):
    require_numpy(unit, simulation)
