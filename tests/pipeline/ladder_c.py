"""The ladder's C++ rungs: whole networks as one dataflow function, and layers in C++ beside RTL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from styled_folding import fold_in_hls

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.generate.stage import generate
from xnorflow.lower.config import Backend, BuildSettings
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import Lowered, lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.csim_stage import simulate_c
from xnorflow.simulate.stage import simulate

FRAMES = 50


@dataclass(frozen=True)
class Built:
    """A lowered network with random frames and what integer.onnx makes of them."""

    build: Path
    lowered: Lowered
    golden: GoldenVectors

    @property
    def values(self) -> np.ndarray:
        return self.lowered.codec.quantize(self.golden.inputs)

    @property
    def expected(self) -> np.ndarray:
        return self.lowered.codec.raw(run_integer(self.build / "integer.onnx", self.values))


def build_of(model: Path, folder: Path, settings: BuildSettings, seed: int, share: float = 0) -> Built:
    """Lower a network; with a share, once more with about so many of its layers in C++, drawn by the seed."""
    prepare_finn()
    tidied = import_model(model)
    inputs = random_inputs(tidied, FRAMES, seed)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    build = folder / "build"
    build.mkdir()
    golden.save(build / "golden.npz")
    lowered = lower(model, build, settings, golden, SilentProgress())
    if share:
        random = np.random.default_rng(seed)
        layers = [node.name for node in lowered.model.graph.node if node.op_type != "BoundedFIFO_rtl"]
        folding = fold_in_hls(build, [name for name in layers if random.random() < share])
        chosen = BuildSettings(board=settings.board, folding=folding, output=settings.output, backend=Backend.AUTO)
        lowered = lower(model, build, chosen, golden, SilentProgress())
    return Built(build, lowered, golden)


def climb_in_c(built: Built) -> None:
    """Require equality of the whole network in C++ with integer.onnx."""
    generate_hls(built.build, built.lowered, SilentProgress())
    report = simulate_c(built.build, built.values, built.expected, SilentProgress())
    assert (report.frames, report.mismatches) == (FRAMES, 0)
    assert json.loads((built.build / "report" / "csim.json").read_text())["mismatches"] == 0


def climb_mixed(built: Built, seed: int) -> None:
    """Require equality of RTL and C++ together, with stalls."""
    design = generate(built.build, built.lowered, SilentProgress())
    settings = SimulateSettings(frames=FRAMES, stall_probability=0.3, seed=seed)
    report = simulate(built.build, built.values, built.expected, settings, SilentProgress())
    assert (report.frames, report.mismatches) == (FRAMES, 0)
    assert 0 < len(report.layers_in_cpp) == len(design.hls_nodes)
