"""Width converters, forks, repetition, argmax and joins in C++ against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hls_units import Unit, require_numpy
from qonnx.core.datatype import DataType

FRAMES = 40


def values_of(datatype: str, *shape: int, seed: int = 0, least: int | None = None, most: int | None = None) -> Any:
    """Return random numbers of a datatype, both ends among them."""
    kind = DataType[datatype]
    low, high = int(kind.min()) if least is None else least, int(kind.max()) if most is None else most
    values = np.random.default_rng(seed).integers(low, high + 1, (FRAMES, *shape))
    values[0], values[1] = low, high
    return values.astype(np.float32)


def converter(name: str, datatype: str, elements: int, before: int, after: int) -> Unit:
    bits = DataType[datatype].bitwidth()
    attributes = dict(
        inWidth=before * bits, outWidth=after * bits, dataType=datatype,
        inShape=[1, elements], outShape=[1, elements],
    )  # fmt: skip
    frames = {"x": values_of(datatype, 1, elements)}
    return Unit(name, "WidthConverter", frames, {"x": datatype}, [1, elements], attributes)


def vector(kind: str, name: str, datatypes: list[str], channels: int, pe: int, **more: Any) -> Unit:
    """Return an operator over vectors; of two inputs where there are two datatypes."""
    limits = more.pop("limits", [(None, None)] * 2)
    names = ("x", "z")[: len(datatypes)]
    frames = {
        key: values_of(datatype, 2, channels, seed=index, least=limit[0], most=limit[1])
        for index, (key, datatype, limit) in enumerate(zip(names, datatypes, limits, strict=False))
    }
    outputs, output = more.pop("outputs", 1), more.pop("output", [2, channels])
    attributes = dict(
        NumChannels=channels, PE=pe, numInputVectors=[2], inputDataType=datatypes[0],
        outputDataType=more.pop("result", datatypes[0]), **more,
    )  # fmt: skip
    infer = len(datatypes) == 2 and more.get("clips") is None
    attributes.pop("clips", None)
    kinds = dict(zip(names, datatypes, strict=True))
    return Unit(name, kind, frames, kinds, output, attributes, outputs=outputs, infer=infer)


def labels(name: str, datatype: str, count: int, pe: int) -> Unit:
    frames = {"x": values_of(datatype, 1, count)}
    frames["x"][2:10] = np.clip(frames["x"][2:10], -1, 1)  # several largest values: the first one counts
    attributes = dict(Labels=count, PE=pe, K=1, inputDataType=datatype, outputDataType="UINT4", numInputVectors=[1])
    unit = Unit(name, "LabelSelect", frames, {"x": datatype}, [1, 1], attributes)
    return unit


def added(name: str, datatypes: list[str], **more: Any) -> Unit:
    return vector("StreamAdd", name, datatypes, 6, 3, otherDataType=datatypes[1], **more)


UNITS = [
    converter("wider", "INT3", 24, 2, 8),
    converter("narrower", "BINARY", 60, 30, 5),
    converter("by_common_multiple", "BINARY", 60, 4, 6),
    converter("very_wide", "BINARY", 1200, 1200, 100),
    converter("equal", "INT4", 8, 2, 2),
    vector("StreamFork", "three_copies", ["INT5"], 6, 2, outputs=3),
    vector("ChannelRepeat", "doubled", ["INT4"], 6, 2, Times=2, output=[2, 12]),
    vector("ChannelRepeat", "five_times", ["BINARY"], 4, 4, Times=5, output=[2, 20]),
    labels("signed_labels", "INT6", 10, 5),
    labels("unsigned_labels", "UINT3", 12, 1),
    added("sum", ["INT8", "INT8"]),
    added("shifted_sum", ["UINT3", "INT4"], ShiftA=2, ShiftB=1),
    added("clipped_sum", ["INT8", "INT6"], result="INT8", clips=True),
    added("far_shift", ["INT6", "BINARY"], ShiftA=18),
    vector("StreamGate", "gate", ["INT5", "UINT2"], 6, 2, codeDataType="UINT2", MaxShift=2, Offset=3,
           limits=[(None, None), (0, 2)]),
    vector("StreamGate", "gated_counts", ["UINT4", "BINARY"], 8, 4, codeDataType="BINARY", MaxShift=1, Scale=2,
           Offset=-9, limits=[(0, 9), (0, 1)]),
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_streams_are_equal_to_numpy(unit, simulation):
    require_numpy(unit, simulation)
