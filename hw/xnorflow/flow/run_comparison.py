"""Several runs side by side: each number with the path that it comes from, and which of them is the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xnorflow.flow.results import Results
from xnorflow.flow.summary import RESOURCES
from xnorflow.synthesize.report import PACKED_LABEL

__all__ = ["Cell", "Line", "best_of", "comparison_lines", "comparison_notes"]

_ACCURACIES = (
    ("rtl", "RTL, Verilator"), ("mixed", "RTL and C++, Verilator and g++"), ("cpp", "C++, g++"),
    ("integer", "integer.onnx"), ("float", "float, torch"),
)  # fmt: skip
"""Keys of accuracy.json, from the one closest to the hardware to the one farthest from it."""


@dataclass(frozen=True)
class Cell:
    """One number of one run.

    Args:
        value: number and unit, as shown.
        path: where it comes from.
        number: of the value, where it can be compared.
        basis: what another number must have in common to be compared with it; a part of the path, or more.
        good: True or False where the number is a verdict.
    """

    value: str
    path: str = ""
    number: float | None = None
    basis: str = ""
    good: bool | None = None


@dataclass(frozen=True)
class Line:
    """One quantity over all runs.

    Args:
        group: heading that it stands under.
        quantity: what it is.
        cells: one a run; None where the run does not have it.
        better: 1 where more is better, -1 where less is, 0 where neither.
    """

    group: str
    quantity: str
    cells: tuple[Cell | None, ...]
    better: int = 0

    @property
    def path(self) -> str:
        """The path that all cells have in common; empty where they differ."""
        paths = {cell.path for cell in self.cells if cell is not None}
        return paths.pop() if len(paths) == 1 else ""

    @property
    def best(self) -> frozenset[int]:
        """Places of the runs with the best number; empty where fewer than two compare, or all are equal."""
        return best_of(self.cells, self.better)


def best_of(cells: Sequence[Cell | None], better: int) -> frozenset[int]:
    """Return the places of the best numbers: none unless at least two were come by in the same way, and differ."""
    there = {place: cell for place, cell in enumerate(cells) if cell is not None and cell.number is not None}
    numbers = {place: better * float(cell.number or 0) for place, cell in there.items()}
    if not better or len({cell.basis for cell in there.values()}) != 1 or len(set(numbers.values())) < 2:
        return frozenset()
    most = max(numbers.values())
    return frozenset(place for place, number in numbers.items() if number == most)


def comparison_lines(runs: Sequence[Results]) -> list[Line]:
    """Return all quantities that at least one run has."""
    rows: list[tuple[str, str, int, Callable[[Results], Cell | None]]] = [
        ("network", "network", 0, _network),
        ("network", "weights", 0, _weights),
        ("network", "board", 0, _board),
        ("network", "clock, assumed", 0, _clock),
        ("accuracy", "accuracy", 1, _accuracy),
        ("accuracy", "outputs differing", 0, _differing),
        ("speed", "cycles/frame", -1, _cycles),
        ("speed", "latency", -1, _latency),
        ("speed", "frames/s, assumed clock", 1, _rate),
        ("speed", "frames/s, routed clock", 1, _routed_rate),
        ("speed", "frames/s, with DMA", 1, _board_rate),
        *(("resources", name, -1, _resource(name)) for name in RESOURCES),
        ("resources", "LUT, packed", -1, _packed),
        ("resources", "LUT, estimate", -1, _estimate),
        ("resources", "LUT4, ECP5", -1, _routed_luts),
    ]
    lines = [Line(group, name, tuple(read(run) for run in runs), better) for group, name, better, read in rows]
    return [line for line in lines if any(cell is not None for cell in line.cells)]


def comparison_notes(runs: Sequence[Results], names: Sequence[str]) -> list[str]:
    """Return what stands in the way of comparing the runs, one sentence each."""
    datasets = list(_differences(runs, names, "Data sets differ", lambda run: run.training.get("dataset"),
                                 "accuracies do not compare, none is marked"))  # fmt: skip
    images = _differences(runs, names, "Accuracies are of different images or paths", _accuracy_basis, "none is marked")
    return [
        *_differences(runs, names, "Boards differ", lambda run: run.design and run.design.board,
                      "shares of the chip do not compare"),
        *_differences(runs, names, "Assumed clocks differ", lambda run: run.design and f"{run.design.clock_ns:g} ns",
                      "frames/s differ by that too"),
        *(datasets or images),
        *_differences(runs, names, "Mapped for different chips", lambda run: run.synthesis.get("family"),
                      "resources do not compare, none is marked"),
        *(f"{name} is outdated: {text}; run `xnorflow run` again."
          for name, run in zip(names, runs, strict=True) for text in run.outdated),
    ]  # fmt: skip


def _differences(
    runs: Sequence[Results], names: Sequence[str], what: str, read: Callable[[Results], Any], so: str
) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for name, run in zip(names, runs, strict=True):
        value = read(run)
        if value:
            found.setdefault(str(value), []).append(name)
    if len(found) > 1:
        yield f"{what}: " + ", ".join(f"{value} ({', '.join(of)})" for value, of in found.items()) + f"; {so}."


def _network(run: Results) -> Cell | None:
    facts = run.training
    if facts:
        return Cell(str(facts.get("network")), f"trained on {facts.get('dataset')}")
    return Cell("from a file", "QONNX") if run.lowering else None


def _weights(run: Results) -> Cell | None:
    prefix, suffix = "param_weight_", "b"
    counts = {
        int(key.removeprefix(prefix).removesuffix(suffix)): int(value)
        for key, value in run.counts.get("total", {}).items()
        if key.startswith(prefix) and value
    }
    if not counts:
        return None
    bits = [f"{count:,} of {width} bit{'s' if width > 1 else ''}" for width, count in sorted(counts.items())]
    path = ", ".join(bits) if len(bits) > 1 else bits[0].partition(" ")[2]
    return Cell(f"{sum(counts.values()):,}", path, float(sum(counts.values())))


def _board(run: Results) -> Cell | None:
    return Cell(run.design.board, run.design.part) if run.design else None


def _clock(run: Results) -> Cell | None:
    return Cell(f"{run.design.clock_ns:g} ns", "assumed by the build") if run.design else None


def _accuracy(run: Results) -> Cell | None:
    accuracy, facts = run.accuracy, run.training
    for key, path in _ACCURACIES:
        value = accuracy.get(f"accuracy_{key}")
        if value is not None:
            frames = accuracy["frames"]
            return Cell(f"{value:.2%} of {frames:,}", path, value, f"{facts.get('dataset')}, {frames:,} images, {path}")
    value = facts.get("accuracy_float")
    if value is None:
        return None
    frames = facts.get("test_frames", 0)
    return Cell(
        f"{value:.2%} of {frames:,}", "float, torch", value, f"{facts.get('dataset')}, {frames:,} images, float, torch"
    )


def _accuracy_basis(run: Results) -> str | None:
    cell = _accuracy(run)
    return cell.basis if cell else None


def _differing(run: Results) -> Cell | None:
    for content, path in ((run.simulation, "RTL in Verilator"), (run.csim, "C++")):
        if content:
            wrong, frames = content["mismatches"], content["frames"]
            kind = run.lowering.get("output", "outputs")
            return Cell(f"{wrong:,} of {frames:,}", f"frames whose {kind} differ, {path}", good=not wrong)
    return None


def _pace(run: Results) -> tuple[int, str] | None:
    """Return cycles a frame and their path: simulated, else predicted."""
    if run.design is not None and run.design.hls_nodes:
        return None
    simulated = run.simulation.get("cycles_per_frame_simulated")
    if simulated is not None:
        return simulated, "RTL in Verilator"
    predicted = run.simulation.get("cycles_per_frame_predicted", run.design.cycles_per_frame if run.design else None)
    return None if predicted is None else (predicted, "cycle model")


def _cycles(run: Results) -> Cell | None:
    pace = _pace(run)
    return None if pace is None else Cell(f"{pace[0]:,}", pace[1], pace[0], pace[1])


def _latency(run: Results) -> Cell | None:
    cycles = run.simulation.get("latency_cycles")
    return None if cycles is None else Cell(f"{cycles:,} cycles", "RTL in Verilator", cycles)


def _rate(run: Results) -> Cell | None:
    pace = _pace(run)
    if pace is None or run.design is None or not pace[0]:
        return None
    rate, clock = 1e9 / (run.design.clock_ns * pace[0]), run.design.clock_ns
    return Cell(f"{rate:,.0f}", f"cycles of the {pace[1]} x assumed {clock:g} ns clock", rate, pace[1])


def _routed_rate(run: Results) -> Cell | None:
    pace, fmax = _pace(run), run.routed.get("fmax_mhz")
    if pace is None or not fmax or not pace[0]:
        return None
    rate = 1e6 * fmax / pace[0]
    return Cell(f"{rate:,.0f}", f"cycles of the {pace[1]} x {fmax:g} MHz, {run.routed['path']}", rate, "routed")


def _board_rate(run: Results) -> Cell | None:
    figures = run.virtual_board
    if not figures:
        return None
    rate = figures["frames_per_second"]
    return Cell(f"{rate:,.0f}", figures["path"], rate, "virtual board")


def _resource(name: str) -> Callable[[Results], Cell | None]:
    def read(run: Results) -> Cell | None:
        used = run.synthesis.get("total", {}).get(name)
        if used is None:
            return None
        path = f"yosys, mapped cells, {run.synthesis.get('family')}"
        return _used(used, (run.synthesis.get("budget") or {}).get(name), path)

    return read


def _packed(run: Results) -> Cell | None:
    total = run.synthesis.get("total", {})
    if "packed" not in total:
        return None
    available = (run.synthesis.get("budget") or {}).get("LUT")
    return _used(total["packed"] + total["packed_slots"], available, f"{PACKED_LABEL}, {run.synthesis.get('family')}")


def _estimate(run: Results) -> Cell | None:
    estimate = run.estimates.get("total", {}).get("LUT")
    return None if estimate is None else Cell(f"{estimate:,.0f}", "estimate by formula", estimate)


def _routed_luts(run: Results) -> Cell | None:
    used = run.routed.get("used", {}).get("LUT4")
    return None if used is None else _used(used, run.routed["available"].get("LUT4"), run.routed["path"])


def _used(used: float, available: float | None, path: str) -> Cell:
    value = f"{used:,g}" if isinstance(used, float) else f"{used:,}"
    if not available:
        return Cell(value, path, used, path)
    return Cell(f"{value} ({used / available:.1%})", path, used, path, None if used <= available else False)
