"""Design-space exploration: what the foldings of a lowered network take, and how many cycles, by estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.errors import InputModelError
from xnorflow.boards.catalog import load_board
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.fold_search import Folding, Room, estimate, fastest
from xnorflow.lower.layer_options import layer_options

__all__ = ["DesignSpace", "FoldingPoint", "explore_foldings"]

UNFOLDED = Path("intermediate_models") / "step_create_dataflow_partition.onnx"


@dataclass(frozen=True)
class FoldingPoint:
    """A folding of all layers, by estimate.

    Args:
        cycles: a frame, those of the slowest layer: the interval, where FIFOs are deep enough.
        luts: LUTs, FIFOs and width converters included.
        bram36: block RAMs of 36 Kbit.
        dsp: DSP slices.
        folding: for each layer its settings, as in FINN's folding files.
    """

    cycles: int
    luts: int
    bram36: float
    dsp: int
    folding: dict[str, dict[str, int | str]]

    def frames_per_second(self, clock_ns: float) -> float:
        """Return the frames a second at an assumed clock period."""
        return 1e9 / (clock_ns * self.cycles)


@dataclass(frozen=True)
class DesignSpace:
    """What foldings of a network come to.

    Args:
        count: of all foldings.
        front: those that no other one beats in both LUTs and cycles, the fastest first.
        sample: others, drawn at random.
    """

    count: int
    front: tuple[FoldingPoint, ...]
    sample: tuple[FoldingPoint, ...]


def explore_foldings(build: Path, board: str, *, sample: int = 1000, seed: int = 1) -> DesignSpace:
    """Estimate the foldings of a network that was lowered; nothing is built.

    Args:
        build: build folder with ``intermediate_models``.
        board: name of the board whose chip the estimates are for.
        sample: how many foldings to draw besides the front.
        seed: of the draw.

    Raises:
        ConfigError: there is no such board.
        InputModelError: nothing was lowered there.
    """
    path = build / UNFOLDED
    if not path.is_file():
        raise InputModelError(f"build {build}", f"{UNFOLDED} is missing", "a lowered network", "lower it first")
    prepare_finn()
    from qonnx.core.modelwrapper import ModelWrapper

    model: Any = ModelWrapper(str(path))
    layers, names = layer_options(model, load_board(board).part), [node.name for node in model.graph.node]
    bounds = sorted({option.cycles for layer in layers for option in layer.options})
    folded = (fastest(layers, Room(math.inf, math.inf), bound) for bound in bounds)
    best = {folding.cycles: _point(names, folding) for folding in folded if folding is not None}
    front: list[FoldingPoint] = []
    for _, point in sorted(best.items()):
        if not front or point.luts < front[-1].luts:
            front.append(point)
    random = np.random.default_rng(seed)
    drawn = (tuple(layer.options[random.integers(len(layer.options))] for layer in layers) for _ in range(sample))
    others = tuple(_point(names, estimate(layers, options)) for options in drawn)
    return DesignSpace(math.prod(len(layer.options) for layer in layers), tuple(front), others)


def _point(names: list[str], folding: Folding) -> FoldingPoint:
    settings = {name: dict(option.settings) for name, option in zip(names, folding.options, strict=True)}
    return FoldingPoint(folding.cycles, folding.luts, folding.bram18 / 2, folding.dsp, settings)
