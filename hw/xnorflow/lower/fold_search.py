"""The fastest folding of a network whose estimates fit into given LUTs and block RAM, exactly.

For a bound on the cycles a frame, dynamic programming along the layers finds the least LUTs for each number of 18 Kib
blocks and all widths of the streams that are open there, width converters between layers included. What fits under a
bound also fits under any looser one, so that bisection over the cycles that layers can take finds the tightest.

Few layers take DSP slices, so that their number is a second axis only where what is best without a limit on the total
takes too many.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xnorflow.lower.layer_options import Layer, LayerOption, converter_luts

__all__ = ["Folding", "Room", "estimate", "fastest", "nearest"]

Row = npt.NDArray[np.int64]
"""The least LUTs that exactly 0, 1, 2... 18 Kib blocks go with, and 0, 1, 2... DSP slices where they are counted."""
Streams = tuple[tuple[str, int], ...]
"""Streams that a layer has written and none has read yet, each with the bits of a beat."""
Widths = tuple[int, ...]
NEVER = 1 << 40
"""LUTs of what cannot be."""


@dataclass(frozen=True)
class Room:
    """What a design may take.

    Args:
        luts: LUTs, more than 0.
        bram18: 18 Kib blocks of RAM.
        dsp: DSP slices.
    """

    luts: float
    bram18: float
    dsp: float = math.inf

    def share(self, luts: npt.ArrayLike, bram18: npt.ArrayLike, dsp: npt.ArrayLike = 0) -> npt.NDArray[np.float64]:
        """Return which part is taken, of the resource that most is taken of; above 1 it does not fit."""
        of_blocks, of_slices = (
            np.asarray(taken) * (1 / room if room > 0 else 2.0)  # each is one too many
            for taken, room in ((bram18, self.bram18), (dsp, self.dsp))
        )
        return np.maximum(np.maximum(np.asarray(luts) / self.luts, of_blocks), of_slices)


@dataclass(frozen=True)
class Folding:
    """A folding of all layers and what it is estimated to take, FIFOs and width converters included."""

    options: tuple[LayerOption, ...]
    luts: int
    bram18: int

    @property
    def dsp(self) -> int:
        """DSP slices."""
        return sum(option.dsp for option in self.options)

    @property
    def cycles(self) -> int:
        """Cycles a frame, those of the slowest layer."""
        return max(option.cycles for option in self.options)


def fastest(layers: Sequence[Layer], room: Room, at_least: int = 1) -> Folding | None:
    """Return the folding of fewest cycles a frame that fits, of several the one with the fewest LUTs, or None.

    Args:
        layers: in stream order.
        room: what it may take.
        at_least: cycles a frame that are fast enough: what is faster is not looked for.
    """
    layers = [replace(layer, options=_within(layer.options, room.dsp)) for layer in layers]
    if not all(layer.options for layer in layers):
        return None
    found = _fastest(layers, room, at_least, count_dsp=False)
    return found if found is None or found.dsp <= room.dsp else _fastest(layers, room, at_least, count_dsp=True)


def _within(options: tuple[LayerOption, ...], dsp: float) -> tuple[LayerOption, ...]:
    return tuple(option for option in options if option.dsp <= dsp)


def _fastest(layers: Sequence[Layer], room: Room, at_least: int, *, count_dsp: bool) -> Folding | None:
    """Return the fastest folding; with or without a limit on the sum of DSP slices."""
    bram18 = int(min(room.bram18, sum(max(option.bram18 for option in layer.options) for layer in layers)))
    floor = max(at_least, *(min(option.cycles for option in layer.options) for layer in layers))
    cycles = {option.cycles for layer in layers for option in layer.options}
    bounds = [floor, *sorted(count for count in cycles if count > floor)]

    def search(bound: int) -> _Search:
        return _Search(layers, bound, room.luts, bram18, int(room.dsp) if count_dsp else None)

    position = bisect_left(bounds, True, key=lambda bound: search(bound).least_luts() <= room.luts)
    return None if position == len(bounds) else search(bounds[position]).cheapest()


def estimate(layers: Sequence[Layer], options: Sequence[LayerOption]) -> Folding:
    """Return the folding made of one option a layer, with what it takes, width converters included."""
    luts, bram18, _ = _taken(layers, options)
    return Folding(tuple(options), luts, bram18)


def nearest(layers: Sequence[Layer], room: Room) -> Folding:
    """Return the folding that takes the smallest part of ``room``, of the resource that it takes most of."""
    # Any folding limits what the smallest can take: the one of which each layer by itself is smallest.
    options = [
        min(layer.options, key=lambda option: float(room.share(option.luts, option.bram18, option.dsp)))
        for layer in layers
    ]
    limit = float(room.share(*_taken(layers, options)))
    bram18 = int(limit * room.bram18 if room.bram18 > 0 else limit / 2) + 1
    some = any(option.dsp for layer in layers for option in layer.options)
    dsp = (int(limit * room.dsp if room.dsp > 0 else limit / 2) + 1) if some and room.dsp < math.inf else None
    return _Search(layers, NEVER, NEVER, bram18, dsp).smallest(room)


def _taken(layers: Sequence[Layer], options: Sequence[LayerOption]) -> tuple[int, int, int]:
    """Return the LUTs, 18 Kib blocks and DSP slices of a folding, width converters included."""
    widths: dict[str, int] = {}
    luts = sum(option.luts for option in options)
    for layer, option in zip(layers, options, strict=True):
        luts += _converters((widths[name] for name in layer.inputs), option.bits_in)
        widths.update(zip(layer.outputs, option.bits_out, strict=True))
    return luts, sum(option.bram18 for option in options), sum(option.dsp for option in options)


def _converters(before: Iterable[int], after: Iterable[int]) -> int:
    return sum(converter_luts(*widths) for widths in zip(before, after, strict=True))


class _Search:
    """The least LUTs of foldings of at most ``cycles`` a frame and ``bram18`` blocks; ``dsp``: slices, if counted."""

    def __init__(self, layers: Sequence[Layer], cycles: int, luts: float, bram18: int, dsp: int | None = None) -> None:
        self._layers, self._shape = layers, (bram18 + 1, 1 if dsp is None else dsp + 1)
        self._counts_dsp = dsp is not None
        start = np.full(self._shape, NEVER, np.int64)
        start[0, 0] = 0
        self._written: list[dict[Streams, Row]] = [{(): start}]  # before each layer, and after the last
        self._read: list[dict[tuple[Streams, Widths], Row]] = []
        self._options = [
            [
                one for one in layer.options
                if one.cycles <= cycles and one.luts <= luts
                and all(taken < size for taken, size in zip(self._taken(one), self._shape, strict=True))
            ]
            for layer in layers
        ]  # fmt: skip
        for layer, options in zip(layers, self._options, strict=True):
            self._read.append(_converted(layer, options, self._written[-1]))
            self._written.append(_passed(layer, options, self._read[-1], self._taken))

    def _taken(self, option: LayerOption) -> tuple[int, int]:
        """Return the place in a row by which an option leads on."""
        return option.bram18, option.dsp if self._counts_dsp else 0

    def _final(self) -> Row:
        """Return the row behind all layers."""
        return self._written[-1].get((), np.full(self._shape, NEVER, np.int64))

    def least_luts(self) -> int:
        """Return the least LUTs of all; ``NEVER`` or more where there is no folding."""
        return int(self._final().min())

    def cheapest(self) -> Folding:
        """Return the folding of least LUTs, and of least block RAM among those."""
        return self._folding(int(self._final().argmin()))  # the first one: of least block RAM

    def smallest(self, room: Room) -> Folding:
        """Return the folding that takes the smallest part of ``room``."""
        return self._folding(int(room.share(self._final(), *np.indices(self._shape)).argmin()))

    def _folding(self, place: int) -> Folding:
        """Walk back from the last layer to the options that the least LUTs came about by."""
        streams: Streams = ()
        end = divmod(place, self._shape[1])
        left, chosen = end, []
        for position in range(len(self._layers) - 1, -1, -1):
            layer, wanted = self._layers[position], self._written[position + 1][streams][left]
            kept = tuple(stream for stream in streams if stream[0] not in layer.outputs)
            option = next(
                one for one in self._options[position]
                if _after(layer, one, kept) == streams and min(_less(left, self._taken(one))) >= 0
                and self._read[position][kept, one.bits_in][_less(left, self._taken(one))] + one.luts == wanted
            )  # fmt: skip
            chosen.append(option)
            left = _less(left, self._taken(option))
            wanted = self._read[position][kept, option.bits_in][left]
            streams = next(
                before for before, row in self._written[position].items()
                if _split(layer, before)[0] == kept
                and row[left] + _converters(_split(layer, before)[1], option.bits_in) == wanted
            )  # fmt: skip
        return Folding(tuple(reversed(chosen)), int(self._final()[end]), end[0])


def _less(left: tuple[int, int], taken: tuple[int, int]) -> tuple[int, int]:
    return left[0] - taken[0], left[1] - taken[1]


def _split(layer: Layer, streams: Streams) -> tuple[Streams, Widths]:
    """Return the streams that a layer leaves alone, and the widths of those that it reads."""
    widths = dict(streams)
    return tuple(stream for stream in streams if stream[0] not in layer.inputs), tuple(
        widths[name] for name in layer.inputs
    )


def _after(layer: Layer, option: LayerOption, kept: Streams) -> Streams:
    """Return the open streams behind a layer."""
    return *kept, *zip(layer.outputs, option.bits_out, strict=True)


def _converted(
    layer: Layer, options: Sequence[LayerOption], written: dict[Streams, Row]
) -> dict[tuple[Streams, Widths], Row]:
    """Return the rows behind the width converters in front of a layer, by the widths that its foldings read."""
    groups: dict[Streams, list[tuple[Widths, Row]]] = {}
    for streams, row in written.items():
        kept, widths = _split(layer, streams)
        groups.setdefault(kept, []).append((widths, row))
    return {
        (kept, wanted): np.minimum.reduce([row + _converters(widths, wanted) for widths, row in rows])
        for kept, rows in groups.items()
        for wanted in {option.bits_in for option in options}
    }


def _passed(
    layer: Layer, options: Sequence[LayerOption], read: dict[tuple[Streams, Widths], Row],
    taken: Callable[[LayerOption], tuple[int, int]],
) -> dict[Streams, Row]:  # fmt: skip
    """Return the rows behind a layer."""
    written: dict[Streams, Row] = {}
    for kept in {kept for kept, _ in read}:
        for option in options:
            row = read[kept, option.bits_in]
            out = written.setdefault(_after(layer, option, kept), np.full(row.shape, NEVER, np.int64))
            bram18, dsp = taken(option)
            behind = out[bram18:, dsp:]
            np.minimum(behind, row[: row.shape[0] - bram18, : row.shape[1] - dsp] + option.luts, out=behind)
    return written
