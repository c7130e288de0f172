"""The host's input table gives for every float32 what the file's own operators give."""

from __future__ import annotations

import numpy as np
import pytest
import variants

from xnorflow.lower.extract_input import extract_input
from xnorflow.lower.extract_integers import input_segment
from xnorflow.lower.import_model import import_model

NAMES = sorted(name for name in variants.VARIANTS if name.startswith("input_"))


def head_of(name, tmp_path):
    path = tmp_path / "model.onnx"
    variants.save(name, path)
    return input_segment(import_model(path))


def floats(seed):
    """Return float32 of every kind: pixels, noise of many sizes, tiny and huge numbers, exact halves and quarters."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    bits = bits[np.isfinite(bits) & (np.abs(bits) <= 2.0**24)]
    return np.concatenate(
        [np.arange(256) / np.float32(255), np.arange(256), np.arange(-1024, 1025) / 256, rng.normal(size=50_000),
         rng.random(50_000), rng.normal(0, 200, 50_000), bits, [0.0, -0.0, 1e-45, -1e-45, 2.0**24, -(2.0**24)]]
    ).astype(np.float32)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_operators_for_every_pixel_and_random_float32(name, tmp_path):
    head = head_of(name, tmp_path)
    entry = extract_input(head)
    values = np.concatenate([floats(1), entry.thresholds, np.nextafter(entry.thresholds, np.float32(-np.inf))])
    values = values[: len(values) // head.channels * head.channels]
    expected = head(values.reshape(-1, head.channels)).reshape(-1)
    index = np.searchsorted(entry.thresholds, values, side="right")
    assert np.array_equal(entry.values[index], expected)
    assert np.allclose(entry.offset + entry.scale * entry.levels, entry.values, rtol=1e-6, atol=entry.scale * 1e-3)
    assert (np.diff(entry.thresholds) > 0).all()


@pytest.mark.parametrize(
    ("name", "datatype", "levels"),
    [
        ("input_sign_of_2x_minus_1", "BIPOLAR", [-1, 1]),
        ("input_annotated_binary", "BIPOLAR", [-1, 1]),
        ("input_2_bit_narrow", "INT2", [-1, 0, 1]),
        ("input_annotated_ternary", "INT2", [-1, 0, 1]),
        ("input_annotated_uint8_plain", "INT8", list(range(-128, 128))),
        ("input_annotated_int8_plain", "INT8", list(range(-128, 128))),
        ("input_8_bit_quant_other_scale", "INT8", list(range(-127, 128))),
        ("input_4_bit_unsigned", "INT5", list(range(16))),
        ("input_annotated_uint2_then_2x_minus_3", "INT3", [0, 1, 2, 3]),
    ],
)
def test_levels_and_datatype(name, datatype, levels, tmp_path):
    entry = extract_input(head_of(name, tmp_path))
    assert entry.datatype == datatype and entry.levels.tolist() == levels


def test_falling_quantizer(tmp_path):
    chain = variants.Chain().flatten().op("Sub", 1.0, first=True).quant(8, 2.0**-7)
    path = variants.body(chain).save(tmp_path / "model.onnx")
    entry = extract_input(input_segment(import_model(path)))
    assert (np.diff(entry.levels) == -1).all() and entry.levels[0] == 127
