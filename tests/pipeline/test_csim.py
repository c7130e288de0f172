"""The ladder's C++ rung: whole networks as one dataflow function, compiled and run, equal to QONNX and integer.onnx."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from network_files import write_network
from random_cases import KINDS

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.lower.config import Backend, BuildSettings, OutputKind
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.csim_stage import simulate_c

FRAMES = 50


def climb_in_c(model: Path, folder: Path, settings: BuildSettings, seed: int) -> list[str]:
    """Require equality of the C++ with integer.onnx and QONNX on random frames; return the layers' kinds."""
    prepare_finn()
    tidied = import_model(model)
    inputs = random_inputs(tidied, FRAMES, seed)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    build = folder / "build"
    build.mkdir()
    lowered = lower(model, build, settings, golden, SilentProgress())
    generate_hls(build, lowered, SilentProgress())
    values = lowered.codec.quantize(inputs)
    expected = lowered.codec.raw(run_integer(build / "integer.onnx", values))
    assert len(np.unique(expected)) > 1
    report = simulate_c(build, values, expected, SilentProgress())
    assert (report.frames, report.mismatches) == (FRAMES, 0)
    assert json.loads((build / "report" / "csim.json").read_text())["mismatches"] == 0
    return [node.op_type for node in lowered.model.graph.node]


@pytest.mark.parametrize(("input_bits", "output"), [(1, OutputKind.LOGITS), (8, OutputKind.LABELS)])
def test_perceptrons_are_equal_in_c(tmp_path, perceptron, input_bits, output):
    model = perceptron(tmp_path / "net.onnx", (48, 20, 15, 7), input_bits, seed=3)
    settings = BuildSettings(target_cycles=20, output=output, backend=Backend.HLS)
    kinds = climb_in_c(model, tmp_path, settings, 5)
    assert {kind for kind in kinds if not kind.endswith("_hls")} <= {"BoundedFIFO_rtl"}


@pytest.mark.parametrize(
    ("kind", "seed"), [("maps", 3), ("residual", 2), pytest.param("branches", 8, marks=[pytest.mark.full])]
)
def test_random_networks_are_equal_in_c(tmp_path, kind, seed):
    case = KINDS[kind](seed)
    model = write_network(case.network, tmp_path / "net.onnx")
    settings = BuildSettings(
        board="ZCU104", target_cycles=case.target_cycles, output=OutputKind(case.output), backend=Backend.HLS
    )
    climb_in_c(model, tmp_path, settings, seed)
