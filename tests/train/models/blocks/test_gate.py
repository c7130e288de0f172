from __future__ import annotations

import numpy as np
import pytest
import torch
from block_tools import BINARY, FORMS, TANH, seeded, signs
from torch.nn import functional

from xnorflow.train.models.blocks.gate import PowerOfTwoGate, PublishedGate, StaticGate, make_gate, shift_levels
from xnorflow.train.models.config import BlockSettings


def test_each_setting_makes_its_gate():
    kinds = {"none": type(None), "static": StaticGate, "power_of_two": PowerOfTwoGate, "published": PublishedGate}
    for gate, kind in kinds.items():
        assert type(make_gate(16, 32, BlockSettings(gate=gate))) is kind


def test_a_static_gate_begins_at_one_and_stays_positive():
    gate = StaticGate(3)
    assert gate(signs(1, 3, 2, 2), torch.zeros(1), BINARY).flatten().tolist() == [1, 1, 1]
    with torch.no_grad():
        gate.factor.copy_(torch.tensor([2.0, 0.0, -1.0]))
    assert gate(signs(1, 3, 2, 2), torch.zeros(1), BINARY).flatten().tolist() == [2, *[pytest.approx(1e-3)] * 2]


@pytest.mark.parametrize("form", FORMS)
def test_the_published_gate_is_its_formula(form):
    torch.manual_seed(0)
    gate, normed = PublishedGate(16, 24, 4), torch.randn(3, 16, 5, 5)
    first, second = (layer.weight.detach().numpy() for layer in (gate.reduce, gate.expand))
    assert first.shape == (4, 16) and second.shape == (24, 4)
    hidden = np.maximum(normed.numpy().mean((2, 3)) @ first.T, 0)
    expected = 1 / (1 + np.exp(-hidden @ second.T))
    found = gate(torch.empty(0), normed, FORMS[form])
    np.testing.assert_allclose(found.detach().numpy()[:, :, 0, 0], expected, rtol=1e-5)  # another exp
    assert sum(parameter.numel() for parameter in PublishedGate(64, 64, 8).parameters()) == 2 * 64 * 64 // 8


def test_shift_levels_are_the_nearest_to_the_hard_sigmoid():
    values = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    soft = np.clip(values.numpy() / 6 + 0.5, 0.125, 1)
    assert np.array_equal(shift_levels(values).numpy(), 2.0 ** np.round(np.log2(soft)))
    values = values.float().requires_grad_()
    levels = shift_levels(values)
    assert set(levels.tolist()) == {0.125, 0.25, 0.5, 1.0}
    levels.sum().backward()
    (expected,) = torch.autograd.grad(functional.hardsigmoid(values).sum(), values)
    assert torch.equal(values.grad, expected)


@pytest.mark.parametrize("side", [4, 7])
def test_the_power_of_two_gate_computes_with_integers(side):
    torch.manual_seed(0)
    gate, maps = PowerOfTwoGate(64, 48, 8), signs(200, 64, side, side)
    maps = torch.where(torch.rand(200, 64, 1, 1, generator=seeded()) < 0.6, maps, maps.abs())  # uneven channels
    shift = (side * side - 1).bit_length()
    weights = [np.clip(np.round(p.detach().numpy() * 8), -7, 7).astype(np.int64) for p in (gate.reduce, gate.expand)]
    counts = (maps.numpy() > 0).sum((2, 3)).astype(np.int64)
    sums = (2 * counts - side * side) @ weights[0].T  # in units of 2**-(shift + 3)
    # The hidden layer is rounded down to multiples of 2**-6: a shift where the sums are finer, none where they are not.
    drop = shift + 3 - 6
    hidden = np.clip(sums >> drop if drop >= 0 else sums << -drop, 0, 127)
    outputs = hidden @ weights[1].T / 2.0**9
    bounds = [6 * (2.0 ** (exponent - 0.5) - 0.5) for exponent in (-2, -1, 0)]
    expected = 0.125 * 2.0 ** np.searchsorted(np.float32(bounds), outputs.astype(np.float32), side="right")
    found = gate(maps, torch.empty(0), BINARY).detach().numpy()[:, :, 0, 0]
    assert np.array_equal(found, expected)
    assert len(np.unique(found)) >= 3


def test_without_signs_the_power_of_two_gate_is_real():
    torch.manual_seed(0)
    gate, maps = PowerOfTwoGate(32, 8, 8), torch.tanh(torch.randn(5, 32, 4, 4))
    hidden = torch.relu(maps.mean((2, 3)) @ gate.reduce.T)
    expected = torch.clamp(hidden @ gate.expand.T / 6 + 0.5, 0, 1)
    torch.testing.assert_close(gate(maps, torch.empty(0), TANH)[:, :, 0, 0], expected)  # sums in another order
    assert gate.reduce.shape == (4, 32)  # at least four hidden neurons
    assert PowerOfTwoGate(256, 8, 8).reduce.shape == (32, 256)
