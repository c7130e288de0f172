"""Whole networks at a chosen speed: what they take and what they do, bit-exact in simulation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xnorflow.bench.networks import export_network, lower_and_generate, simulate_and_map
from xnorflow.bench.row import Bench, Measure, Measurement
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
    weights = export_network(parameters.network, bench.work / "model.onnx")
    built = lower_and_generate(bench.work / "model.onnx", bench.work, bench, dict(parameters.build))
    return {
        "network": parameters.network, "weights": weights, "build": dict(parameters.build), "board": built.design.board,
        "clock_ns": built.design.clock_ns, **simulate_and_map(built, parameters.frames, bench, bench.jobs),
    }  # fmt: skip
