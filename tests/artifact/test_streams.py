from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec, pack, unpack

RANGES = {
    "BIPOLAR": (1, [-1, 1]),
    "BINARY": (1, [0, 1]),
    "UINT5": (5, range(32)),
    "INT3": (3, range(-4, 4)),
    "INT8": (8, range(-128, 128)),
    "INT13": (13, range(-4096, 4096)),
    "UINT20": (20, range(1 << 20)),
}


@pytest.mark.parametrize("per_beat", [1, 2, 3, 6])
@pytest.mark.parametrize("datatype", RANGES)
def test_unpacking_undoes_packing(datatype, per_beat):
    bits, values = RANGES[datatype]
    spec = StreamSpec("in0_V", datatype, bits, 6, per_beat)
    frames = np.random.default_rng(0).choice(np.asarray(values), (40, 6))
    frames[0], frames[1] = min(values), max(values)
    beats = pack(frames, spec)
    assert beats.shape == (40 * 6 // per_beat, spec.tdata_bytes) and beats.dtype == np.uint8
    assert np.array_equal(unpack(beats, spec), frames)


def test_the_first_element_lies_in_the_lowest_bits():
    spec = StreamSpec("in0_V", "BIPOLAR", 1, 10, 10)
    frame = np.array([[1, -1, -1, -1, -1, -1, -1, -1, -1, 1]])
    assert pack(frame, spec).tolist() == [[0b0000_0001, 0b0000_0010]]  # little-endian, padded with zeros


def test_wide_elements_follow_each_other_without_gaps():
    spec = StreamSpec("out0_V", "INT5", 5, 4, 2)
    assert (spec.beats, spec.tdata_bits, spec.tdata_bytes) == (2, 16, 2)
    assert pack(np.array([[-1, 3, 0, -16]]), spec).tolist() == [[0b011_11111, 0], [0b000_00000, 0b10]]


def test_bytes_take_the_short_way_to_the_same_place():
    spec = StreamSpec("in0_V", "INT8", 8, 4, 2)
    assert pack(np.array([[-128, -1, 0, 127]]), spec).tolist() == [[0x80, 0xFF], [0x00, 0x7F]]


def test_padding_on_the_wire_is_ignored():
    spec = StreamSpec("out0_V", "UINT3", 3, 1, 1)
    assert unpack(np.array([[0b1111_1101]], np.uint8), spec).tolist() == [[5]]


def test_json_gives_the_fields_and_the_widths():
    spec = StreamSpec("out0_V", "UINT5", 5, 12, 3)
    assert spec.to_json() == {
        "name": "out0_V", "datatype": "UINT5", "bits": 5, "elements": 12, "per_beat": 3, "beats": 4, "tdata_bits": 16,
    }  # fmt: skip
    assert StreamSpec.from_json(spec.to_json()) == spec
    assert not spec.signed and StreamSpec("x", "INT5", 5, 1, 1).signed
