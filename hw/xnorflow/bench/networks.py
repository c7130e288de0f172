"""Whole networks of the zoo, measured: simulation speed, integer.onnx, and the time from QONNX to a mapped design."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.host import HostCodec
from xnorflow.bench.clock import busy_percent, clock_label
from xnorflow.bench.row import Bench, Measure, Measurement
from xnorflow.simulate.config import SimulateSettings
from xnorflow.synthesize.config import SynthesizeSettings

if TYPE_CHECKING:
    from xnorflow.train.checkpoint import Checkpoint

__all__ = ["build_row", "export_network", "lower_and_generate", "simulate_and_map", "simulation_row", "vectors"]

IntArray = npt.NDArray[np.int64]

BOARD = "Pynq-Z2"
SEED = 1
PROCESSES = 2
CHECKED_FRAMES = 100


@dataclass(frozen=True)
class Built:
    """A generated design.

    Args:
        folder: the build folder.
        design: its description.
        codec: the host's part.
        lower_seconds: from the QONNX file to the lowered graph.
        generate_seconds: from there to RTL.
    """

    folder: Path
    design: Design
    codec: HostCodec
    lower_seconds: float
    generate_seconds: float


def lower_and_generate(model: Path, folder: Path, bench: Bench, settings: dict[str, Any] | None = None) -> Built:
    """Lower ``model`` with the settings that `xnorflow build` has by itself, or others, and generate its RTL."""
    from xnorflow.generate.stage import generate
    from xnorflow.lower.config import BuildSettings
    from xnorflow.lower.stage import lower

    start = time.perf_counter()
    lowered = lower(model, folder, BuildSettings(**{"board": BOARD, **(settings or {})}), None, bench.progress)
    lower_end = time.perf_counter()
    design = generate(folder, lowered, bench.progress)
    end = time.perf_counter()
    return Built(folder, design, lowered.codec, lower_end - start, end - lower_end)


def export_network(name: str, path: Path) -> str:
    """Write a network as QONNX: of the zoo, or for 28 x 28 pixels with random weights; return which."""
    from xnorflow.export.stage import export_checkpoint
    from xnorflow.train.zoo.catalog import read_catalog
    from xnorflow.train.zoo.load import load_zoo

    if name in {entry.name for entry in read_catalog()}:
        export_checkpoint(load_zoo(name), path)
        return "trained, of the zoo"
    export_checkpoint(_untrained(name), path)
    return f"random, seed {SEED}"


def _untrained(name: str) -> Checkpoint:
    import torch

    from xnorflow.train.binarize.form import Form
    from xnorflow.train.checkpoint import Checkpoint
    from xnorflow.train.config import DatasetName
    from xnorflow.train.models.config import NetworkName, NetworkSettings
    from xnorflow.train.models.registry import build_network

    settings, shape = NetworkSettings(network=NetworkName(name)), (1, 28, 28)
    torch.manual_seed(SEED)
    weights = build_network(settings, shape, 10).state_dict()
    return Checkpoint(settings, Form.BINARY, DatasetName.MNIST, shape, 10, SEED, "none", 0, {}, weights)


def vectors(built: Built, frames: int) -> tuple[IntArray, IntArray]:
    """Return random inputs, seeded, over all values of the input port, and what integer.onnx makes of them, as sent."""
    from xnorflow.lower.integer_onnx import run_integer

    numbers = np.random.default_rng(1)
    inputs = numbers.choice(built.codec.levels, (frames, built.design.input.elements))
    results = run_integer(built.folder / "integer.onnx", inputs, threads=1)
    return inputs, built.codec.raw(results)


def simulate_and_map(built: Built, frames: int, bench: Bench, jobs: int) -> dict[str, Any]:
    """Simulate frames with random stalls, map the design, and return what was found.

    Args:
        built: the design.
        frames: compared with integer.onnx.
        bench: what rows are measured in.
        jobs: processes of the simulation.

    Raises:
        SimulateError: a frame differs.
        SynthesizeError: the mapped design is larger than its board.
    """
    from xnorflow.simulate.stage import simulate
    from xnorflow.synthesize.stage import synthesize

    inputs, expected = vectors(built, frames)
    simulated = simulate(built.folder, inputs, expected, SimulateSettings(jobs=jobs), bench.progress)
    mapped = synthesize(built.folder, SynthesizeSettings(jobs=bench.jobs), bench.progress)
    return {
        "cycles_a_frame": simulated.cycles_per_frame_simulated,
        "frames_a_second": round(simulated.frames_per_second_at_clock), "latency_cycles": simulated.latency_cycles,
        "frames_simulated": simulated.frames, "frames_differing": simulated.mismatches,
        "simulate_seconds": round(simulated.wall_seconds, 1), "synthesize_seconds": round(mapped.wall_seconds, 1),
        "mapped": mapped.total.to_json(), "packing": {**mapped.packing.to_json(), "total": mapped.packing.total},
        "verilator": simulated.verilator, "yosys": mapped.yosys,
    }  # fmt: skip


def simulation_row(name: str, frames: int, target_cycles: int, *, frames_a_second: bool) -> Measure:
    """Return what measures how fast a network's RTL is simulated, in two processes without stalls.

    Args:
        name: of a network of the zoo.
        frames: to stream; all outputs are compared with integer.onnx.
        target_cycles: cycles a frame that it is folded for.
        frames_a_second: whether the value counts frames, or cycles of the design.
    """

    def measure(bench: Bench) -> Measurement:
        key = f"simulation of {frames} frames, {name}, {target_cycles} cycles"
        if key not in bench.shared:
            export_network(name, bench.work / "model.onnx")
            with empty_cache(bench.work / "cache"):
                folded = {"target_cycles": target_cycles}
                built = lower_and_generate(bench.work / "model.onnx", bench.work, bench, folded)
                bench.shared[key] = _simulate(built, frames, bench)
        details = bench.shared[key]
        kind = "frames" if frames_a_second else "cycles"
        path = f"Verilator, {PROCESSES} processes, build excluded, {clock_label(details['busy_percent_before'])}"
        return Measurement(details[f"{kind}_a_second"], f"{kind}/s", path, {"network": name, **details})

    return measure


def _simulate(built: Built, frames: int, bench: Bench) -> dict[str, Any]:
    """Build the simulation and run it in one process and in several; return what was measured."""
    from xnorflow.artifact.streams import unpack
    from xnorflow.simulate.ports import PortNames
    from xnorflow.simulate.shards import run_shards
    from xnorflow.simulate.stage import describe_hardware
    from xnorflow.simulate.tools import find_verilator
    from xnorflow.simulate.verilator import compile_design

    design, folder = built.design, built.folder
    inputs, expected = vectors(built, frames)
    busy = busy_percent()
    start = time.perf_counter()
    library = compile_design(
        design.top, [folder / source for source in design.sources], folder / "obj",
        ports=PortNames.axi(design.input.name, design.output.name), jobs=PROCESSES, progress=bench.progress,
    )  # fmt: skip
    build_seconds = time.perf_counter() - start
    hardware = describe_hardware(folder, design, library, SimulateSettings())
    start = time.perf_counter()
    with bench.progress.task("Simulate frames", frames) as advance:
        runs = run_shards(hardware, inputs, [index * frames // PROCESSES for index in range(PROCESSES)], 0.0, advance)
    seconds = time.perf_counter() - start
    found = unpack(np.concatenate([run.beats for run in runs]), design.output)
    if not np.array_equal(found, expected):
        differing = int((found != expected).any(axis=1).sum())
        raise SimulateError(f"design {design.top}", f"{differing} of {frames} frames differ from integer.onnx")
    cycles = sum(run.cycles for run in runs)
    alone = runs[0].cycles / runs[0].seconds
    return {
        "cycles_a_frame": design.cycles_per_frame, "frames": frames, "cycles": cycles, "processes": PROCESSES,
        "seconds": round(seconds, 2), "build_seconds": round(build_seconds, 2),
        "cycles_a_second": round(cycles / seconds), "frames_a_second": round(frames / seconds, 2),
        "frames_a_second_build_included": round(frames / (seconds + build_seconds), 2),
        "cycles_a_second_of_one_process": round(alone), "equal_to": "integer.onnx",
        "verilator": find_verilator().version, "busy_percent_before": busy,
    }  # fmt: skip


def build_row(name: str) -> Measure:
    """Return what measures the minutes from a QONNX file to a design that is simulated, bit-exact, and synthesized."""

    def measure(bench: Bench) -> Measurement:
        export_network(name, bench.work / "model.onnx")
        busy = busy_percent()
        with empty_cache(bench.work / "cache"):
            start = time.perf_counter()
            built = lower_and_generate(bench.work / "model.onnx", bench.work, bench)
            found = simulate_and_map(built, CHECKED_FRAMES, bench, PROCESSES)
            seconds = time.perf_counter() - start
        details = {
            "network": name, "board": BOARD, "seconds": round(seconds, 1),
            "lower_seconds": round(built.lower_seconds, 1), "generate_seconds": round(built.generate_seconds, 1),
            **found, "yosys_processes": bench.jobs, "busy_percent_before": busy,
        }  # fmt: skip
        return Measurement(round(seconds / 60, 2), "minutes", f"{clock_label(busy)}, nothing cached", details)

    return measure


@contextlib.contextmanager
def empty_cache(folder: Path) -> Iterator[None]:
    """Let nothing come from the user's cache, so that what is timed is done."""
    before = os.environ.get("XNORFLOW_CACHE")
    os.environ["XNORFLOW_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("XNORFLOW_CACHE")
        if before is not None:
            os.environ["XNORFLOW_CACHE"] = before
