"""Whole networks at a chosen speed: what they take and what they do, bit-exact in simulation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xnorflow.bench.networks import export_network, lower_and_generate, vectors
from xnorflow.bench.row import Bench, Measure, Measurement
from xnorflow.simulate.config import SimulateSettings
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.synthesize.report import PACKED_LABEL

__all__ = ["DesignParameters", "Figure", "design_row"]


class Figure(StrEnum):
    """What a row is about."""

    LUTS = "LUT"
    """LUT sites after packing, with those that carry chains block."""
    FRAMES = "frames/s"
    """Clock over the cycles a frame of the simulation."""
    LATENCY = "cycles"
    """Cycles from the first beat of a frame to its last result, simulated."""


@dataclass(frozen=True)
class DesignParameters:
    """A network and its speed.

    Args:
        network: of the zoo, or a name of Brevitas's, whose weights are then random.
        build: fields of ``BuildSettings``.
        frames: simulated with random stalls and compared with integer.onnx.
    """

    network: str
    build: tuple[tuple[str, Any], ...]
    frames: int = 100

    @property
    def key(self) -> str:
        """What the rows of one run that look at the same design share it by."""
        return f"{self.network}, {self.build}, {self.frames} frames"


def design_row(parameters: DesignParameters, figure: Figure) -> Measure:
    """Return what builds a design, simulates and synthesizes it; rows on the same design do so once.

    The measuring function raises ``SimulateError`` where a frame differs, ``SynthesizeError`` where the mapped design
    is larger than its board.
    """

    def measure(bench: Bench) -> Measurement:
        if parameters.key not in bench.shared:
            bench.shared[parameters.key] = _build(parameters, bench)
        details = bench.shared[parameters.key]
        match figure:
            case Figure.LUTS:
                return Measurement(details["packing"]["total"], "LUT", f"{PACKED_LABEL}, xc7", details)
            case Figure.FRAMES:
                path = f"RTL in Verilator, assumed {details['clock_ns']:g} ns clock"
                return Measurement(details["frames_a_second"], "frames/s", path, details)
            case Figure.LATENCY:
                return Measurement(details["latency_cycles"], "cycles", "RTL in Verilator, first frame", details)

    return measure


def _build(parameters: DesignParameters, bench: Bench) -> dict[str, Any]:
    from xnorflow.simulate.stage import simulate
    from xnorflow.synthesize.stage import synthesize

    weights = export_network(parameters.network, bench.work / "model.onnx")
    built = lower_and_generate(bench.work / "model.onnx", bench.work, bench, dict(parameters.build))
    inputs, expected = vectors(built, parameters.frames)
    simulated = simulate(bench.work, inputs, expected, SimulateSettings(jobs=bench.jobs), bench.progress)
    mapped = synthesize(bench.work, SynthesizeSettings(jobs=bench.jobs), bench.progress)
    return {
        "network": parameters.network, "weights": weights, "build": dict(parameters.build), "board": built.design.board,
        "clock_ns": built.design.clock_ns, "cycles_a_frame": simulated.cycles_per_frame_simulated,
        "frames_a_second": round(simulated.frames_per_second_at_clock), "latency_cycles": simulated.latency_cycles,
        "frames_simulated": simulated.frames, "frames_differing": simulated.mismatches,
        "mapped": mapped.total.to_json(), "packing": {**mapped.packing.to_json(), "total": mapped.packing.total},
        "verilator": simulated.verilator, "yosys": mapped.yosys,
    }  # fmt: skip
