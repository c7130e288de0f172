"""Functions of an integer in C++ against numpy: every form, and every input that comes."""

from __future__ import annotations

import numpy as np
import pytest
from hls_units import Unit, require_numpy


def function(name: str, source: str, result: str, low: int, table: np.ndarray, pe: int, mode: str) -> tuple[Unit, str]:
    """Return an operator on all inputs of ``table`` (integers, channels), from ``low`` on, for each channel."""
    count, channels = table.shape
    values = np.broadcast_to(np.arange(low, low + count)[:, None, None, None], (count, 2, 1, channels)).copy()
    values[:, 1] = values[::-1, 1]
    attributes = dict(
        NumChannels=channels, PE=pe, numInputVectors=[2, 1], inputDataType=source, outputDataType=result, Low=low
    )
    frames = {"x": values.astype(np.float32)}
    unit = Unit(name, "Requantize", frames, {"x": source}, [2, 1, channels], attributes, {"table": table})
    return unit, mode


def rounded(factors: list[float], offsets: list[float], low: int, high: int, ends: tuple[int, int]) -> np.ndarray:
    x = np.arange(low, high + 1)[:, None]
    return np.clip(np.floor(np.asarray(factors) * x + np.asarray(offsets)), *ends).astype(np.int64)


STEPS = np.stack([(np.arange(-64, 64) >= level).astype(np.int64) for level in (-64, -5, 0, 63)], axis=1)
FALLING = np.stack([STEPS[:, 1], 1 - STEPS[:, 2], STEPS[:, 3], 1 - STEPS[:, 1]], axis=1)
LINES = rounded([0.11, -0.3, 1.7, 0.02], [3.2, 0.5, -100, 7.9], -300, 300, (-32, 31))
X = np.arange(-300, 301)[:, None]
KNEES = np.clip(np.where(np.asarray([-7, 20]) > X, X >> 3, X >> 1), -128, 127)
RANDOM = np.random.default_rng(4).integers(-16, 16, (64, 5))

FORMS = [
    function("one_step", "INT7", "BINARY", -64, STEPS, 2, "thresholds"),
    function("falling_step", "INT7", "BINARY", -64, FALLING, 4, "thresholds"),
    function("three_steps", "INT7", "INT2", -64, 2 * STEPS[:, :2] + STEPS[:, 2:] - 2, 1, "thresholds"),
    function("lines", "INT10", "INT6", -300, LINES, 2, "affine"),
    function("knees", "INT10", "INT8", -300, KNEES, 1, "affine"),
    function("table", "INT6", "INT5", -32, RANDOM, 5, "table"),
    function("odd_lanes", "UINT6", "INT5", 0, np.concatenate([RANDOM, RANDOM[:, :1]], axis=1), 3, "table"),
]
UNITS = [unit for unit, _ in FORMS]


@pytest.mark.parametrize(("unit", "mode"), FORMS, ids=lambda one: getattr(one, "name", ""))
def test_functions_are_equal_to_numpy(unit, mode, simulation):
    assert unit.operator.function(unit.model).mode == mode
    require_numpy(unit, simulation)
