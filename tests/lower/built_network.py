"""A network lowered and generated, with golden vectors, as ``xnorflow build`` does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from styled_folding import fold_in_hls

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.generate.stage import generate
from xnorflow.lower.config import Backend, BuildSettings
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import Lowered, lower


def build_network(
    path: Path, folder: Path, target_cycles: int, frames: int, backend: Backend = Backend.RTL,
    in_hls: tuple[str, ...] = (),
) -> Lowered:  # fmt: skip
    """Build the ONNX file ``path`` in ``folder``, on random frames; returns what lowering came to.

    With ``in_hls`` these layers are in C++ and the others in RTL.
    """
    (folder / "report").mkdir(parents=True, exist_ok=True)
    model = import_model(path)
    inputs = random_inputs(model, frames, seed=3)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(model), inputs), np.zeros(0, np.int64))
    golden.save(folder / "golden.npz")
    settings = BuildSettings(target_cycles=target_cycles, backend=backend)
    lowered = lower(path, folder, settings, golden, SilentProgress())
    if in_hls:
        settings = BuildSettings(folding=fold_in_hls(folder, in_hls), backend=Backend.AUTO)
        lowered = lower(path, folder, settings, golden, SilentProgress())
    (generate_hls if backend is Backend.HLS else generate)(folder, lowered, SilentProgress())
    return lowered
