"""Depths of FIFOs: the least with which no frame takes longer than with unlimited ones.

The cycle model runs the whole graph, so that branches which meet again, bursts of windows and pauses between frames
are all in it. In stream order, each FIFO is made as shallow as it can be without a longer interval or a deadlock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from xnorflow.artifact.errors import LowerError
from xnorflow.cycles.run import CycleReport, predict_cycles
from xnorflow.lower.cycle_graph import cycle_graph
from xnorflow.lower.folding import MVAUS

__all__ = ["Sizing", "predict", "size_fifos"]

Place = tuple[str, int]

BUFFERED = (*MVAUS, "SlidingWindow", "StreamAdd")
"""Layers that take in bursts, or that wait for another branch."""
LEAST = 3
"""FINN inserts no FIFO of fewer beats."""
FRAMES = (6, 12, 24, 48, 96)
"""So many are tried, one after the other, until the last third of them takes the same time each."""


@dataclass(frozen=True)
class Sizing:
    """FIFOs and what they give.

    Args:
        depths: by node name and number of its input; 0: none is needed.
        interval: cycles from frame to frame.
        runs: runs of the model that it took.
    """

    depths: dict[Place, int]
    interval: int
    runs: int


def predict(model: Any, fifos: dict[Place, int] | None = None) -> CycleReport:
    """Run a graph, with the FIFOs that it has, in the cycle model without stalls until its frames take the same time.

    Args:
        model: a qonnx ModelWrapper, folded, with width converters.
        fifos: FIFOs besides, by node name and number of the input.

    Raises:
        LowerError: it gets stuck, or its frames never take the same time.
    """
    graph = cycle_graph(model, fifos)
    for frames in FRAMES:
        report = predict_cycles(graph, frames)
        if report.deadlock is not None or not report.complete:
            raise LowerError(
                "the accelerator", f"gets stuck: {report.deadlock}"[:200], "FIFOs deep enough where branches meet",
                "leave the depths of FIFOs to the build, or report this network",
            )  # fmt: skip
        if _steady(report, frames):
            return report
    raise LowerError(
        "the accelerator", f"takes {sorted(set(report.intervals[-FRAMES[-1] // 3 :].tolist()))} cycles for its frames",
        "the same for each", "report this network",
    )  # fmt: skip


def _steady(report: CycleReport, frames: int) -> bool:
    return len(set(report.intervals[-frames // 3 :].tolist())) == 1


def size_fifos(model: Any) -> Sizing:
    """Find the depths of all FIFOs of a folded graph with width converters.

    Args:
        model: a qonnx ModelWrapper.

    Raises:
        LowerError: it gets stuck even with FIFOs of several frames.
    """
    places = _places(model)
    runs = 0
    for frames in FRAMES:
        search = _Search(model, places, frames)
        sizing = search.run()
        runs += sizing.runs
        # What few frames do not show, more will: a FIFO that fills a little with each of them.
        if int(predict(model, sizing.depths).intervals[-1]) == sizing.interval:
            return replace(sizing, runs=runs)
    raise LowerError("the accelerator", "needs FIFOs that grow with the number of frames", fix="report this network")


class _Search:
    """The search for depths, with runs of so many frames."""

    def __init__(self, model: Any, places: dict[Place, int], frames: int) -> None:
        self._model, self._places, self._frames = model, places, frames
        self._runs = 0

    def run(self) -> Sizing:
        """Return depths each of which cannot be less, the others being as they are."""
        depths = {place: (self._frames + 1) * beats for place, beats in self._places.items()}
        report = self._report(depths)
        if report is None:
            raise LowerError("the accelerator", "gets stuck whatever the FIFOs", fix="report this network")
        best = _interval(report, self._frames)
        # A beat more than they ever held is enough: a full FIFO takes none, not even while it gives one away.
        for (node, index), depth in depths.items():
            depths[node, index] = min(depth, max(report.fills[f"{node}.in{index}"] + 1, LEAST))
        for place in self._places:
            depths[place] = self._least(depths, place, best)
        return Sizing(depths, best, self._runs)

    def _report(self, depths: dict[Place, int]) -> CycleReport | None:
        self._runs += 1
        report = predict_cycles(cycle_graph(self._model, depths), self._frames)
        return report if report.deadlock is None and report.complete else None

    def _works(self, depths: dict[Place, int], best: int) -> bool:
        report = self._report(depths)
        return report is not None and _interval(report, self._frames) <= best

    def _least(self, depths: dict[Place, int], place: Place, best: int) -> int:
        """Return the least depth that works at one place, 0 or ``LEAST`` and more; the one it has does."""
        if self._works({**depths, place: 0}, best):
            return 0
        low, high = LEAST - 1, depths[place]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._works({**depths, place: middle}, best) else (middle, high)
        return high


def _interval(report: CycleReport, frames: int) -> int:
    return int(report.intervals[-frames // 3 :].max())


def _places(model: Any) -> dict[Place, int]:
    """Return where FIFOs may be, in stream order, and the beats of a frame there."""
    import numpy as np
    from qonnx.custom_op.registry import getCustomOp

    places: dict[Place, int] = {}
    source = model.graph.input[0].name  # the host's side can wait
    for node in model.graph.node:
        if node.op_type in BUFFERED:
            streams = [name for name in node.input if model.get_initializer(name) is None]
            beats = int(np.prod(getCustomOp(node).get_folded_input_shape()[:-1]))
            places |= {(node.name, index): beats for index, name in enumerate(streams) if name != source}
    return places
