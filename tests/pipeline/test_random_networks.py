"""Random perceptrons, foldings and stalls through the whole ladder: nothing may differ, and nothing may warn."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.lower.config import BuildSettings, OutputKind

FRAMES = 150
SEEDS = [pytest.param(seed, marks=[pytest.mark.full] if seed >= 6 else []) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(tmp_path, perceptron, seed, climb):
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
    climb(model, settings, FRAMES, seed, float(random.choice([0.1, 0.5, 0.8])))
