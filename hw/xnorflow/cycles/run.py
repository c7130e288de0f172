"""Runs a graph through the cycle model: frames in, the cycle of everything out."""

from __future__ import annotations

import contextlib
import platform
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.cache import cache_get, cache_put, content_key
from xnorflow.artifact.compiler import find_compiler
from xnorflow.artifact.errors import ToolError, XnorflowError
from xnorflow.artifact.processes import Command, Outcome, run_commands
from xnorflow.cycles.graph import INPUT, OUTPUT, Graph

__all__ = ["CycleReport", "Deadlock", "Steady", "predict_cycles"]

CycleArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]

_SOURCES = ("signals.hpp", "stalls.hpp", "machines.hpp", "windows.hpp", "simulator.cpp")
_FLAGS = ("-std=c++20", "-O2")
_NO_LIMIT = 2**62
_COLUMNS = ("input_first", "input_last", "output_first", "output_last")


@dataclass(frozen=True)
class Deadlock:
    """A state that nothing leaves any more.

    Args:
        cycle: the first one in which nothing moved.
        blocked: channels on which a beat is offered that is never taken.
        starved: channels on which a beat is waited for that never comes.
    """

    cycle: int
    blocked: tuple[str, ...]
    starved: tuple[str, ...]

    def __str__(self) -> str:
        blocked, starved = ", ".join(self.blocked) or "none", ", ".join(self.starved) or "none"
        return f"nothing moves from cycle {self.cycle} on; not taken: {blocked}; not offered: {starved}"


@dataclass(frozen=True)
class Steady:
    """What repeats itself for ever, every register included: proven, not observed.

    Args:
        first: the frame behind which everything is as it will be ``frames`` later.
        frames: how many.
        cycles: of these frames.
    """

    first: int
    frames: int
    cycles: int


@dataclass(frozen=True)
class CycleReport:
    """What one run gave. Cycles count from the first one after reset, as in the simulation of the RTL.

    Args:
        input_first: int64 (frames,), cycle in which each frame's first beat is taken in; -1: it is not.
        input_last: int64 (frames,), and its last beat.
        output_first: int64 (frames,), cycle in which each frame's first beat is taken from the output; -1: it is not.
        output_last: int64 (frames,), and its last beat.
        cycles: length of the run, which ends with the last frame, at a deadlock or at the limit.
        fills: most beats that each FIFO ever held, by its name.
        deadlock: what is stuck; None: nothing is.
        steady: from where on frames repeat themselves, where the run was to end with that; None: they did not.
        channels: names of the channels.
        trace: uint8 (cycles, channels): bit 0 valid, bit 1 ready; None where it was not asked for.
    """

    input_first: CycleArray
    input_last: CycleArray
    output_first: CycleArray
    output_last: CycleArray
    cycles: int
    fills: dict[str, int]
    deadlock: Deadlock | None
    steady: Steady | None
    channels: tuple[str, ...]
    trace: ByteArray | None

    @property
    def complete(self) -> bool:
        """Whether all frames came out."""
        return bool((self.output_last >= 0).all())

    @property
    def intervals(self) -> CycleArray:
        """Cycles between the ends of one frame and the next (frames - 1,), of the frames that came out."""
        return np.diff(self.output_last[self.output_last >= 0])

    @property
    def latency(self) -> int:
        """Clock edges from the first frame's first beat in to its last beat out; the frame must have come out."""
        if self.output_last[0] < 0:
            raise ValueError("no frame came out")
        return int(self.output_last[0] - self.input_first[0])

    def transfers(self, channel: str) -> CycleArray:
        """Return the cycles of all transfers on a channel, int64 (transfers,).

        Raises:
            ValueError: there is no such channel, or the run kept no trace.
        """
        if self.trace is None or channel not in self.channels:
            raise ValueError(f"no trace of channel {channel!r}")
        return np.flatnonzero(self.trace[:, self.channels.index(channel)] == 3)


