"""Networks of the published sizes, thousands of frames through the RTL."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate


@pytest.mark.full
@pytest.mark.parametrize("hidden", [64, 256, 1024], ids=["TFC", "SFC", "LFC"])
@pytest.mark.parametrize("input_bits", [1, 8])
def test_ten_thousand_frames(tmp_path, perceptron, hidden, input_bits):
    model = perceptron(tmp_path / "net.onnx", (784, hidden, hidden, hidden, 10), input_bits, seed=hidden + input_bits)
    tidied = import_model(model)
    inputs = random_inputs(tidied, 10_000, seed=2)
    logits = reference_logits(logits_graph(tidied), inputs)
    build = tmp_path / "build"
    build.mkdir()
    cycles = 8192 if input_bits == 8 and hidden == 1024 else 784
    golden = GoldenVectors(inputs, logits, np.zeros(0, np.int64))
    lowered = lower(model, build, BuildSettings(board="ZCU104", target_cycles=cycles), golden, SilentProgress())
    design = generate(build, lowered, SilentProgress())
    values = lowered.codec.quantize(inputs)
    integers = run_integer(build / "integer.onnx", values)
    assert np.array_equal(lowered.codec.decode(integers), logits)
    report = simulate(build, values, lowered.codec.raw(integers), SimulateSettings(), SilentProgress())
    assert (report.frames, report.mismatches) == (10_000, 0)
    assert report.cycles_per_frame_simulated == design.cycles_per_frame <= cycles
