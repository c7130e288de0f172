"""Seeded random machines and graphs of them, with legal parameters."""

from __future__ import annotations

import numpy as np

from xnorflow.cycles.graph import INPUT, OUTPUT, Graph
from xnorflow.cycles.machines import Add, Argmax, Dwc, Fifo, Fork, Gate, Machine, Mvau, Pool, Repeat, Requantize, Swg

Random = np.random.Generator
MOST_BEATS = 300


def pick(rng: Random, low: int, high: int) -> int:
    """Return a number of ``low`` to ``high``."""
    return int(rng.integers(low, high + 1))


def divisor(rng: Random, number: int, most: int = MOST_BEATS) -> int:
    return int(rng.choice([d for d in range(1, min(number, most) + 1) if number % d == 0]))


def random_fifo(rng: Random, beats: int) -> Machine:
    return Fifo(pick(rng, 1, 9))


def random_dwc(rng: Random, beats: int) -> Machine:
    unit, ratio = pick(rng, 1, 3), pick(rng, 1, 4)
    if rng.random() < 0.5:
        return Dwc(unit * ratio, unit)
    return Dwc(unit, unit * divisor(rng, beats, 8))


def random_mvau(rng: Random, beats: int) -> Machine:
    simd, pe, sf = int(rng.choice([1, 2, 3, 5, 33, 130])), pick(rng, 1, 3), divisor(rng, beats, 40)
    bits = pick(rng, 1, 3)
    return Mvau(sf * simd, pick(rng, 1, 4) * pe, simd, pe, bits, 1 if bits == 1 else pick(rng, 1, 6))


def random_argmax(rng: Random, beats: int) -> Machine:
    pe = pick(rng, 1, 6)
    return Argmax(pe * divisor(rng, beats, 12), pe)


def random_requantize(rng: Random, beats: int) -> Machine:
    mode = str(rng.choice(["thresholds", "affine", "table"]))
    return Requantize(mode, int(rng.choice([1, 2, 7, 40])) if mode == "thresholds" else 1, pick(rng, 1, 2))


def random_swg(rng: Random, beats: int) -> Machine:
    rows = divisor(rng, beats, 12)
    columns = divisor(rng, beats // rows, 12)
    simd = pick(rng, 1, 2)
    kernel, padding = [], []
    for size in (rows, columns):
        window = pick(rng, 1, 4)
        before, after = (pick(rng, 0, window - 1) for _ in range(2))
        while size + before + after < window:
            window, before, after = window - 1, min(before, window - 2), min(after, window - 2)
        kernel.append(window)
        padding.append((before, after))
    (top, bottom), (left, right) = padding
    stride = (pick(rng, 1, 3), pick(rng, 1, 3))
    folds = beats // rows // columns
    return Swg(rows, columns, folds * simd, simd, (kernel[0], kernel[1]), stride, (top, left, bottom, right))


def random_pool(rng: Random, beats: int) -> Machine:
    folds = divisor(rng, beats, 8)
    return Pool(divisor(rng, beats // folds, 9), folds)


def random_repeat(rng: Random, beats: int) -> Machine:
    return Repeat(divisor(rng, beats, 6), pick(rng, 2, 4))


KINDS = {
    "fifo": random_fifo,
    "dwc": random_dwc,
    "mvau": random_mvau,
    "argmax": random_argmax,
    "requantize": random_requantize,
    "swg": random_swg,
    "pool": random_pool,
    "repeat": random_repeat,
}


def fitting(rng: Random, beats: int) -> Machine:
    """Return a machine of any kind whose frames do not grow too long."""
    while True:
        machine = KINDS[str(rng.choice(list(KINDS)))](rng, beats)
        if beats // machine.beats[0] * machine.beats[1] <= MOST_BEATS:
            return machine


def random_graph(rng: Random, pieces: int) -> Graph:
    """Return machines in series, and residual blocks between them: a fork to 2 or 3 streams that adders join again."""
    start = beats = int(rng.choice([12, 24, 36, 60]))
    machines: dict[str, Machine] = {}
    edges: list[tuple[str, str]] = []
    at = INPUT

    def add(name: str, machine: Machine, *sources: str) -> str:
        machines[name] = machine
        edges.extend((source, name) for source in sources)
        return name

    for piece in range(pieces):
        if rng.random() < 0.7:
            machine = fitting(rng, beats)
            at = add(f"m{piece}", machine, at)
            beats = beats // machine.beats[0] * machine.beats[1]
            continue
        outputs = pick(rng, 2, 3)
        fork = add(f"fork{piece}", Fork(outputs), at)
        at = add(f"conv{piece}", Requantize("table"), fork)
        if (gather := divisor(rng, beats, 6)) > 1:
            at = add(f"give{piece}", Dwc(gather, 1), add(f"take{piece}", Dwc(1, gather), at))
        for k in range(outputs - 1):
            direct = rng.random() < 0.3
            other = fork if direct else add(f"fifo{piece}_{k}", Fifo(pick(rng, 1, 2 * gather)), fork)
            at = add(f"add{piece}_{k}", Add() if k else Gate(), at, other)
    edges.append((at, OUTPUT))
    return Graph(machines, tuple(edges), start)
