"""Random perceptrons, foldings and stalls through the whole ladder: nothing may differ, and nothing may warn."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower

prepare_finn()

from xnorflow.ops.xnor_array import WeightStyle  # noqa: E402
from xnorflow.ops.xnor_cost import LOGIC_WORDS  # noqa: E402

QUICK = (1, 2, 3)
SEEDS = [pytest.param(seed, marks=[] if seed in QUICK else [pytest.mark.full]) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_network(seed, climb_seed):
    climb_seed("perceptrons", seed)


@pytest.mark.full
def test_weights_are_constants_logic_and_memory(tmp_path):
    """Networks of the quick tests alone have units of each weight style, and such that are folded in one way only."""
    from random_cases import KINDS

    found, folds = set(), set()
    for seed in QUICK:
        for mw, mh, simd, pe in one_bit_units(KINDS["perceptrons"](seed), tmp_path / str(seed)):
            folds.add((mw > simd, mh > pe))
            words = (mw // simd) * (mh // pe)
            found.add(WeightStyle.of(words, in_bram=words > LOGIC_WORDS) if simd > 1 else "one by one")
    assert found == {*WeightStyle, "one by one"}
    assert folds == {(False, False), (False, True), (True, False), (True, True)}


def one_bit_units(case, folder):
    """Return MW, MH, SIMD and PE of each unit of 1-bit inputs and weights."""
    from ladder import BOARD
    from network_files import write_network

    (folder / "build").mkdir(parents=True)
    model = write_network(case.network, folder / "net.onnx")
    tidied = import_model(model)
    inputs = random_inputs(tidied, 2, 1)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    settings = BuildSettings(board=BOARD, target_cycles=case.target_cycles, output=OutputKind(case.output))
    lowered = lower(model, folder / "build", settings, golden, SilentProgress())
    design = generate(folder / "build", lowered, SilentProgress())
    units = [node.info for node in design.nodes if node.op_type.startswith("XnorMVAU")]
    return [tuple(int(info[key]) for key in ("MW", "MH", "SIMD", "PE")) for info in units]
