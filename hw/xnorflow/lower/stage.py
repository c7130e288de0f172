"""The lower stage: an ONNX file becomes FINN's graph of hardware layers, integer.onnx and estimates."""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.errors import ConfigError, LowerError, UserError
from xnorflow.artifact.files import sha256_of, write_json
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import Advance, Progress
from xnorflow.boards.catalog import load_board
from xnorflow.lower.config import Backend, BuildSettings
from xnorflow.lower.extract_integers import Extraction, extract_integers
from xnorflow.lower.finn_compat import dataflow_config
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.integer_onnx import run_integer, write_integer_onnx
from xnorflow.lower.operators import HOST_TAIL
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.steps import STEPS, Step, StepContext
from xnorflow.lower.styles import folding_with_styles
from xnorflow.lower.to_finn import to_finn_graph
from xnorflow.lower.verify import check_logits, verify_step

__all__ = ["Lowered", "lower"]

STEP_FRAMES = 4
"""Frames that each step's graph is executed on; whole sets go through integer.onnx."""
RANDOM_FRAMES = 64
MODELS = "intermediate_models"


@dataclass(frozen=True)
class Lowered:
    """What the generate stage needs.

    Args:
        model: qonnx ModelWrapper of the accelerator, every node with its RTL or HLS backend.
        network: the integers it computes.
        codec: the host's part.
        part: FPGA part.
        board: board name.
        clock_ns: assumed clock period.
        artifact_sha256: hash of the ONNX file.
        checked_frames: frames on which integers and float logits were compared, all equal.
    """

    model: Any
    network: IntegerNetwork
    codec: HostCodec
    part: str
    board: str
    clock_ns: float
    artifact_sha256: str
    checked_frames: int


def lower(
    model: Path, build: Path, settings: BuildSettings, golden: GoldenVectors | None, progress: Progress
) -> Lowered:
    """Lower an ONNX file, checking every step.

    Args:
        model: QONNX or FINN-ONNX, ours or a third party's.
        build: an existing folder; gets ``intermediate_models/``, ``integer.onnx``, ``host.npz``,
            ``final_hw_config.json`` and ``report/*.json``.
        settings: the ``[build]`` table.
        golden: frames with the logits that the network gives; None makes random frames and executes the file on them.
        progress: told of every step.

    Raises:
        InputModelError: the file cannot be built.
        LowerError: a step changed the function of the network.
        ConfigError: settings that contradict each other or do not fit.
    """
    board = load_board(settings.board)
    clock_ns = settings.clock_ns or board.clock_ns
    _check_settings(settings, clock_ns)
    for folder in (build / "report", build / MODELS):
        folder.mkdir(parents=True, exist_ok=True)
    with progress.task("lower", len(STEPS) + 2) as advance:
        tidied = import_model(model)
        tidied.save(str(build / MODELS / "step_import.onnx"))
        advance(1, "step_import")
        extraction = extract_integers(tidied, settings.output)
        golden = golden if golden is not None else _random_golden(tidied)
        checks = _check_golden(extraction, golden)
        _write_integers(build, extraction, golden)
        advance(1, "step_extract_integers")
        finn = dataflow_config(build, board.part, clock_ns)
        context = StepContext(settings, board.part, clock_ns, build, finn, extraction.network)
        graph, rows = _run_steps(extraction, context, golden, advance)
    write_json(build / "final_hw_config.json", folding_with_styles(graph))
    write_json(build / "report" / "lowering.json", _summary(tidied, extraction, checks, rows))
    network, codec, frames = extraction.network, extraction.codec, checks["frames"]
    return Lowered(graph, network, codec, board.part, board.name, clock_ns, sha256_of(model), frames)


def _check_settings(settings: BuildSettings, clock_ns: float) -> None:
    keys = ("target_fps", "target_cycles", "budget", "maximize", "folding")
    given = [key for key in keys if getattr(settings, key) is not None]
    if len(given) > 1:
        raise ConfigError(
            "build." + given[0], f"given together with {', '.join(given[1:])}", "one of them", "remove the others"
        )
    if settings.fill is not None and settings.maximize is None and settings.minimize is None:
        raise ConfigError(
            "build.fill", "given without maximize and minimize",
            'together with maximize = "fps" or minimize = "latency"', "add one of these, or remove fill",
        )  # fmt: skip
    if settings.minimize is not None and settings.folding is not None:
        raise ConfigError(
            "build.minimize", "given together with folding", "together with a target, a budget, maximize, or alone",
            "remove one of the two",
        )  # fmt: skip
    if settings.minimize is not None and settings.backend is Backend.HLS:
        raise ConfigError(
            "build.minimize", f"{settings.minimize.value} with backend {Backend.HLS.value}",
            "backend rtl: the latency of C++ is known to Vitis HLS alone", "remove one of the two",
        )  # fmt: skip
    fastest = int(1e9 / clock_ns)
    if settings.target_fps is not None and settings.target_fps > fastest:
        raise ConfigError(
            "build.target_fps", f"{settings.target_fps} frames/s at a clock of {clock_ns:g} ns",
            f"at most {fastest}, one frame a cycle", "ask for fewer, or shorten clock_ns",
        )  # fmt: skip


