"""From a seed to the description of a random network: the same seed gives the same one for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from descriptions import Block, Case, MapNetwork, Network, Perceptron, Pool, ResidualBlock, ResidualNetwork, last_map

MAP_FRAMES = 20
PERCEPTRON_FRAMES = 150
STALLS = (0.1, 0.5, 0.8)
PRIMITIVES_EVERY = 5
"""Of so many seeds one is also simulated with the bodies for LUTs of six inputs, which run slower."""


def random_maps(random: np.random.Generator) -> MapNetwork:
    """Return a network of one to four convolutions, with what may stand between them drawn at random."""
    shape = _shape(random, 5, 14)
    weights_seed = int(random.integers(1 << 30))
    bits = int(random.choice([1, 2, 4, 8]))
    blocks: tuple[Block, ...] = ()
    for layer in range(int(random.integers(1, 5))):
        blocks += (_block(last_map(shape, blocks), random, zeros=bits > 1 and layer == 0),)
    hidden = int(random.integers(1, 20)) if random.random() < 0.5 else None
    return MapNetwork("maps", shape, weights_seed, bits, blocks, hidden, classes=int(random.integers(2, 9)))


def _shape(random: np.random.Generator, channels: int, size: int) -> tuple[int, int, int]:
    drawn = random.integers(1, channels), random.integers(4, size), random.integers(4, size)
    return tuple(int(number) for number in drawn)


def _block(shape: tuple[int, int, int], random: np.random.Generator, zeros: bool) -> Block:
    outputs = int(random.integers(1, 17))
    kernel = tuple(int(random.integers(1, min(4, size) + 1)) for size in shape[1:])
    strides = tuple(int(step) for step in random.choice([1, 1, 1, 2, 3], 2))
    pads = (0, 0, 0, 0)
    if random.random() < 0.5:
        pads = tuple(int(random.integers(0, kernel[side % 2])) for side in range(4))
    value = 0 if zeros else int(random.choice([-1, -1, 1])) if any(pads) else -1
    block = Block(outputs, kernel, strides, pads, value)
    if random.random() >= 0.4:
        return block
    return Block(outputs, kernel, strides, pads, value, _pool(block.result(shape), random))


def _pool(shape: tuple[int, int, int], random: np.random.Generator) -> Pool:
    kernel = tuple(int(random.integers(1, min(3, size) + 1)) for size in shape[1:])
    return Pool(kernel, kernel if random.random() < 0.6 else tuple(int(step) for step in random.integers(1, 4, 2)))


def random_residual(random: np.random.Generator) -> ResidualNetwork:
    """Return a network of one to three residual blocks, of a trunk of 3 to 8 bits."""
    shape = _shape(random, 4, 11)
    weights_seed = int(random.integers(1 << 30))
    bits, trunk = int(random.integers(3, 9)), int(random.choice([2, 3, 4, 6]))
    blocks: tuple[ResidualBlock, ...] = ()
    for _ in range(int(random.integers(1, 4))):
        halves = all(size >= 4 and size % 2 == 0 for size in last_map((trunk, *shape[1:]), blocks)[1:])
        if halves and random.random() < 0.5:
            blocks += (ResidualBlock(repeat=int(random.integers(1, 3)), stride=2),)
        else:
            blocks += (ResidualBlock(),)
    averaged = bool(random.random() < 0.6)
    classes = int(random.integers(2, 9)) if averaged else 4
    return ResidualNetwork("residual", shape, weights_seed, trunk, bits, blocks, averaged, classes)


def random_branches(random: np.random.Generator) -> ResidualNetwork:
    """Return a residual network whose blocks may have gates and side branches."""
    network = random_residual(random)
    blocks = tuple(
        replace(block, sides=int(random.choice([0, 1, 1, 2])), gate=bool(random.random() < 0.5))
        for block in network.blocks
    )
    return replace(network, blocks=blocks)


def _map_case(draw: Callable[[np.random.Generator], Network], seed: int) -> Case:
    random = np.random.default_rng(seed)
    network = draw(random)
    cycles = int(random.choice([1, 10, 40, 150, 600, 3000]))
    output = str(random.choice(["logits", "logits", "labels"]))
    return _case(network, cycles, output, MAP_FRAMES, seed, float(random.choice(STALLS)))


def _perceptron_case(seed: int) -> Case:
    random = np.random.default_rng(seed)
    widths = [int(width) for width in random.integers(1, 70, random.integers(2, 6))] + [int(random.integers(2, 12))]
    if random.random() < 0.3:
        widths[0] = int(random.integers(100, 400))
    bits = int(random.choice([1, 1, 2, 3, 5, 8]))
    cycles = int(random.choice([1, 2, 5, 13, 40, 100, 1000]))
    output = str(random.choice(["logits", "labels"]))
    network = Perceptron("perceptrons", tuple(widths), seed, bits, top_k=bool(random.integers(2)))
    return _case(network, cycles, output, PERCEPTRON_FRAMES, seed, float(random.choice(STALLS)))


def _case(network: Network, cycles: int, output: str, frames: int, seed: int, stalls: float) -> Case:
    return Case(network, cycles, output, frames, seed, stalls, primitives=seed % PRIMITIVES_EVERY == 0)


KINDS: dict[str, Callable[[int], Case]] = {
    "maps": lambda seed: _map_case(random_maps, seed),
    "together": lambda seed: replace(_map_case(random_maps, seed), together=True),
    "residual": lambda seed: _map_case(random_residual, seed),
    "branches": lambda seed: _map_case(random_branches, seed),
    "perceptrons": _perceptron_case,
}
"""From a seed to a case, of each kind."""
