"""Depths of FIFOs: the least with which no frame takes longer than with unlimited ones.

The cycle model runs the whole graph, so that branches which meet again, bursts of windows and pauses between frames
are all in it. One after the other, each FIFO is made as shallow as it can be without a longer interval or a deadlock:
those first in which a frame takes most bits, so that what must wait does so where it is narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xnorflow.artifact.errors import LowerError
from xnorflow.cycles.graph import Graph
from xnorflow.cycles.run import CycleReport, predict_cycles
from xnorflow.lower.cycle_graph import CycleLayers, read_layers
from xnorflow.lower.folding import MVAUS

__all__ = ["Sizing", "predict", "size_fifos", "steady_interval", "unlimited_fifos"]

Place = tuple[str, int]

BUFFERED = (*MVAUS, "SlidingWindow", "StreamAdd", "StreamGate")
"""Layers that take in bursts, or that wait for another branch."""
LEAST = 3
"""FINN inserts no FIFO of fewer beats."""
FRAMES = (6, 12, 24, 48, 96)
"""So many are tried, one after the other, until the depths that they give hold for ever."""
MOST_FRAMES = 5000
"""After which frames shall repeat themselves: every FIFO in front of the busiest layer has to fill first."""


@dataclass(frozen=True)
class Sizing:
    """FIFOs and what they give.

    Args:
        depths: by node name and number of its input; 0: none is needed.
        interval: cycles from frame to frame.
    """

    depths: dict[Place, int]
    interval: int


def predict(model: Any) -> CycleReport:
    """Run a graph, with the FIFOs that it has, in the cycle model without stalls until its frames repeat themselves.

    Args:
        model: a qonnx ModelWrapper, folded, with width converters.

    Raises:
        LowerError: it gets stuck, or its frames never take the same time each.
    """
    return _predict(read_layers(model).graph())


def _predict(graph: Graph) -> CycleReport:
    report = predict_cycles(graph, MOST_FRAMES, until_steady=True)
    if report.deadlock is not None:
        raise LowerError(
            "the accelerator", f"gets stuck: {report.deadlock}"[:200], "FIFOs deep enough where branches meet",
            "leave the depths of FIFOs to the build, or report this network",
        )  # fmt: skip
    intervals = set() if report.steady is None else set(report.intervals[report.steady.first :].tolist())
    if len(intervals) != 1:
        found = f"takes {sorted(intervals)} cycles for its frames" if intervals else "never repeats itself"
        raise LowerError("the accelerator", found, "the same for each", "report this network")
    return report


def steady_interval(graph: Graph) -> int | None:
    """Return the cycles from frame to frame, the same for ever; None where it gets stuck or frames differ."""
    try:
        return int(_predict(graph).intervals[-1])
    except LowerError:
        return None


def _longest_interval(report: CycleReport) -> int:
    """Return the longest interval of those that will come for ever, or else of the last third of those that came."""
    last = report.intervals[report.steady.first :] if report.steady else report.intervals[-len(report.intervals) // 3 :]
    return int(last.max())


def unlimited_fifos(model: Any, frames: int) -> dict[Place, int]:
    """Return depths with which no layer ever waits for room, wherever FIFOs may be inserted, of so many frames."""
    return _unlimited(_places(model), frames)


def _unlimited(places: Mapping[Place, int], frames: int) -> dict[Place, int]:
    """Return depths of more frames than are run, from the beats of one."""
    return {place: (frames + 1) * beats for place, beats in places.items()}


def size_fifos(model: Any) -> Sizing:
    """Find the depths of all FIFOs of a folded graph with width converters.

    Args:
        model: a qonnx ModelWrapper.

    Raises:
        LowerError: it gets stuck even with FIFOs of several frames.
    """
    layers, places = read_layers(model), _places(model)
    others, whole = _places(model, others=True), _of_whole_windows(model)
    for frames in FRAMES:
        sizing = _Search(layers, places, frames).without(whole).with_more(others).run()
        # What few frames do not show, more will: a FIFO that fills a little with each of them.
        if int(_predict(layers.graph(sizing.depths)).intervals[-1]) == sizing.interval:
            return sizing
    raise LowerError("the accelerator", "needs FIFOs that grow with the number of frames", fix="report this network")


class _Search:
    """The search for depths, with runs of so many frames."""

    def __init__(self, layers: CycleLayers, places: dict[Place, int], frames: int) -> None:
        self._layers, self._places, self._frames = layers, places, frames

    def with_more(self, others: dict[Place, int]) -> _Search:
        """Return the search with other places too, if frames take longer than the busiest layer without them.

        A layer that gives its results in bursts, like a pool or a generator of whole windows, may be in front of one
        that takes its time with each.
        """
        search, rest = self, dict(others)
        interval = search.interval()
        if interval == self._layers.graph().least_interval:
            return self
        least = self._with(others).interval()
        while interval > least:
            found = {place: search._with({place: rest[place]}) for place in reversed(rest)}
            intervals = {place: one.interval() for place, one in found.items()}
            place = min(intervals, key=intervals.__getitem__)  # of equals the one with the fewest bits
            if intervals[place] == interval:  # only several together help
                return self._with(others)
            search, interval = found[place], intervals[place]
            del rest[place]
        return search

    def without(self, wide: list[Place]) -> _Search:
        """Return the search without those places whose beats can wait elsewhere: frames take no longer."""
        search, best = self, self.interval() if wide else 0
        for place in wide:
            kept = {other: beats for other, beats in search._places.items() if other != place}
            fewer = _Search(self._layers, kept, self._frames)
            search = fewer if fewer._works(fewer._unlimited(), best) else search
        return search

    def _with(self, more: dict[Place, int]) -> _Search:
        return _Search(self._layers, {**self._places, **more}, self._frames)

    def interval(self) -> int:
        """Return the longest of the last intervals with unlimited FIFOs.

        Raises:
            LowerError: it gets stuck.
        """
        return _longest_interval(self._run_unlimited()[1])

    def _unlimited(self) -> dict[Place, int]:
        """Return depths of more frames than are run."""
        return _unlimited(self._places, self._frames)

    def _run_unlimited(self) -> tuple[dict[Place, int], CycleReport]:
        """Return depths of more frames than are run, and a run with them."""
        depths = self._unlimited()
        report = self._report(depths)
        if report is None:
            raise LowerError("the accelerator", "gets stuck whatever the FIFOs", fix="report this network")
        return depths, report

    def run(self) -> Sizing:
        """Return depths each of which cannot be less, the others being as they are."""
        depths, report = self._run_unlimited()
        best = _longest_interval(report)
        # A beat more than they ever held is enough: a full FIFO takes none, not even while it gives one away.
        fills = {place: report.fills[f"{place[0]}.in{place[1]}"] for place in depths}
        depths = {place: min(depth, max(fills[place] + 1, LEAST)) for place, depth in depths.items()}
        # Most of those in which no beat ever waits are not needed: all of them at once is worth a try.
        none = dict.fromkeys((place for place, fill in fills.items() if fill <= 1), 0)
        if self._works({**depths, **none}, best):
            depths |= none
        for place in self._places:
            if depths[place]:
                depths[place] = self._least(depths, place, best)
        return Sizing(depths, best)

    def _report(self, depths: dict[Place, int]) -> CycleReport | None:
        report = predict_cycles(self._layers.graph(depths), self._frames, until_steady=True)
        return report if report.deadlock is None and (report.steady or report.complete) else None

    def _works(self, depths: dict[Place, int], best: int) -> bool:
        report = self._report(depths)
        return report is not None and _longest_interval(report) <= best

    def _least(self, depths: dict[Place, int], place: Place, best: int) -> int:
        """Return the least depth that works at one place, 0 or ``LEAST`` and more; the one it has does."""
        if self._works({**depths, place: 0}, best):
            return 0
        low, high, step = LEAST - 1, depths[place], 1
        # Where branches meet, about as much is needed as ever waited there: down from that in growing steps.
        joins = sum(node == place[0] for node, _ in self._places) > 1
        while joins and high - step > low:
            if not self._works({**depths, place: high - step}, best):
                low = high - step
                break
            high, step = high - step, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._works({**depths, place: middle}, best) else (middle, high)
        return high


def _of_whole_windows(model: Any) -> list[Place]:
    """Return the inputs whose beats hold several whole windows, each pixel many times: better it waits before that."""
    from qonnx.custom_op.registry import getCustomOp

    units = [node for node in model.graph.node if node.op_type in MVAUS and getCustomOp(node).windows() > 1]
    return [(node.name, 0) for node in units if node.input[0] != model.graph.input[0].name]


def _places(model: Any, others: bool = False) -> dict[Place, int]:
    """Return where FIFOs may be, and the beats of a frame there: where a frame has most bits first.

    Args:
        model: a qonnx ModelWrapper.
        others: return the inputs of all other layers instead.
    """
    import numpy as np
    from qonnx.custom_op.registry import getCustomOp

    places: dict[Place, int] = {}
    bits: dict[Place, int] = {}
    source = model.graph.input[0].name  # the host's side can wait
    for node in model.graph.node:
        if (node.op_type in BUFFERED) != others:
            streams = [name for name in node.input if model.get_initializer(name) is None]
            operator = getCustomOp(node)
            beats = int(np.prod(operator.get_folded_input_shape()[:-1]))
            here = [(node.name, index) for index, name in enumerate(streams) if name != source]
            places |= dict.fromkeys(here, beats)
            bits |= {place: beats * int(operator.get_instream_width(place[1])) for place in here}
    return dict(sorted(places.items(), key=lambda item: -bits[item[0]]))
