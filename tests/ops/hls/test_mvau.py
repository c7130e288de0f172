"""The matrix units in C++ against numpy, on random and on extreme data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hls_units import Unit, require_numpy
from qonnx.core.datatype import DataType

FRAMES = 24


def bits(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.integers(0, 2, shape).astype(np.float32)


def integers(generator: np.random.Generator, datatype: str, *shape: int) -> np.ndarray:
    """Return numbers of a datatype, both of its ends among them."""
    kind = DataType[datatype]
    values = generator.integers(int(kind.min()), int(kind.max()) + 1, shape).astype(np.float32)
    values[0], values[1] = kind.min(), kind.max()
    return values


def binary(name: str, mw: int, mh: int, simd: int, pe: int, vectors: int = 1, silent: bool = False) -> Unit:
    """Return an XNOR unit with thresholds of every kind, "always" and "never" included."""
    generator = np.random.default_rng(mw * mh)
    inputs = bits(generator, FRAMES, vectors, mw)
    inputs[0], inputs[1] = 0, 1
    constants = {"W": bits(generator, mw, mh)}
    constants["W"][:, 0] = 1
    if not silent:
        thresholds = generator.integers(mw // 3, mw - mw // 3 + 1, (mh, 1))
        thresholds[0], thresholds[-1] = 0, mw + 1
        constants["T"] = thresholds.astype(np.float32)
    kind = f"UINT{mw.bit_length()}" if silent else "BINARY"
    attributes: dict[str, Any] = dict(
        MW=mw, MH=mh, SIMD=simd, PE=pe, inputDataType="BINARY", weightDataType="BINARY", outputDataType=kind,
        noActivation=int(silent), numInputVectors=[vectors], binaryXnorMode=1, ActVal=0,
    )  # fmt: skip
    return Unit(name, "XnorMVAU", {"x": inputs}, {"x": "BINARY"}, [vectors, mh], attributes, constants)


def first_layer(name: str, source: str, mw: int, mh: int, simd: int, pe: int, silent: bool = False) -> Unit:
    generator = np.random.default_rng(mw + mh)
    inputs = integers(generator, source, FRAMES, 1, mw)
    constants = {"W": 2 * bits(generator, mw, mh) - 1}
    constants["W"][:, 0] = 1
    largest = -mw * int(DataType[source].min())
    if not silent:
        thresholds = generator.integers(-largest // 4, largest // 4, (mh, 1))
        thresholds[0], thresholds[-1] = -largest, largest + 1
        constants["T"] = thresholds.astype(np.float32)
    attributes: dict[str, Any] = dict(
        MW=mw, MH=mh, SIMD=simd, PE=pe, inputDataType=source, weightDataType="BIPOLAR",
        outputDataType=f"INT{largest.bit_length() + 1}" if silent else "BINARY", noActivation=int(silent),
        numInputVectors=[1], ActVal=0,
    )  # fmt: skip
    return Unit(name, "BinaryWeightMVAU", {"x": inputs}, {"x": source}, [1, mh], attributes, constants)


def few_bits(name: str, source: str, weights: str, mw: int, mh: int, simd: int, pe: int, silent: bool) -> Unit:
    generator = np.random.default_rng(mw + mh)
    inputs = integers(generator, source, FRAMES, 1, mw)
    constants = {"W": integers(generator, weights, mw, mh)}
    if not silent:
        thresholds = generator.integers(-20, 20, (mh, 1))
        thresholds[0], thresholds[-1] = -5000, 5000
        constants["T"] = thresholds.astype(np.float32)
    attributes: dict[str, Any] = dict(
        MW=mw, MH=mh, SIMD=simd, PE=pe, inputDataType=source, weightDataType=weights, outputDataType="BINARY",
        noActivation=int(silent), numInputVectors=[1], ActVal=0,
    )  # fmt: skip
    unit = Unit(name, "FewBitMVAU", {"x": inputs}, {"x": source, "W": weights}, [1, mh], attributes, constants)
    unit.operator.minimize_accumulator_width(unit.model)
    return unit


UNITS = [
    binary("folded", 144, 12, 16, 3),
    binary("unrolled", 17, 5, 17, 5),
    binary("one_by_one", 7, 3, 1, 1),
    binary("wide", 784, 4, 784, 2),
    binary("counts", 64, 10, 8, 5, silent=True),
    binary("many_vectors", 18, 4, 6, 2, vectors=9),
    first_layer("bytes_in", "INT8", 27, 8, 9, 4),
    first_layer("two_bits_in", "INT2", 12, 6, 1, 6),
    first_layer("sums", "INT8", 16, 4, 4, 2, silent=True),
    few_bits("small_products", "INT3", "INT2", 12, 6, 4, 2, silent=False),
    few_bits("byte_products", "INT8", "INT8", 10, 4, 10, 4, silent=True),
]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_matrix_units_are_equal_to_numpy(unit, simulation):
    require_numpy(unit, simulation)
