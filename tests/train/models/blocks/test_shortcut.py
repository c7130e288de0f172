from __future__ import annotations

import numpy as np
import pytest
import torch
from block_tools import BINARY, TANH, integers

from xnorflow.train.models.blocks.normalization import AffineBatchNorm2d
from xnorflow.train.models.blocks.shortcut import AverageConvolution, make_shortcut
from xnorflow.train.models.config import BlockSettings


@pytest.mark.parametrize("bits", [4, 8])
def test_downsampling_is_a_sum_shifted_right_by_two_and_repeated(bits):
    step, limit = 4 / 2 ** (bits - 1), 2 ** (bits - 1)
    trunk = integers(3, 5, 6, 8, low=-limit, high=limit, step=step)
    found = make_shortcut(5, 2, BlockSettings(trunk_bits=bits))(trunk, BINARY)
    whole = (trunk.numpy() / step).astype(np.int64)
    sums = whole[:, :, ::2, ::2] + whole[:, :, 1::2, ::2] + whole[:, :, ::2, 1::2] + whole[:, :, 1::2, 1::2]
    assert np.array_equal(found.numpy() / step, np.concatenate([sums >> 2, sums >> 2], axis=1))
    assert (sums % 4).any()  # or rounding down would not have been seen


def test_a_real_trunk_is_averaged():
    trunk = integers(1, 1, 2, 2)
    found = make_shortcut(1, 2, BlockSettings())(trunk, TANH)
    assert found.flatten().tolist() == [trunk.mean().item()] * 2


def test_the_identity_is_the_identity():
    trunk = integers(1, 3, 4, 4)
    assert make_shortcut(3, 1, BlockSettings())(trunk, BINARY) is trunk


@pytest.mark.parametrize(("order", "normalized"), [("real_to_binary", True), ("bbcu", False), ("norm_free", False)])
def test_the_papers_convolution_doubles_channels(order, normalized):
    layer = make_shortcut(4, 2, BlockSettings(downsample="convolution", order=order))
    assert isinstance(layer, AverageConvolution)
    assert layer(torch.randn(2, 4, 6, 6), TANH).shape == (2, 8, 3, 3)
    assert isinstance(layer.norm, AffineBatchNorm2d) == normalized
