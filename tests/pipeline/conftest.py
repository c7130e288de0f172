"""What the tests of random networks share."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate
from xnorflow.simulate.verilator import lint_design


@pytest.fixture
def climb(tmp_path):
    """Return a function that takes an ONNX file up the whole ladder, where nothing may differ and nothing may warn."""

    def call(model, settings, frames, seed, stall_probability):
        tidied = import_model(model)
        inputs = random_inputs(tidied, frames, seed)
        golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
        build = tmp_path / "build"
        build.mkdir()

        lowered = lower(model, build, settings, golden, SilentProgress())
        design = generate(build, lowered, SilentProgress())
        assert lint_design(design.top, [build / source for source in design.sources]) == []
        values = lowered.codec.quantize(inputs)
        expected = lowered.codec.raw(lowered.network.results(values))
        stalls = SimulateSettings(stall_probability=stall_probability, seed=seed)
        report = simulate(build, values, expected, stalls, SilentProgress())
        assert (report.frames, report.mismatches) == (frames, 0)
        assert report.cycles_per_frame_simulated == design.cycles_per_frame
        assert report.latency_cycles == design.latency_cycles

    return call
