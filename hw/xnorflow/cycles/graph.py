"""A stitched accelerator as machines and the channels between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from xnorflow.cycles.machines import Dwc, Fifo, Machine

__all__ = ["INPUT", "OUTPUT", "Channel", "Graph", "chain"]

INPUT = "input"
"""Where the stream comes from, as the source of an edge."""

OUTPUT = "output"
"""Where results go to, as the target of an edge."""

_MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Channel:
    """One stream.

    Args:
        source: name of the machine that it leaves, or ``INPUT``.
        target: name of the machine that it enters, or ``OUTPUT``.
        beats: beats of a frame.
        name: ``source -> target``, with a number where these are joined more than once.
    """

    source: str
    target: str
    beats: int
    name: str


@dataclass(frozen=True)
class Graph:
    """A network of machines between one input and one output stream, without cycles.

    Which of its outputs a fork gives to whom, and which input of an adder is which, no handshake depends on: so an edge
    needs no port. Two machines may be joined by more than one edge. A width converter of equal widths is wires, and
    its two edges are one channel.

    Args:
        machines: by name.
        edges: (source, target) of each stream: names of machines, ``INPUT`` once as source, ``OUTPUT`` once as target.
        frame_beats: beats of a frame of the input stream.
        channels: follows from these; every stream once, in the order of the edges.

    Raises:
        ValueError: an edge names no machine, a machine has too many or too few of them, they form a cycle, or a frame
            is no whole number of beats somewhere.
    """

    machines: Mapping[str, Machine]
    edges: tuple[tuple[str, str], ...]
    frame_beats: int
    channels: tuple[Channel, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Check everything and find the channels."""
        _check_edges(self.machines, self.edges)
        if self.frame_beats < 1:
            raise ValueError(f"frame_beats is {self.frame_beats}, expected at least 1")
        beats = _frame_beats(self.machines, self.edges, self.frame_beats)
        object.__setattr__(self, "channels", _channels(self.machines, self.edges, beats))

    @property
    def output_beats(self) -> int:
        """Beats of a frame of the output stream."""
        return next(channel.beats for channel in self.channels if channel.target == OUTPUT)

    @property
    def cycles(self) -> dict[str, int]:
        """Cycles a frame that each machine takes by itself, wires left out."""
        found = {}
        for channel in self.channels:
            if channel.target != OUTPUT:
                machine = self.machines[channel.target]
                found[channel.target] = channel.beats // machine.beats[0] * machine.cycles
        return found

    @property
    def least_interval(self) -> int:
        """Cycles a frame of the busiest machine, or of the ends where there is none: no interval is shorter."""
        return max(*self.cycles.values(), self.frame_beats, self.output_beats)

    @property
    def fifos(self) -> tuple[str, ...]:
        """Names of the FIFOs."""
        return tuple(name for name, machine in self.machines.items() if isinstance(machine, Fifo))

    def with_machines(self, machines: Mapping[str, Machine]) -> Graph:
        """Return the graph with these machines in place of those of their names, e.g. with deeper FIFOs."""
        unknown = [name for name in machines if name not in self.machines]
        if unknown:
            raise ValueError(f"no machine {unknown[0]!r}, expected one of {', '.join(self.machines)}")
        return replace(self, machines={**self.machines, **machines})

    def description(self) -> str:
        """Return machines and channels as simulator.cpp reads them, ends and length of a run left out."""
        into: dict[str, list[int]] = {name: [] for name in (*self.machines, OUTPUT)}
        out_of: dict[str, list[int]] = {name: [] for name in (*self.machines, INPUT)}
        for number, channel in enumerate(self.channels):
            out_of[channel.source].append(number)
            into[channel.target].append(number)
        lines = [f"channels {len(self.channels)}"]
        for name, machine in self.machines.items():
            if not _is_wires(machine):
                kind, numbers = machine.line
                lines.append(" ".join(map(str, (kind, *into[name], *out_of[name], *numbers))))
        return "\n".join(lines) + "\n"


