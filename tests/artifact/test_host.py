from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from xnorflow.artifact.host import HostCodec


def make(classes: int = 3, falling: int = 1) -> HostCodec:
    """Bytes in, accumulators -9, -7, ..., 9 out; the logits of class ``falling`` fall with the accumulator."""
    accumulators = np.arange(-9, 10, 2, dtype=np.float32)
    logits = np.stack([accumulators * np.float32(0.3) + index for index in range(classes)], axis=1)
    logits[:, falling] *= -1
    return HostCodec(
        input_shape=(1, 2, 2),
        datatype="INT8",
        thresholds=(np.arange(-127, 128) - 0.5).astype(np.float32) / 128,
        levels=np.arange(-128, 128),
        step=2,
        offset=-9,
        acc_min=-9,
        logits=logits.astype(np.float32),
        labels=False,
    )


def test_inputs_become_levels_and_a_threshold_belongs_to_the_upper_one():
    codec = make()
    images = np.array([[[[-5.0, 0.0], [1.0, 5.0]]], [[[0.5 / 128, 0.49 / 128], [-0.5 / 128, -0.51 / 128]]]], np.float32)
    assert codec.quantize(images).tolist() == [[-128, 0, 127, 127], [1, 0, 0, -1]]


def test_what_the_accelerator_sends_becomes_accumulators_and_logits():
    codec = make()
    raw = np.array([[0, 9, 4], [3, 3, 3]])
    accumulators = codec.accumulators(raw)
    assert accumulators.tolist() == [[-9, 9, -1], [-3, -3, -3]]
    logits = codec.decode(accumulators)
    assert logits.dtype == np.float32
    assert np.array_equal(logits, codec.logits[raw, np.arange(3)])


def test_labels_pass_as_they_are():
    codec = dataclasses.replace(make(), labels=True)
    assert codec.accumulators(np.array([[7]])).tolist() == [[7]]


def test_rounded_logits_lead_back_to_their_accumulators_rising_or_falling():
    codec = make()
    accumulators = np.random.default_rng(0).integers(0, 10, (50, 3)) * 2 - 9
    exact, worst = codec.encode(codec.decode(accumulators))
    assert np.array_equal(exact, accumulators) and worst == 0
    rounded, worst = codec.encode(codec.decode(accumulators) + np.float32(1e-3))
    assert np.array_equal(rounded, accumulators)
    assert worst == pytest.approx(1e-3 / 0.6, rel=1e-2)


def test_logits_of_another_network_are_far_from_every_entry():
    codec = make()
    assert codec.encode(codec.decode(np.full((1, 3), 1)) + np.float32(0.3))[1] > 0.4


def test_it_reads_back_as_it_was_written(tmp_path):
    codec = make()
    codec.save(tmp_path / "host.npz")
    found = HostCodec.load(tmp_path / "host.npz")
    for field in dataclasses.fields(codec):
        expected, value = getattr(codec, field.name), getattr(found, field.name)
        assert np.array_equal(expected, value) and type(expected) is type(value), field.name
