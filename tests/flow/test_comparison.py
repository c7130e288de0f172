"""Golden vectors to what the accelerator must send; a difference between reference and integers is told."""

import dataclasses

import numpy as np
import pytest

from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.flow.comparison import expect

# Accumulators -4, -2, ... 4 travel as 0 ... 4; a logit is half the accumulator plus the class's bias.
BIAS = np.asarray([0.0, 0.25], np.float32)
TABLE = np.arange(-4, 5, 2, dtype=np.float32)[:, None] / 2 + BIAS
CODEC = HostCodec(
    (1, 2), "BIPOLAR", np.asarray([0.5], np.float32), np.asarray([-1, 1]), 2, -4, -4, TABLE.astype(np.float32), False
)
INPUTS = np.asarray([[[0.1, 0.9]], [[0.5, 0.4]], [[1.0, 1.0]]], np.float32)
ACCUMULATORS = np.asarray([[4, -2], [0, 2], [-4, -4]])
LOGITS = (ACCUMULATORS / 2 + BIAS).astype(np.float32)


def golden(logits=LOGITS) -> GoldenVectors:
    return GoldenVectors(INPUTS, logits, np.zeros(0, np.int64))


def test_logits_become_what_the_accelerator_sends():
    expectation = expect(golden(), CODEC, ACCUMULATORS)
    assert expectation.inputs.tolist() == [[-1, 1], [1, -1], [1, 1]]
    assert expectation.outputs.tolist() == [[4, 1], [2, 3], [0, 0]]
    assert expectation.classes.tolist() == [0, 1, 1]


def test_rounded_logits_are_recovered():
    rounded = LOGITS + np.float32(1e-3)
    assert expect(golden(rounded), CODEC, ACCUMULATORS).outputs.tolist() == [[4, 1], [2, 3], [0, 0]]


def test_labels_are_the_first_maximum():
    codec = dataclasses.replace(CODEC, labels=True, logits=np.empty((0, 0), np.float32))
    expectation = expect(golden(), codec, np.asarray([[0], [1], [1]]))
    assert expectation.outputs.tolist() == [[0], [1], [1]]
    with pytest.raises(LowerError, match=r"integer\.onnx, frame 2: label \[0\] \(1 of 3 frames differ\); allowed: the"):
        expect(golden(), codec, np.asarray([[0], [1], [0]]))


def test_a_differing_accumulator_is_named():
    wrong = ACCUMULATORS.copy()
    wrong[1, 0] = 2
    with pytest.raises(
        LowerError, match=r"frame 1: accumulators \[2, 2\] \(1 of 3 .*allowed: the reference's \[0, 2\]"
    ):
        expect(golden(), CODEC, wrong)


def test_logits_of_another_network_are_refused():
    with pytest.raises(LowerError, match=r"reference logits: 0\.4 steps away .*belong to another model"):
        expect(golden(LOGITS + np.float32(0.4)), CODEC, ACCUMULATORS)
