"""Random perceptrons, foldings and stalls through the whole ladder: nothing may differ, and nothing may warn."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate
from xnorflow.simulate.verilator import lint_design

FRAMES = 150
SEEDS = [pytest.param(seed, marks=[pytest.mark.full] if seed >= 6 else []) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(tmp_path, perceptron, seed):
    random = np.random.default_rng(seed)
    widths = [int(width) for width in random.integers(1, 70, random.integers(2, 6))] + [int(random.integers(2, 12))]
    if random.random() < 0.3:
        widths[0] = int(random.integers(100, 400))
    input_bits = int(random.choice([1, 1, 2, 3, 5, 8]))
    settings = BuildSettings(
        board="ZCU104",
        target_cycles=int(random.choice([1, 2, 5, 13, 40, 100, 1000])),
        output=OutputKind(str(random.choice(["logits", "labels"]))),
    )
    model = perceptron(tmp_path / "net.onnx", widths, input_bits, seed, top_k=bool(random.integers(2)))
    tidied = import_model(model)
    inputs = random_inputs(tidied, FRAMES, seed)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    build = tmp_path / "build"
    build.mkdir()

    lowered = lower(model, build, settings, golden, SilentProgress())
    design = generate(build, lowered, SilentProgress())
    assert lint_design(design.top, [build / source for source in design.sources]) == []
    values = lowered.codec.quantize(inputs)
    expected = lowered.codec.raw(lowered.network.results(values))
    stalls = SimulateSettings(stall_probability=float(random.choice([0.1, 0.5, 0.8])), seed=seed)
    report = simulate(build, values, expected, stalls, SilentProgress())
    assert (report.frames, report.mismatches) == (FRAMES, 0)
    assert report.cycles_per_frame_simulated == design.cycles_per_frame
