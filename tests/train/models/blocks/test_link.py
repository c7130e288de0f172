from __future__ import annotations

import pytest
import torch
from block_tools import BINARY, TANH, signs

from xnorflow.artifact.errors import TrainError
from xnorflow.train.models.blocks.link import ElasticLink, match_channels


def test_channels_are_squeezed_and_expanded():
    values = torch.arange(6.0).view(1, 6, 1, 1)
    assert match_channels(values, 6) is values
    assert match_channels(values, 3).flatten().tolist() == [0.5, 2.5, 4.5]
    assert match_channels(values, 12).flatten().tolist() == [*range(6), *range(6)]
    message = r"^Elastic-Link: 6 channels to 4; allowed: one a multiple of the other; choose another width$"
    with pytest.raises(TrainError, match=message):
        match_channels(values, 4)


def test_a_link_is_a_shifted_sign():
    link = ElasticLink(4, 1)
    with torch.no_grad():
        link.gamma.copy_(torch.tensor([0.3, -0.3, 0.001, 7.0]))
    values = signs(2, 4, 3, 3)
    expected = values * torch.tensor([0.25, -0.25, 0.0, 1.0]).view(4, 1, 1)
    assert torch.equal(link(values, BINARY), expected)
    torch.testing.assert_close(link(values, TANH), values * link.gamma.view(4, 1, 1))


def test_with_stride_two_it_averages_and_expands():
    link, values = ElasticLink(4, 2), signs(1, 2, 4, 4)
    found = link(values, BINARY)
    sums = values.view(1, 2, 2, 2, 2, 2).sum((3, 5))
    assert torch.equal(found, torch.cat([sums, sums], 1) / 16)  # a quarter of the average
