from __future__ import annotations

import pytest
import torch
from block_tools import seeded
from torch.nn import functional

from xnorflow.train.models.blocks.activation import Maxout, PReLU, RPReLU, Shift, make_prelu
from xnorflow.train.models.config import BlockSettings, Slope


def batch():
    return torch.randn(3, 4, 5, 5, generator=seeded())


def test_activations_begin_as_their_papers_say():
    leaky = functional.leaky_relu(batch(), 0.25)
    settings = BlockSettings()
    for layer in (PReLU(4, Slope.NONNEGATIVE), Maxout(4, Slope.NONNEGATIVE), RPReLU(4, settings)):
        assert torch.equal(layer(batch()), leaky)
    assert torch.equal(Shift(4)(batch()), batch())
    assert isinstance(make_prelu(4, settings), PReLU)
    assert isinstance(RPReLU(4, BlockSettings(maxout=True)).prelu, Maxout)


@pytest.mark.parametrize("kind", [PReLU, Maxout])
@pytest.mark.parametrize(("slope", "lowest"), [(Slope.NONNEGATIVE, 0.0), (Slope.FREE, -0.5)])
def test_slopes_stay_at_zero_or_above_unless_free(kind, slope, lowest):
    layer = kind(4, slope)
    with torch.no_grad():
        layer.negative.fill_(-0.5)
    result = layer(torch.full((1, 4, 1, 1), -2.0))
    assert result.unique().tolist() == [-2 * lowest]
    result.sum().backward()
    assert layer.negative.grad.tolist() == [-2.0] * 4  # a slope that is held back can still return


def test_maxout_has_a_slope_on_both_sides():
    layer = Maxout(2, Slope.FREE)
    with torch.no_grad():
        layer.positive.copy_(torch.tensor([3.0, -1.0]))
        layer.negative.copy_(torch.tensor([0.5, 2.0]))
    found = layer(torch.tensor([2.0, -2.0]).view(1, 1, 1, 2).repeat(1, 2, 1, 1))
    assert found.flatten().tolist() == [6, -1, -2, -4]


def test_rprelu_shifts_before_and_behind():
    layer = RPReLU(1, BlockSettings())
    with torch.no_grad():
        layer.before.offset.fill_(-1)
        layer.behind.offset.fill_(5)
    assert layer(torch.tensor([-3.0, 1, 4]).view(3, 1, 1, 1)).flatten().tolist() == [4, 5, 8]
