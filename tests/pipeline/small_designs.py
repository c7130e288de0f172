"""Designs made by the flow's own stages, and frames for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xnorflow.artifact.design import Design
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.stage import Lowered, lower


def build_design(model: Path, folder: Path, settings: BuildSettings) -> tuple[Lowered, Design]:
    folder.mkdir()
    lowered = lower(model, folder, settings, None, SilentProgress())
    return lowered, generate(folder, lowered, SilentProgress())


def frames_of(design: Design, count: int) -> np.ndarray:
    rng = np.random.default_rng(11)
    if design.input.datatype == "BIPOLAR":
        return 2 * rng.integers(0, 2, (count, design.input.elements)) - 1
    low = -(1 << (design.input.bits - 1)) if design.input.signed else 0
    return rng.integers(low, low + (1 << design.input.bits), (count, design.input.elements))
