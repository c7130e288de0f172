"""The ladder on random perceptrons: QONNX = integers = FINN steps = integer.onnx = RTL in Verilator, cycles too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.lower.reference import logits_graph, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate

FRAMES = 200


@pytest.mark.parametrize(
    ("widths", "input_bits", "cycles", "output"),
    [
        pytest.param((48, 20, 15, 7), 1, 10, OutputKind.LOGITS, id="1-bit input, odd ratios between streams"),
        pytest.param((20, 16, 10), 8, 40, OutputKind.LABELS, id="8-bit input, labels on chip"),
        pytest.param((17, 13, 5), 2, 1, OutputKind.LOGITS, id="primes, fully unrolled, a frame a cycle"),
    ],
)
def test_every_rung_is_equal(tmp_path: Path, perceptron, widths, input_bits, cycles, output):
    model = perceptron(tmp_path / "net.onnx", widths, input_bits, seed=len(widths) + input_bits)
    inputs = np.random.default_rng(7).random((FRAMES, widths[0]), np.float32)
    logits = reference_logits(logits_graph(import_model(model)), inputs)
    build = tmp_path / "build"
    build.mkdir()
    golden = GoldenVectors(inputs, logits, np.zeros(0, np.int64))
    lowered = lower(model, build, BuildSettings(target_cycles=cycles, output=output), golden, SilentProgress())
    assert lowered.checked_frames == FRAMES

    values = lowered.codec.quantize(inputs)
    integers = run_integer(build / "integer.onnx", values)
    if output is OutputKind.LOGITS:
        assert np.array_equal(lowered.codec.decode(integers), logits)  # the very float32 bits
    else:
        assert np.array_equal(integers[:, 0], logits.argmax(axis=1))

    design = generate(build, lowered, SilentProgress())
    assert design.cycles_per_frame <= max(
        cycles, max((node.cycles for node in design.nodes if "mvau" not in node.name), default=0)
    )
    report = simulate(
        build, values, lowered.codec.raw(integers), SimulateSettings(stall_probability=0.4, seed=3), SilentProgress()
    )
    assert (report.frames, report.mismatches) == (FRAMES, 0)
    assert report.steady and report.cycles_per_frame_simulated == design.cycles_per_frame
