"""The simulate stage: a whole test set through the RTL, compared output by output, and its cycles counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.cosim import modules_of
from xnorflow.simulate.model import StreamModel, StreamRun
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.report import MIXED_LABEL, PATH_LABEL, Mismatch, SimulationReport, first_mismatch
from xnorflow.simulate.shards import Hardware, plan_shards, run_shards
from xnorflow.simulate.tools import find_verilator
from xnorflow.simulate.verilator import compile_design

__all__ = ["describe_hardware", "simulate"]

IntArray = npt.NDArray[np.int64]

_MEASURED_FRAMES = 64
_MEASURED_CYCLES = 2_000_000
_REPEATED_FRAMES = 16


@dataclass(frozen=True)
class _Session:
    """One design being simulated in this process."""

    hardware: Hardware
    model: StreamModel
    progress: Progress

    def stream(self, inputs: IntArray, stall_probability: float, seed: int, label: str) -> tuple[IntArray, StreamRun]:
        """Stream frames through the design and return its outputs (frames, elements)."""
        hardware = self.hardware
        with self.progress.task(label, len(inputs)) as advance:
            beats = pack(inputs, hardware.source)
            run = hardware.stream(self.model, beats, stall_probability, seed, lambda frames: advance(frames, ""))
        return unpack(run.beats, hardware.sink), run

    def stream_all(self, inputs: IntArray, stall_probability: float, starts: Sequence[int]) -> tuple[IntArray, int]:
        """Stream the frames of the main run, in processes of their own where there are several shards.

        Returns:
            Outputs (frames, elements), and the cycles of all shards together.
        """
        label = "Simulate frames"
        if len(starts) == 1:
            found, run = self.stream(inputs, stall_probability, self.hardware.seed, label)
            return found, run.cycles
        with self.progress.task(label, len(inputs)) as advance:
            runs = run_shards(self.hardware, inputs, starts, stall_probability, advance)
        return unpack(np.concatenate([run.beats for run in runs]), self.hardware.sink), sum(run.cycles for run in runs)


@dataclass(frozen=True)
class _Findings:
    """What the three runs gave."""

    free: StreamRun
    shards: int
    mismatches: int
    first_mismatch: Mismatch | None
    total_cycles: int
    seconds: float

    @property
    def intervals(self) -> IntArray:
        """Cycles between frames without stalls: the first half of the frames fills the pipeline and is left out."""
        return self.free.intervals[len(self.free.frame_ends) // 2 :]


def _check_shape(values: IntArray, spec: StreamSpec, what: str, frames: int | None = None) -> None:
    if (
        values.ndim != 2
        or values.shape[1] != spec.elements
        or len(values) == 0
        or len(values) != (frames or len(values))
    ):
        raise SimulateError(
            f"{what} of the simulation",
            f"shape {values.shape}",
            f"({frames or 'at least one frame'}, {spec.elements}), as port {spec.name} of the design",
            "give vectors of this very network",
        )


def describe_hardware(build: Path, design: Design, library: Path, settings: SimulateSettings) -> Hardware:
    """Describe the compiled design by paths that hold in any process."""
    return Hardware(
        name=design.top,
        library=library.resolve(),
        rtl_dir=(build / design.rtl_dir).resolve(),
        source=design.input,
        sink=design.output,
        seed=settings.seed,
        timeout_cycles=settings.timeout_cycles or 10_000 + 20 * design.cycles_per_frame,
        idle_cycles=2 * design.cycles_per_frame + 100,
    )


def _run_all(
    session: _Session, design: Design, settings: SimulateSettings, inputs: IntArray, expected: IntArray
) -> _Findings:
    """Run some frames without stalls, all with stalls, then some again: nothing may be left over in the hardware."""
    start = time.perf_counter()
    affordable = _MEASURED_CYCLES // max(design.cycles_per_frame, 1)
    few = np.arange(min(_MEASURED_FRAMES, max(affordable, 2 * len(design.nodes) + 6))) % len(inputs)
    found, free = session.stream(inputs[few], 0.0, settings.seed, "Measure cycles")
    wrong_free = first_mismatch(found, expected[few], "without stalls")
    shards = plan_shards(len(inputs), design.cycles_per_frame, settings.jobs)
    found, cycles = session.stream_all(inputs, settings.stall_probability, shards)
    wrong = first_mismatch(found, expected, "with stalls")
    session.hardware.check_idle(session.model)
    some = slice(0, _REPEATED_FRAMES)
    found, again = session.stream(inputs[some], settings.stall_probability, settings.seed + 1, "Repeat frames")
    wrong_again = first_mismatch(found, expected[some], "repeated on the same hardware")
    return _Findings(
        free,
        len(shards),
        wrong.frames if wrong else 0,
        wrong_free or wrong or wrong_again,
        free.cycles + cycles + again.cycles,
        time.perf_counter() - start,
    )


def _report(
    design: Design, settings: SimulateSettings, frames: int, findings: _Findings, start: float
) -> SimulationReport:
    intervals, wall = findings.intervals, time.perf_counter() - start
    mean = float(intervals.mean())
    return SimulationReport(
        path=MIXED_LABEL if design.hls_nodes else PATH_LABEL,
        design=design.top,
        frames=frames,
        mismatches=findings.mismatches,
        first_mismatch=findings.first_mismatch,
        stall_probability=settings.stall_probability,
        seed=settings.seed,
        shards=findings.shards,
        cycles_per_frame_predicted=design.cycles_per_frame,
        cycles_per_frame_simulated=mean,
        cycles_per_frame_max=int(intervals.max()),
        steady=bool((intervals == intervals[0]).all()),
        latency_cycles_predicted=design.latency_cycles,
        latency_cycles=findings.free.latency,
        measured_frames=len(findings.free.frame_ends),
        total_cycles=findings.total_cycles,
        clock_ns=design.clock_ns,
        frames_per_second_at_clock=1e9 / (design.clock_ns * mean),
        verilator=find_verilator().version,
        build_seconds=round(wall - findings.seconds, 6),
        simulate_seconds=round(findings.seconds, 6),
        wall_seconds=round(wall, 6),
        layers_in_cpp=tuple(node.name for node in design.hls_nodes),
    )


def simulate(
    build: Path, inputs: IntArray, expected: IntArray, settings: SimulateSettings, progress: Progress, *,
    defines: Sequence[str] = (),
) -> SimulationReport:  # fmt: skip
    """Simulate a generated design and compare every output with the reference.

    Three runs: some frames without stalls, which gives the cycles; all frames with stalls on both sides, shared out by
    joblib to ``settings.jobs`` processes where that pays; some frames once more on the hardware of the first run.

    Args:
        build: build folder with ``design.json``; ``report/simulation.json`` is written below it.
        inputs: int64 (frames, elements) as the input port takes them.
        expected: int64 (frames, elements) as the output port must give them.
        settings: how much and with which stalls.
        progress: told of every run.
        defines: names of macros to define; ``XNORFLOW_LUT6``: bodies for LUTs of six inputs, as synthesis takes them.

    Raises:
        InputModelError: there is no design.
        SimulateError: an output differs, the cycles differ from the predicted ones, or the design is stuck.
        ToolError: Verilator or the compiler is missing, or a process was lost.
    """
    start = time.perf_counter()
    design = Design.load(build / "design.json")
    _check_shape(inputs, design.input, "inputs")
    _check_shape(expected, design.output, "expected outputs", len(inputs))
    inputs, expected = inputs[: settings.frames], expected[: settings.frames]
    modules = modules_of(build, design)
    library = compile_design(
        design.top,
        modules.sources,
        build / "obj",
        ports=PortNames.axi(design.input.name, design.output.name),
        defines=defines,
        objects=modules.objects,
        jobs=settings.jobs,
        progress=progress,
    )
    hardware = describe_hardware(build, design, library, settings)
    with hardware.start(settings.seed) as model:
        findings = _run_all(_Session(hardware, model, progress), design, settings, inputs, expected)
    report = _report(design, settings, len(inputs), findings, start)
    report.save(build / "report" / "simulation.json")
    _judge(report, settings)
    return report


def _judge(report: SimulationReport, settings: SimulateSettings) -> None:
    """Raise where the report is not what a sound design gives."""
    wrong = report.first_mismatch
    if wrong is not None:
        raise SimulateError(
            f"design {report.design}",
            f"{wrong.frames} frames differ {wrong.phase}; first frame {wrong.frame}, output element {wrong.element}: "
            f"expected {wrong.expected}, found {wrong.found}",
            "no difference",
            "see report/simulation.json",
        )
    if not settings.require_predicted_cycles or report.layers_in_cpp:
        return
    if not report.steady or report.cycles_per_frame_simulated != report.cycles_per_frame_predicted:
        raise SimulateError(
            f"design {report.design}",
            f"a frame takes {report.cycles_per_frame_simulated:g} cycles (at most {report.cycles_per_frame_max}) "
            f"where {report.cycles_per_frame_predicted} are predicted",
            "exactly the predicted cycles in every frame",
            "deepen the FIFOs, or set require_predicted_cycles = false",
        )
    found, predicted = report.latency_cycles, report.latency_cycles_predicted
    if found != predicted:
        raise SimulateError(
            f"design {report.design}",
            f"the first frame takes {found} cycles where {predicted} are predicted",
            "exactly the predicted cycles",
            "report this design, or set require_predicted_cycles = false",
        )
