"""Foldings whose first result comes early, and which are as fast from frame to frame as the one that there was.

What a matrix unit waits for and what waits for it depend on how PE and SIMD share its cycles: with all inputs in one
beat (MW = SIMD) it gives its results one after the other from the first cycles on, with all neurons at once (MH = PE)
it works on its inputs as they come. Layers that take turns overlap; layers of one kind wait for one another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.cycle_graph import read_layers
from xnorflow.lower.fifo_sizing import unlimited_fifos
from xnorflow.lower.fold_search import Folding, Room, estimate
from xnorflow.lower.folding import hardware_layers
from xnorflow.lower.layer_options import Layer, LayerOption, layer_options

__all__ = ["fold_for_latency"]

Changes = Iterable[dict[int, LayerOption]]
"""Layers by place, each with its new option."""
PORTIONS = (0.0, 1.0)
"""Of the room that is left: what helps for little comes first, before a single layer takes all of it."""
FRAMES = 2  # of which the first is looked at; it is not alone, as in the report


def fold_for_latency(model: Any, part: str, room: Room, *, multipliers: bool = False) -> Folding:
    """Change a folding for the shortest latency, without making frames take longer.

    One layer after the other, or two that share a stream, get of their foldings with no more cycles a frame than the
    slowest layer has those with which the first frame ends earliest in the cycle model, of equals the cheapest, until
    no such change helps. What takes no more room than was taken before comes first. Each step is an improvement, but
    together they need not find the best folding there is.

    Args:
        model: ModelWrapper of abstract hardware layers, folded, without width converters; changed in place.
        part: FPGA part, for the estimates.
        room: what the design may take; what it takes already it may keep.
        multipliers: whether first layers may be computed by DSP multipliers.

    Returns:
        the folding.
    """
    return _Descent(model, layer_options(model, part, multipliers=multipliers), room).run()


class _Descent:
    """One option a layer, changed step by step."""

    def __init__(self, model: Any, layers: Sequence[Layer], room: Room) -> None:
        self._model, self._layers, self._room = model, layers, room
        self._operators = [operator for _, operator in hardware_layers(model)]
        self._now = [self._present(layer, operator) for layer, operator in zip(layers, self._operators, strict=True)]
        start, self._limit = estimate(layers, self._now), 1.0
        self._choices = [
            _choices(layer.options, present, start.cycles) for layer, present in zip(layers, self._now, strict=True)
        ]
        self._latencies: dict[tuple[int, ...], int] = {}  # by the options' identities
        self._runs: dict[str, int] = {}  # by the machines; memories of weights make no difference to many

    def run(self) -> Folding:
        """Set the folding that no change improves, and return it."""
        least = self._taken(estimate(self._layers, self._now))
        for portion in PORTIONS:
            self._limit = least + portion * max(1 - least, 0)
            while self._improve(self._of_one_layer()) or self._improve(self._of_two_layers()):
                pass
        self._set(self._now)
        return estimate(self._layers, self._now)

    def _improve(self, groups: Iterator[Changes]) -> bool:
        """Make the best change of each group, one group after the other; return whether any was an improvement."""
        start = best = self._latency(self._now), estimate(self._layers, self._now).luts
        for change in itertools.chain.from_iterable(groups):  # those of a group take one another's places
            options = [change.get(place, option) for place, option in enumerate(self._now)]
            folding = estimate(self._layers, options)
            if self._taken(folding) <= self._limit and (quality := (self._latency(options), folding.luts)) < best:
                best, self._now = quality, options
        return best < start

    def _of_one_layer(self) -> Iterator[Changes]:
        """Yield for each layer its other foldings."""
        for place, choices in enumerate(self._choices):
            yield ({place: option} for option in choices)

    def _of_two_layers(self) -> Iterator[Changes]:
        """Yield for each stream the foldings of the layers at its ends with which both have the same width there."""
        readers = {name: place for place, layer in enumerate(self._layers) for name in layer.inputs}
        for place, layer in enumerate(self._layers):
            for index, name in enumerate(layer.outputs):
                reader = readers[name]
                end = self._layers[reader].inputs.index(name)
                pairs = itertools.product(self._choices[place], self._choices[reader])
                yield (
                    {place: before, reader: after}
                    for before, after in pairs if before.bits_out[index] == after.bits_in[end]
                )  # fmt: skip

    def _latency(self, options: Sequence[LayerOption]) -> int:
        key = tuple(map(id, options))
        if key not in self._latencies:
            self._set(options)
            graph = read_layers(self._model, convert_widths=True).graph(unlimited_fifos(self._model, FRAMES))
            machines = graph.description()
            if machines not in self._runs:
                self._runs[machines] = predict_cycles(graph, FRAMES).latency
            self._latencies[key] = self._runs[machines]
        return self._latencies[key]

    def _set(self, options: Sequence[LayerOption]) -> None:
        for operator, option in zip(self._operators, options, strict=True):
            for key, value in option.settings.items():
                operator.set_nodeattr(key, value)

    def _present(self, layer: Layer, operator: Any) -> LayerOption:
        """Return the option that a layer has, the one of the smallest share where its memory is left open."""
        fitting = [option for option in layer.options if all(_is(operator, *item) for item in option.settings.items())]
        return min(fitting, key=lambda option: float(self._room.share(option.luts, option.bram18, option.dsp)))

    def _taken(self, folding: Folding) -> float:
        return float(self._room.share(folding.luts, folding.bram18, folding.dsp))


def _is(operator: Any, key: str, value: int | str) -> bool:
    found = operator.get_nodeattr(key)
    return found == value or (found == "auto" and value != "dsp")


def _choices(options: Sequence[LayerOption], present: LayerOption, cycles: int) -> list[LayerOption]:
    """Return the foldings of a layer that may be taken: fast enough, and not beaten by another."""
    fitting = [option for option in options if option.cycles <= cycles and _alike(option, present)]
    return [option for option in fitting if not any(_is_better(other, option) for other in fitting)]


def _is_better(option: LayerOption, other: LayerOption) -> bool:
    """Return whether an option of the same streams takes no more of anything, and less of something."""
    taken, others = ((one.cycles, one.luts, one.bram18, one.dsp) for one in (option, other))
    same = (option.bits_in, option.bits_out) == (other.bits_in, other.bits_out)
    return same and taken != others and all(mine <= its for mine, its in zip(taken, others, strict=True))


def _alike(option: LayerOption, present: LayerOption) -> bool:
    """Return whether windows come in and are worked on alike: other layers have to do with that."""
    return all(option.settings.get(key) == present.settings.get(key) for key in ("parallel_window", "M"))
