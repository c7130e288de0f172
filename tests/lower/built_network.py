"""A network lowered and generated, with golden vectors, as ``xnorflow build`` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower


def build_network(path: Path, folder: Path, target_cycles: int, frames: int) -> Any:
    """Build the ONNX file ``path`` in ``folder``, on random frames; returns what lowering came to."""
    (folder / "report").mkdir(parents=True, exist_ok=True)
    model = import_model(path)
    inputs = random_inputs(model, frames, seed=3)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(model), inputs), np.zeros(0, np.int64))
    golden.save(folder / "golden.npz")
    lowered = lower(path, folder, BuildSettings(target_cycles=target_cycles), golden, SilentProgress())
    generate(folder, lowered, SilentProgress())
    return lowered
