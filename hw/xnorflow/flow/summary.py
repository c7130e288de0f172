"""The numbers of a run, each with the path that it comes from: rows for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xnorflow.flow.results import Results
from xnorflow.synthesize.report import PACKED_LABEL

__all__ = ["RESOURCES", "Row", "summary_rows"]

_ACCURACIES = (
    ("integer", "integer", "integer.onnx"), ("rtl", "RTL", "Verilator"), ("mixed", "RTL and C++", "Verilator and g++"),
    ("cpp", "C++", "g++"),
)  # fmt: skip
"""Keys of accuracy.json, what they are of, and where they come from."""
RESOURCES = ("LUT", "FF", "LUTRAM", "BRAM36", "DSP")


@dataclass(frozen=True)
class Row:
    """One number.

    Args:
        group: heading that it stands under.
        quantity: what it is.
        value: number and unit.
        path: where it comes from.
        good: True or False where the number is a verdict.
    """

    group: str
    quantity: str
    value: str
    path: str
    good: bool | None = None


def summary_rows(results: Results) -> list[Row]:
    """Return all rows for which there is a number."""
    return [
        *_network(results), *_accuracy(results), *_simulation(results), *_csim(results), *_speed(results),
        *_virtual_board(results), *_resources(results), *_routed(results),
    ]  # fmt: skip


def _network(results: Results) -> Iterator[Row]:
    facts, design = results.training, results.design
    if facts:
        yield Row("network", "network", str(facts.get("network")), f"trained on {facts.get('dataset')}")
    if design is not None:
        yield Row("network", "board", design.board, design.part)


def _accuracy(results: Results) -> Iterator[Row]:
    accuracy, facts = results.accuracy, results.training
    frames = accuracy.get("frames", facts.get("test_frames", 0))
    value = accuracy.get("accuracy_float", facts.get("accuracy_float"))
    if value is not None:
        yield Row("accuracy", "accuracy, float", f"{value:.2%} of {frames:,}", "torch" if facts else "QONNX execution")
    for path, name, origin in _ACCURACIES:
        value = accuracy.get(f"accuracy_{path}")
        if value is not None:
            yield Row("accuracy", f"accuracy, {name}", f"{value:.2%} of {frames:,}", origin)


def _csim(results: Results) -> Iterator[Row]:
    csim = results.csim
    if csim:
        kind, wrong = results.lowering.get("output", "outputs"), csim["mismatches"]
        yield Row("csim", f"C++: differing {kind}", f"{wrong:,} of {csim['frames']:,} frames", csim["path"], not wrong)
        seconds = f"{csim['simulate_seconds']:.1f} s"
        yield Row("csim", "C simulation time", seconds, f"wall clock; its build {csim['build_seconds']:.1f} s")


def _simulation(results: Results) -> Iterator[Row]:
    simulation = results.simulation
    if not simulation:
        return
    wrong, frames = simulation["mismatches"], simulation["frames"]
    kind = results.lowering.get("output", "outputs")
    layers = simulation.get("layers_in_cpp", ())
    what, tools = ("RTL and C++", f"Verilator, {len(layers)} by g++") if layers else ("RTL", "Verilator")
    path = f"{tools}, {simulation['stall_probability']:.0%} stalls"
    yield Row("simulation", f"{what}: differing {kind}", f"{wrong:,} of {frames:,} frames", path, not wrong)
    wall = simulation.get("wall_seconds")
    if wall is not None:
        yield Row("simulation", "simulation time", f"{wall:.1f} s", "wall clock, with its build")


def _speed(results: Results) -> Iterator[Row]:
    simulation, design = results.simulation, results.design
    if design is not None and design.hls_nodes:
        count = f"{len(design.hls_nodes)} of {len(design.nodes)} modules in C++"
        yield Row("speed", "cycles/frame", "not known", f"{count}: Vitis HLS tells theirs")
        return
    predicted = simulation.get("cycles_per_frame_predicted", design.cycles_per_frame if design else None)
    if predicted is not None:
        yield Row("speed", "cycles/frame, predicted", f"{predicted:,}", "cycle model, no stalls")
    measured = simulation.get("cycles_per_frame_simulated")
    if measured is not None:
        equal = measured == predicted
        yield Row("speed", "cycles/frame, simulated", f"{measured:,}", "RTL in Verilator, no stalls", equal)
    if "latency_cycles" in simulation:
        yield Row("speed", "latency", f"{simulation['latency_cycles']:,} cycles", "RTL in Verilator, first frame")
    elif design is not None:
        yield Row("speed", "latency, predicted", f"{design.latency_cycles:,} cycles", "cycle model, first frame")
    cycles = measured if measured is not None else predicted
    if design is not None and cycles:
        rate = 1e9 / (design.clock_ns * cycles)
        yield Row("speed", "frames/s", f"{rate:,.0f}", f"cycles x assumed {design.clock_ns:g} ns clock")


def _virtual_board(results: Results) -> Iterator[Row]:
    figures = results.virtual_board
    if figures:
        count = f"{figures['golden_frames']:,}"
        yield Row("board", "golden frames equal", f"{count} of {count}", "virtual board, simulated, DMA included", True)
        yield Row("board", "frames/s, with DMA", f"{figures['frames_per_second']:,.0f}", figures["path"])


def _resources(results: Results) -> Iterator[Row]:
    for family, synthesis in results.syntheses.items():
        total, budget = synthesis.get("total", {}), synthesis.get("budget") or {}
        for name in RESOURCES:
            if name not in total:
                continue
            yield _resource(name, total[name], budget.get(name), f"yosys, mapped cells, {family}")
            if name == "LUT" and "packed" in total:
                sites = total["packed"] + total["packed_slots"]
                yield _resource("LUT, packed", sites, budget.get(name), f"{PACKED_LABEL}, {family}")
    estimate = results.estimates.get("total", {}).get("LUT")
    if estimate is not None:
        yield Row("resources", "LUT, estimate", f"{estimate:,.0f}", "estimate by formula")


def _routed(results: Results) -> Iterator[Row]:
    routed = results.routed
    if not routed:
        return
    path, clock = routed["path"], routed["clock_mhz"]
    if routed["fmax_mhz"] is not None:
        yield Row("routed", "Fmax, ECP5", f"{routed['fmax_mhz']:g} MHz for {clock:g} MHz", path, routed["met"])
    for name, used in routed["used"].items():
        available = routed["available"][name]
        yield Row("routed", f"{name}, ECP5", f"{used:,} of {available:,} ({routed['percent'][name]:.1f}%)", path)


def _resource(name: str, used: Any, available: Any, path: str) -> Row:
    value, good = f"{used:,g}" if isinstance(used, float) else f"{used:,}", None
    if available:
        value += f" of {available:,} ({used / available:.1%})"
        good = None if used <= available else False
    return Row("resources", name, value, path, good)
