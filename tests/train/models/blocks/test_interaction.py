from __future__ import annotations

import numpy as np
import pytest
import torch
from block_tools import BINARY, TANH, signs

from xnorflow.artifact.errors import TrainError
from xnorflow.train.models.blocks.interaction import (
    PublishedInteraction,
    StreamingInteraction,
    check_overhead,
    rank_of,
)
from xnorflow.train.models.blocks.levels import power_of_two, ternary


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("branches", [1, 3])
def test_streaming_branches_are_their_sum(branches, stride):
    torch.manual_seed(0)
    layer, padded = StreamingInteraction(16, 8, stride, branches), signs(2, 16, 8, 10)
    found = layer(padded, BINARY).detach().numpy()
    counts = (padded.numpy() > 0).sum(1)
    sums = 2 * counts - 16
    omega, factor = ternary(layer.omega).detach().numpy()[:, 0], power_of_two(layer.factor).detach().numpy()
    height, width = (8 - 3) // stride + 1, (10 - 3) // stride + 1
    expected = np.zeros((2, 8, height, width))
    for row in range(height):
        for column in range(width):
            window = sums[:, row * stride : row * stride + 3, column * stride : column * stride + 3]
            maps = np.einsum("nij,kij->nk", window, omega) / 16  # near the root of 9 * 16
            expected[:, :, row, column] = maps @ factor.T
    assert np.array_equal(found, expected)
    assert np.abs(found).max() > 0


def test_with_real_weights_nothing_is_rounded():
    layer = StreamingInteraction(4, 2, 1, 1)
    with torch.no_grad():
        layer.omega.fill_(0.3)
        layer.factor.fill_(0.3)
    found = layer(torch.ones(1, 4, 3, 3), TANH)
    assert found.flatten().tolist() == pytest.approx([9 * 4 * 0.3 * 0.3 / 8] * 2)
    assert layer(torch.ones(1, 4, 3, 3), BINARY).flatten().tolist() == [0, 0]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("branches", [1, 3])
def test_published_branches_are_their_formula(branches, stride):
    torch.manual_seed(0)
    channels = 8 * stride
    layer, trunk = PublishedInteraction(8, channels, stride, branches), torch.randn(2, 8, 6, 6)
    assert not layer(trunk).any()  # training begins without the branches
    with torch.no_grad():
        layer.expand.weight.normal_()
    rank = layer.squeeze.weight.shape[0] // branches
    expected = 0
    for branch in range(branches):
        down = layer.squeeze.weight[branch * rank : (branch + 1) * rank]
        up = layer.expand.weight[branch * channels : (branch + 1) * channels, :, 0]
        factors = trunk.amax((2, 3)) @ down.T @ up.T
        kernel = layer.omega.weight[branch : branch + 1]
        maps = torch.nn.functional.conv2d(trunk.amax(1, keepdim=True), kernel, stride=stride, padding=1)
        expected = expected + factors[:, :, None, None] * maps
    torch.testing.assert_close(layer(trunk), expected, rtol=1e-4, atol=1e-5)  # sums in another order


@pytest.mark.parametrize(("channels_in", "channels_out", "branches"), [
    (16, 16, 1), (32, 64, 2), (64, 64, 1), (64, 128, 4), (512, 512, 8),
])  # fmt: skip
def test_the_rank_is_the_largest_within_a_tenth(channels_in, channels_out, branches):
    rank = rank_of(channels_in, channels_out, branches)
    weights = [branches * (one * (channels_in + channels_out) + 9) for one in (rank, rank + 1)]
    limit = 0.9 * channels_in * channels_out
    assert weights[0] <= limit < weights[1]
    layer = PublishedInteraction(channels_in, channels_out, 1, branches)
    assert sum(parameter.numel() for parameter in layer.parameters()) == weights[0]


def test_heavier_branches_are_refused():
    check_overhead("here", 57, 576, 1)
    with pytest.raises(TrainError, match=r"^here: interaction_branches = 4 need 58 weights; allowed: a tenth of the "
                                         r"layer's 576; choose fewer branches, or a larger width$"):  # fmt: skip
        check_overhead("here", 58, 576, 4)
