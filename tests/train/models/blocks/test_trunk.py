from __future__ import annotations

import numpy as np
import pytest
import torch
from block_tools import BINARY, BOTH, FLOAT, TANH, seeded

from xnorflow.train.models.blocks.trunk import Trunk


def values():
    """Random numbers far out of range, and all halves between two integers of eight bits."""
    return torch.cat([torch.randn(4000, generator=seeded()) * 3, torch.arange(-300, 301) / 64.0])


@pytest.mark.parametrize("floor", [False, True])
@pytest.mark.parametrize("bits", [4, 6, 8])
def test_numbers_and_gradients_are_those_of_the_exported_quantizer(bits, floor):
    trunk = Trunk(bits, floor=floor)
    results = []
    for layer in (lambda x: trunk(x, BINARY), trunk.quantize):
        inputs = values().requires_grad_()
        outputs = layer(inputs)
        outputs.backward(torch.arange(1.0, len(inputs) + 1))
        results.append((outputs.detach(), inputs.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize("floor", [False, True])
@pytest.mark.parametrize("bits", [4, 8])
def test_integers_saturate(bits, floor):
    limit = 2 ** (bits - 1)
    found = Trunk(bits, floor=floor)(values(), BOTH).double().numpy() * limit / 4
    rounded = (np.floor if floor else np.round)(values().double().numpy() * limit / 4)
    assert np.array_equal(found, np.clip(rounded, -limit, limit - 1))
    assert found.min() == -limit and found.max() == limit - 1


@pytest.mark.parametrize(("bits", "state"), [(8, TANH), (8, FLOAT), ("real", BINARY)])
def test_real_trunks_pass(bits, state):
    assert torch.equal(Trunk(bits)(values(), state), values())
