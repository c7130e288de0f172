"""What a simulation found: ``report/simulation.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.files import write_json

__all__ = ["MIXED_LABEL", "Mismatch", "SimulationReport", "first_mismatch"]

IntArray = npt.NDArray[np.int64]

PATH_LABEL = "RTL, Verilator, simulated"
MIXED_LABEL = "RTL and C++, Verilator, simulated"
_OF_CYCLES = (
    "cycles_per_frame_predicted", "cycles_per_frame_simulated", "cycles_per_frame_max", "steady",
    "latency_cycles_predicted", "latency_cycles", "frames_per_second_at_clock",
)  # fmt: skip


@dataclass(frozen=True)
class Mismatch:
    """The first output that differs.

    Args:
        phase: which run it was found in.
        frame: number of the frame.
        element: number of the output element in the frame.
        expected: what the reference says.
        found: what the RTL gave.
        frames: how many frames of the run differ.
    """

    phase: str
    frame: int
    element: int
    expected: int
    found: int
    frames: int


def first_mismatch(found: IntArray, expected: IntArray, phase: str) -> Mismatch | None:
    """Compare (frames, elements) exactly; None where all are equal."""
    differs = found != expected
    if not differs.any():
        return None
    frame, element = (int(index) for index in np.argwhere(differs)[0])
    count = int(differs.any(axis=1).sum())
    return Mismatch(phase, frame, element, int(expected[frame, element]), int(found[frame, element]), count)


@dataclass(frozen=True)
class SimulationReport:
    """Result of the simulate stage. Cycles are those of the run without stalls; frames those of the run with stalls.

    With layers in C++, cycles are those of the simulation and say nothing about hardware: they are not written.

    Args:
        path: which path the numbers come from.
        design: name of the top.
        frames: frames compared, all with stalls on both sides.
        mismatches: frames of these with any differing output.
        first_mismatch: the first difference found in any run; None where there is none.
        stall_probability: how likely each side paused in each cycle.
        seed: of the stalls.
        shards: how many simulations shared the run with stalls; each begins with the hardware after reset.
        cycles_per_frame_predicted: steady-state interval by the design's description.
        cycles_per_frame_simulated: steady-state interval measured; the mean where the intervals differ.
        cycles_per_frame_max: longest of these intervals.
        steady: whether all these intervals are equal.
        latency_cycles_predicted: by the design's description.
        latency_cycles: clock edges from the first beat of the first frame in to its last beat out.
        measured_frames: frames of the run without stalls; the second half gives the intervals.
        total_cycles: cycles simulated in all runs.
        clock_ns: assumed clock period.
        frames_per_second_at_clock: at that clock and the simulated interval.
        verilator: version.
        build_seconds: Verilator and compiler; near zero when cached.
        simulate_seconds: all runs.
        wall_seconds: the whole stage.
        layers_in_cpp: names of layers in C++.
    """

    path: str
    design: str
    frames: int
    mismatches: int
    first_mismatch: Mismatch | None
    stall_probability: float
    seed: int
    shards: int
    cycles_per_frame_predicted: int
    cycles_per_frame_simulated: float
    cycles_per_frame_max: int
    steady: bool
    latency_cycles_predicted: int
    latency_cycles: int
    measured_frames: int
    total_cycles: int
    clock_ns: float
    frames_per_second_at_clock: float
    verilator: str
    build_seconds: float
    simulate_seconds: float
    wall_seconds: float
    layers_in_cpp: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Write as JSON; an interval that is a whole number is written as one, and what is not known as null."""
        content = asdict(self)
        if self.steady:
            content["cycles_per_frame_simulated"] = int(self.cycles_per_frame_simulated)
        if self.layers_in_cpp:
            content |= dict.fromkeys(_OF_CYCLES)
        write_json(path, content)