def _random_golden(tidied: Any) -> GoldenVectors:
    inputs = random_inputs(tidied, RANDOM_FRAMES, seed=0)
    return GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))


def _check_golden(extraction: Extraction, golden: GoldenVectors) -> dict[str, Any]:
    expected = extraction.codec.input_shape
    if int(np.prod(golden.inputs.shape[1:])) != int(np.prod(expected)):
        raise ConfigError(
            "inputs", f"frames of shape {golden.inputs.shape[1:]}", f"{expected}, as the model takes them",
            "give inputs of this model",
        )  # fmt: skip
    values = extraction.codec.quantize(golden.inputs)
    return check_logits(extraction.network, extraction.codec, values, golden.logits)


def _write_integers(build: Path, extraction: Extraction, golden: GoldenVectors) -> None:
    write_integer_onnx(extraction.network, build / "integer.onnx")
    extraction.codec.save(build / "host.npz")
    values = extraction.codec.quantize(golden.inputs)
    found, expected = run_integer(build / "integer.onnx", values), extraction.network.results(values)
    if not np.array_equal(found, expected):
        frame = int(np.nonzero((found != expected).any(axis=1))[0][0])
        raise LowerError(
            "integer.onnx", f"frame {frame} differs from the integer network", "equality", "report this network"
        )


def _run_steps(
    extraction: Extraction, context: StepContext, golden: GoldenVectors, advance: Advance
) -> tuple[Any, list[dict[str, Any]]]:
    """Run and verify all steps; returns the last graph and a row a step for the report."""
    frames = extraction.codec.quantize(golden.inputs[:STEP_FRAMES])
    graph = to_finn_graph(extraction.network)
    graph.save(str(context.directory / MODELS / "step_extract_integers.onnx"))
    verify_step("step_extract_integers", graph, extraction.network, extraction.codec, frames, raw=False)
    rows = []
    for step in STEPS:
        started = time.perf_counter()
        graph = _run_step(step, graph, context)
        seconds = round(time.perf_counter() - started, 3)
        graph.save(str(context.directory / MODELS / f"{step.name}.onnx"))
        if step.verify:
            verify_step(step.name, graph, extraction.network, extraction.codec, frames, step.raw)
        rows.append({"step": step.name, "seconds": seconds, "frames_equal": len(frames) * step.verify})
        advance(1, step.name)
    return graph, rows


def _run_step(step: Step, graph: Any, context: StepContext) -> Any:
    try:
        # FINN prints as it goes; what it prints matters only when it fails.
        with contextlib.redirect_stdout(io.StringIO()):
            return step.run(graph, context)
    except UserError:
        raise
    except Exception as reason:
        raise LowerError(
            f"step {step.name}", f"FINN failed ({type(reason).__name__}: {str(reason)[:160]})",
            fix="run again with --debug for the whole trace",
        ) from reason  # fmt: skip


def _summary(tidied: Any, extraction: Extraction, checks: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    network = extraction.network
    return {
        "path": "integer, compared with float logits on integers",
        **checks,
        "host_argmax": extraction.host_argmax,
        "host_tail": [name for name in (tidied.get_metadata_prop(HOST_TAIL) or "").split(", ") if name],
        "output": "labels" if network.labels else "logits",
        "input_datatype": network.input_datatype,
        "layers": [
            {
                "name": name, "node": layer.name, "MW": layer.inputs, "MH": layer.outputs,
                "products": 1 if layer.window is None else layer.window.count,
                "neurons_negated": flipped, "sums_round_in_float32": not product.exact,
            }
            for name, layer, flipped, product in zip(
                _product_names(network), network.products, extraction.flipped_channels, extraction.products, strict=True
            )
        ],
        "steps": rows,
    }  # fmt: skip


def _product_names(network: IntegerNetwork) -> list[str]:
    pairs = zip(network.names, network.operations, strict=True)
    return [name for name, operation in pairs if isinstance(operation, IntegerLayer)]
