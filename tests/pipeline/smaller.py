"""Smaller networks than a given one, the boldest steps first. Every step only takes away, so that a search ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from descriptions import Block, Case, MapNetwork, Network, Perceptron, Pool, ResidualBlock

SLOWEST = 1_000_000
"""Cycles a frame that every small network keeps to without any parallel units: folding 1."""


def smaller_cases(case: Case) -> Iterator[Case]:
    """Yield legal cases that differ from a case in one thing that is less; always the same ones in the same order."""
    for candidate in _candidates(case):
        if candidate != case and candidate.legal:
            yield candidate


def _candidates(case: Case) -> Iterator[Case]:
    for network in _networks(case.network):
        yield replace(case, network=network)
    if case.target_cycles < SLOWEST:
        yield replace(case, target_cycles=SLOWEST)
    if case.primitives:
        yield replace(case, primitives=False)
    if case.together:
        yield replace(case, together=False)
    if case.output == "labels":
        yield replace(case, output="logits")
    for stalls in (0.0, 0.1):
        if stalls < case.stall_probability:
            yield replace(case, stall_probability=stalls)
    for frames in _less(case.frames, 1):
        yield replace(case, frames=frames)
    if case.seed:
        yield replace(case, seed=0)
    if case.network.weights_seed:
        yield replace(case, network=replace(case.network, weights_seed=0))


def _less(number: int, least: int) -> list[int]:
    """Return the least, half, two less (where sizes have to stay even) and one less, as far as they differ."""
    steps = [least, number // 2, number - 2, number - 1]
    return list(dict.fromkeys(step for step in steps if least <= step < number))


def _networks(network: Network) -> Iterator[Network]:
    if isinstance(network, Perceptron):
        yield from _perceptrons(network)
        return
    yield from _without_one(network, "blocks")
    if isinstance(network, MapNetwork):
        if network.hidden is not None:
            yield replace(network, hidden=None)
        yield from _changed_blocks(network, _blocks)
        for hidden in _less(network.hidden or 1, 1):
            yield replace(network, hidden=hidden)
        yield from _fewer(network, "input_bits", 1)
    else:
        yield from _changed_blocks(network, _residual_blocks)
        if not network.averaged:
            yield replace(network, averaged=True)
        yield from _fewer(network, "bits", 2)
        yield from _fewer(network, "trunk", 1)
    yield from _fewer(network, "classes", 2)
    yield from _places(network, "shape", (1, 1, 1))


def _perceptrons(network: Perceptron) -> Iterator[Perceptron]:
    yield from _without_one(network, "widths")
    if network.top_k:
        yield replace(network, top_k=False)
    yield from _fewer(network, "input_bits", 1)
    yield from _places(network, "widths", (1,) * (len(network.widths) - 1) + (2,))


def _blocks(block: Block) -> Iterator[Block]:
    if block.pool is not None:
        yield replace(block, pool=None)
        for pool in _pools(block.pool):
            yield replace(block, pool=pool)
    if any(block.pads):
        yield replace(block, pads=(0, 0, 0, 0), pad_value=-1)
        for pads in _places(block, "pads", (0, 0, 0, 0)):
            yield pads if any(pads.pads) else replace(pads, pad_value=-1)
    if block.pad_value != -1:
        yield replace(block, pad_value=-1)
    if block.kernel != (1, 1):  # padding is less than the kernel
        yield replace(block, kernel=(1, 1), pads=(0, 0, 0, 0), pad_value=-1)
    for key in ("strides", "kernel"):
        yield from _places(block, key, (1, 1))
    yield from _fewer(block, "outputs", 1)


def _pools(pool: Pool) -> Iterator[Pool]:
    if pool.kernel != (1, 1) and pool.strides == pool.kernel:
        smaller = tuple(max(size - 1, 1) for size in pool.kernel)
        yield Pool(smaller, smaller)
    for key in ("strides", "kernel"):
        yield from _places(pool, key, (1, 1))


def _residual_blocks(block: ResidualBlock) -> Iterator[ResidualBlock]:
    yield ResidualBlock()
    yield replace(block, repeat=1)
    yield replace(block, gate=False)
    yield from _fewer(block, "sides", 0)


def _without_one(network: Any, key: str) -> Iterator[Any]:
    """Drop one entry; the last goes first, since what is in front of it keeps its weights then."""
    entries = getattr(network, key)
    for index in reversed(range(len(entries))):
        yield replace(network, **{key: entries[:index] + entries[index + 1 :]})


def _changed_blocks(network: Any, smaller: Any) -> Iterator[Any]:
    for index, block in enumerate(network.blocks):
        for changed in smaller(block):
            yield replace(network, blocks=(*network.blocks[:index], changed, *network.blocks[index + 1 :]))


def _fewer(thing: Any, key: str, least: int) -> Iterator[Any]:
    for number in _less(getattr(thing, key), least):
        yield replace(thing, **{key: number})


def _places(thing: Any, key: str, least: tuple[int, ...]) -> Iterator[Any]:
    """Lessen one number of a tuple at a time."""
    numbers = getattr(thing, key)
    for index, number in enumerate(numbers):
        for less in _less(number, least[index]):
            yield replace(thing, **{key: (*numbers[:index], less, *numbers[index + 1 :])})
