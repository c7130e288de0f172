"""Random convolutional and residual networks, foldings and stalls through the whole ladder: nothing may differ."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.finn_compat import prepare_finn

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from map_files import MapChain, TrunkChain

FRAMES = 20
SEEDS = [pytest.param(seed, marks=[pytest.mark.full] if seed >= 5 else []) for seed in range(110)]


def random_network(random: np.random.Generator) -> MapChain:
    """Return a network of one to four convolutions, with what may stand between them drawn at random."""
    shape = tuple(int(size) for size in (random.integers(1, 5), random.integers(4, 14), random.integers(4, 14)))
    chain = MapChain(shape=shape, seed=int(random.integers(1 << 30)))
    bits = int(random.choice([1, 2, 4, 8]))
    if bits == 1:
        chain.bipolar()
    else:
        chain.quant(bits, scale=2.0 ** (1 - bits), narrow=0)
    for layer in range(int(random.integers(1, 5))):
        _convolution(chain, random, zeros=bits > 1 and layer == 0)
        if random.random() < 0.4:
            _pool(chain, random)
    hidden = int(random.integers(1, 20)) if random.random() < 0.5 else None
    return chain.classify(int(random.integers(2, 9)), hidden)


def _convolution(chain: MapChain, random: np.random.Generator, zeros: bool) -> None:
    outputs = int(random.integers(1, 17))
    kernel = tuple(int(random.integers(1, min(4, size) + 1)) for size in chain.map[1:])
    strides = tuple(int(step) for step in random.choice([1, 1, 1, 2, 3], 2))
    pads = [0, 0, 0, 0]
    if random.random() < 0.5:
        pads = [int(random.integers(0, kernel[side % 2])) for side in range(4)]
    if zeros:
        chain.conv(outputs, kernel, strides, pads)
    else:
        if any(pads):
            chain.pad(*pads, value=float(random.choice([-1, -1, 1])))
        chain.conv(outputs, kernel, strides)
    chain.activation(spread=float(np.sqrt(kernel[0] * kernel[1] * 4)))


def _pool(chain: MapChain, random: np.random.Generator) -> None:
    kernel = tuple(int(random.integers(1, min(3, size) + 1)) for size in chain.map[1:])
    strides = kernel if random.random() < 0.6 else tuple(int(step) for step in random.integers(1, 4, 2))
    chain.pool(kernel, strides)


def random_residual_network(random: np.random.Generator) -> TrunkChain:
    """Return a network of one to three residual blocks, of a trunk of 3 to 8 bits."""
    shape = tuple(int(size) for size in (random.integers(1, 4), random.integers(4, 11), random.integers(4, 11)))
    chain = TrunkChain(shape=shape, seed=int(random.integers(1 << 30))).quant(8, scale=1 / 128, narrow=0)
    bits = int(random.integers(3, 9))
    chain.conv(int(random.choice([2, 3, 4, 6])), kernel=(1, 1)).scaled(spread=1).trunk(bits)
    for _ in range(int(random.integers(1, 4))):
        halves = all(size >= 4 and size % 2 == 0 for size in chain.map[1:])
        if halves and random.random() < 0.5:
            chain.block(chain.map[0] * int(random.integers(1, 3)), (2, 2), bits, bits)
        else:
            chain.block(None, (1, 1), bits, bits)
    return chain.head(int(random.integers(2, 9))) if random.random() < 0.6 else chain.sign().classify(4)


@pytest.mark.parametrize("build_network", [random_network, random_residual_network])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(tmp_path, seed, build_network, climb):
    prepare_finn()
    random = np.random.default_rng(seed)
    model = build_network(random).save(tmp_path / "net.onnx")
    settings = BuildSettings(
        board="ZCU104",
        target_cycles=int(random.choice([1, 10, 40, 150, 600, 3000])),
        output=OutputKind(str(random.choice(["logits", "logits", "labels"]))),
    )
    climb(model, settings, FRAMES, seed, float(random.choice([0.1, 0.5, 0.8])))