def predict_cycles(
    graph: Graph,
    frames: int,
    *,
    stall_probability: float | tuple[float, float] = 0.0,
    seed: int = 1,
    limit_cycles: int | None = None,
    until_steady: bool = False,
    trace: bool = False,
) -> CycleReport:
    """Run frames through a graph and return the cycle of everything, equal to that of the RTL.

    Stalls fall in the same cycles as in ``xnorflow.simulate`` with the same probability and seed.

    Args:
        graph: what runs, as after reset.
        frames: how many, at least 1.
        stall_probability: how likely each side pauses for a cycle, in [0, 1); one for both or (input, output).
        seed: of the stalls.
        limit_cycles: cycles after which the run ends in any case; None: it ends with the frames or in a deadlock.
        until_steady: whether to end as soon as frames repeat themselves, without stalls; frames that have not come
            are -1 then.
        trace: whether to keep the handshakes of all channels, a byte for each in every cycle.

    Raises:
        ValueError: a number is out of range.
        ToolError: there is no C++ compiler, or it fails.
    """
    stalls = stall_probability if isinstance(stall_probability, tuple) else (stall_probability, stall_probability)
    if not all(0.0 <= stall < 1.0 for stall in stalls):
        raise ValueError(f"stall_probability: {stalls}, expected numbers in [0, 1)")
    if frames < 1 or (limit_cycles is not None and limit_cycles < 1):
        raise ValueError(f"frames {frames}, limit_cycles {limit_cycles}, expected at least 1")
    if until_steady and any(stalls):
        raise ValueError("until_steady: stalls never repeat themselves, expected none")
    limit = _NO_LIMIT if limit_cycles is None else limit_cycles
    ends = _ends(graph, stalls) + f"run {frames} {seed & (2**64 - 1)} {limit} {int(until_steady)}\n"
    with tempfile.TemporaryDirectory(prefix="xnorflow_cycles_") as name:
        folder = Path(name)
        description, traced = folder / "description.txt", folder / "trace.bin"
        description.write_text(graph.description() + ends, encoding="ascii")
        printed = _simulate(folder, description, *([traced] if trace else []))
        handshakes = np.fromfile(traced, np.uint8).reshape(-1, len(graph.channels)) if trace else None
        return _report(graph, printed, handshakes)


def _ends(graph: Graph, stalls: tuple[float, float]) -> str:
    lines = []
    for number, channel in enumerate(graph.channels):
        if channel.source == INPUT:
            lines.append(f"source {number} {channel.beats} {int(stalls[0] * 65536)}\n")
        if channel.target == OUTPUT:
            lines.append(f"sink {number} {channel.beats} {int(stalls[1] * 65536)}\n")
    return "".join(lines)


def _simulate(folder: Path, *arguments: Path) -> str:
    """Run the simulator and return what it prints."""
    outcome = _run(Command((str(_program(folder)), *map(str, arguments)), folder / "run.log"))
    if outcome.code != 0:
        raise XnorflowError(f"the cycle model ended with code {outcome.code}: {outcome.output.strip()}")
    return outcome.output


def _run(command: Command) -> Outcome:
    with contextlib.closing(run_commands([command])) as outcomes:
        return next(outcomes)


def _program(folder: Path) -> Path:
    """Return the simulator, compiled once for all runs of the same sources and compiler, as a file in ``folder``."""
    compiler = find_compiler()
    texts = {name: (files(__package__) / name).read_bytes() for name in _SOURCES}
    key = content_key(compiler.program, compiler.version, platform.machine(), *_FLAGS, *texts.values())
    program = folder / "simulator"
    if not cache_get("cycles", f"simulator_{key}", program):
        for name, text in texts.items():
            (folder / name).write_bytes(text)
        call = (compiler.program, *_FLAGS, str(folder / "simulator.cpp"), "-o", str(program))
        outcome = _run(Command(call, folder / "compile.log"))
        if outcome.code != 0:
            raise ToolError(
                "cycle model: C++ compiler", f"code {outcome.code}, {outcome.last_line}",
                "a C++20 compiler (g++ 10 or newer)", "run `xnorflow doctor`",
            )  # fmt: skip
        cache_put("cycles", program, f"simulator_{key}", keep=5)
    program.chmod(0o700)
    return program


def _report(graph: Graph, printed: str, trace: ByteArray | None) -> CycleReport:
    items: dict[str, list[list[str]]] = defaultdict(list)
    for line in printed.splitlines():
        kind, *values = line.split()
        items[kind].append(values)
    names = tuple(channel.name for channel in graph.channels)
    table = np.array([[int(value) for value in frame[1:]] for frame in items["frame"]], np.int64)
    how, cycles = items["ended"][0]
    stuck = None
    if how == "deadlock":
        channels = (tuple(names[int(number)] for (number,) in items[kind]) for kind in ("blocked", "starved"))
        stuck = Deadlock(int(cycles) - 1, *channels)
    columns = {name: np.ascontiguousarray(column) for name, column in zip(_COLUMNS, table.T, strict=True)}
    return CycleReport(
        **columns,
        steady=_steady(items["steady"], columns["output_last"]),
        cycles=int(cycles),
        fills={name: int(fill) for name, (fill,) in zip(graph.fifos, items["fill"], strict=True)},
        deadlock=stuck,
        channels=names,
        trace=trace,
    )


def _steady(printed: list[list[str]], ends: CycleArray) -> Steady | None:
    if not printed:
        return None
    first, frames = map(int, printed[0])
    return Steady(first, frames, int(ends[first + frames] - ends[first]))