def chain(machines: Mapping[str, Machine], frame_beats: int) -> Graph:
    """Return the graph in which each machine feeds the next one, in the order of the mapping."""
    names = (INPUT, *machines, OUTPUT)
    return Graph(machines, tuple(pairwise(names)), frame_beats)


def _is_wires(machine: Machine) -> bool:
    return isinstance(machine, Dwc) and machine.in_width == machine.out_width


def _check_edges(machines: Mapping[str, Machine], edges: tuple[tuple[str, str], ...]) -> None:
    for reserved in (INPUT, OUTPUT):
        if reserved in machines:
            raise ValueError(f"a machine is called {reserved!r}, which is the name of an end")
    for source, target in edges:
        for name, end in ((source, INPUT), (target, OUTPUT)):
            if name not in machines and name != end:
                raise ValueError(f"edge {source} -> {target}: no machine {name!r}")
    sources, targets = Counter(source for source, _ in edges), Counter(target for _, target in edges)
    counts = [(INPUT, "out of", sources[INPUT], 1), (OUTPUT, "into", targets[OUTPUT], 1)]
    for name, machine in machines.items():
        counts.append((name, "into", targets[name], machine.inputs))
        counts.append((name, "out of", sources[name], machine.output_count))
        large = [number for number in machine.line[1] if number > _MAX_NUMBER]
        if large:
            raise ValueError(f"{name}: {large[0]} is beyond the counters of the RTL")
    for name, way, found, expected in counts:
        if found != expected:
            raise ValueError(f"{name}: {found} edges {way} it, expected {expected}")


def _frame_beats(machines: Mapping[str, Machine], edges: tuple[tuple[str, str], ...], first: int) -> list[int]:
    """Return the beats of a frame on each edge, by walking from the input on."""
    beats = [0] * len(edges)
    into: dict[str, list[int]] = {name: [] for name in (*machines, OUTPUT)}
    out_of: dict[str, list[int]] = {name: [] for name in (*machines, INPUT)}
    for number, (source, target) in enumerate(edges):
        out_of[source].append(number)
        into[target].append(number)
    waiting = {name: len(numbers) for name, numbers in into.items()}
    ready = [(INPUT, first)]
    while ready:
        source, given = ready.pop()
        for number in out_of[source]:
            beats[number] = given
            target = edges[number][1]
            waiting[target] -= 1
            if not waiting[target] and target != OUTPUT:
                ready.append((target, _beats_out(target, machines[target], [beats[place] for place in into[target]])))
    left = [name for name in machines if waiting[name]]
    if left:
        raise ValueError(f"the machines {', '.join(left)} form a cycle or follow one")
    return beats


def _beats_out(name: str, machine: Machine, found: list[int]) -> int:
    if len(set(found)) > 1:
        raise ValueError(f"{name}: its inputs have {' and '.join(map(str, found))} beats a frame, expected as many")
    taken, given = machine.beats
    if found[0] % taken:
        raise ValueError(f"{name}: {found[0]} beats a frame come in, expected a multiple of {taken}")
    return found[0] // taken * given


def _channels(
    machines: Mapping[str, Machine], edges: tuple[tuple[str, str], ...], beats: list[int]
) -> tuple[Channel, ...]:
    """Return the channels; each one that leads into wires goes on to where these lead."""
    onward = {source: target for source, target in edges if source != INPUT and _is_wires(machines[source])}
    found: list[Channel] = []
    seen: Counter[str] = Counter()
    for (source, target), count in zip(edges, beats, strict=True):
        if source in onward:
            continue
        while target in onward:
            target = onward[target]
        name = f"{source} -> {target}"
        seen[name] += 1
        found.append(Channel(source, target, count, name if seen[name] == 1 else f"{name} ({seen[name]})"))
    return tuple(found)
