from __future__ import annotations

import pytest
import torch
from block_tools import BINARY, BOTH, FORMS, signs

from xnorflow.train.models.blocks.padding import Pad
from xnorflow.train.models.config import Padding


@pytest.mark.parametrize("form", ["binary", "binary_activations"])
def test_signs_are_surrounded_by_minus_one(form):
    padded = Pad(Padding.MINUS_ONE)(signs(2, 3, 4, 5), FORMS[form])
    assert padded.shape == (2, 3, 6, 7)
    assert torch.equal(padded[:, :, 1:-1, 1:-1], signs(2, 3, 4, 5))
    border = padded.clone()
    border[:, :, 1:-1, 1:-1] = -1
    assert set(border.unique().tolist()) == {-1}


@pytest.mark.parametrize(("padding", "state"), [
    (Padding.MINUS_ONE, FORMS["float"]), (Padding.MINUS_ONE, FORMS["tanh"]), (Padding.ZERO, BINARY),
    (Padding.ZERO, BOTH),
])  # fmt: skip
def test_zeros_stand_around_real_maps_and_in_papers(padding, state):
    padded = Pad(padding)(signs(1, 2, 3, 3), state)
    assert padded.abs().sum() == 18 and padded.shape == (1, 2, 5, 5)


def test_signs_and_their_real_twins_have_the_same_border():
    padded = Pad(Padding.MINUS_ONE, 2)(torch.zeros(2, 1, 1, 1), BOTH)
    assert torch.equal(padded[0], padded[1]) and padded.sum() == -2 * 24
