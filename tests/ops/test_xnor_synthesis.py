"""XNOR units through the synthesis that designs go through: memories where they are meant to be, and the LUTs of each.

Counted are cells as yosys maps them for xc7, neither packed nor routed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter

import numpy as np
import pytest
from units import PART, generated
from xnor_units import Unit

from xnorflow.artifact.design import DesignNode
from xnorflow.artifact.processes import run_commands
from xnorflow.artifact.progress import SilentProgress
from xnorflow.counters.compressor import compressor_luts, row_width
from xnorflow.counters.tree import nodes_of, weight_tree
from xnorflow.ops.wrapper import RTL_LIBRARY
from xnorflow.synthesize.cells import read_cells, usage_of
from xnorflow.synthesize.yosys import CELLS, find_yosys, node_command

LUTRAM = ("RAM32M", "RAM64M", "RAM32X1D", "RAM64X1D")
UNITS = {
    "constants": Unit(144, 32, 72, 16),
    "constants_one_word": Unit(64, 32, 64, 32),
    "logic": Unit(96, 16, 24, 4),
    "block": Unit(128, 72, 32, 4),
    # The rest: for the full tests
    "two_words": Unit(144, 32, 72, 32),
    "three_words": Unit(216, 16, 72, 16),
    "four_words_wide": Unit(576, 64, 144, 64),
    "unrolled": Unit(256, 64, 256, 64),
    "logic_wide": Unit(256, 64, 64, 8),
    "logic_sums": Unit(64, 10, 8, 5, thresholded=False),
    "logic_small": Unit(48, 8, 6, 2),
    "block_pe_1": Unit(576, 16, 36, 1),
    "block_wide": Unit(1024, 64, 64, 16),
    "block_sums": Unit(512, 10, 16, 2, thresholded=False),
    "block_small": Unit(64, 32, 4, 2),
    "block_deep": Unit(1152, 128, 18, 8),
    "least": Unit(8, 8, 4, 4),
    "constants_small": Unit(16, 4, 8, 2),
    "one_synapse_fold": Unit(64, 32, 64, 8),
    "one_synapse_fold_logic": Unit(36, 40, 36, 2),
    "one_synapse_fold_block": Unit(64, 80, 64, 2),
    "one_neuron_fold": Unit(512, 8, 16, 8),
    "logic_of_16": Unit(128, 32, 32, 8),
    "four_words_sums": Unit(256, 10, 64, 10, thresholded=False),
    "two_windows": Unit(96, 16, 24, 4, windows=2),
    "two_windows_wide": Unit(576, 64, 72, 16, windows=2),
    "four_windows": Unit(288, 32, 48, 8, windows=4),
    "two_windows_one_synapse_fold": Unit(72, 64, 72, 4, windows=2),
    "two_windows_one_neuron_fold": Unit(288, 16, 12, 16, windows=2),
    "three_windows_block": Unit(288, 64, 36, 8, windows=3),
    "two_windows_constants": Unit(144, 32, 72, 16, windows=2),
}
NEAR = {"block_sums": 0.15}
"""How far an estimate is off where that is more than 0.1: it is not told that sums start at zero, for no LUT."""
QUICK = ("constants", "constants_one_word", "logic", "block", "two_windows")
NAMES = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full]) for name in UNITS]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Return a function from a unit's name to its cells, synthesized once, and the operator."""
    found = {}

    def synthesize(name):
        if name not in found:
            folder = tmp_path_factory.mktemp(name)
            model, operator = UNITS[name].operator()
            files, top = generated(model, operator, folder)
            for file in (*files, RTL_LIBRARY / CELLS):
                if file.parent != folder:
                    shutil.copy(file, folder)
            node = DesignNode(top, "XnorMVAU_rtl", tuple(file.name for file in files), 0, {}, (), ())
            yosys = find_yosys(folder, SilentProgress())
            command = node_command(node, folder, "xc7", yosys, "stat", folder / "yosys.log")
            with contextlib.closing(run_commands([command])) as outcomes:
                outcome = next(outcomes)
            assert outcome.code == 0, outcome.output[-2000:]
            found[name] = Counter(read_cells(folder / "stat.stat")), operator
        return found[name]

    return synthesize


@pytest.mark.parametrize("name", NAMES)
def test_the_estimate_is_near(cells, name):
    count, operator = cells(name)
    assert operator.lut_estimation(PART) == pytest.approx(usage_of(count).LUT, rel=NEAR.get(name, 0.1))
    assert operator.bram_estimation(PART) == count["RAMB18E1"] + 2 * count["RAMB36E1"]


@pytest.mark.parametrize("name", NAMES)
def test_memories_are_where_they_are_meant_to_be(cells, name):
    """Inputs that are read again in LUT RAM, as are results; no shift register; weights as their style says."""
    item, (count, _) = UNITS[name], cells(name)
    block = item.words > 32
    assert (count["RAMB18E1"] + count["RAMB36E1"] > 0) == block
    assert not [kind for kind in count if kind.startswith(("SRL", "LD", "DSP"))]
    assert sum(count[kind] for kind in LUTRAM) > 0
    counters = item.windows * item.pe * compressor_luts((item.simd // 2,))
    rom = item.pe * item.simd // 2 if 4 < item.words <= 32 else 0  # once, whatever the windows
    sums = item.windows * item.pe * sum_luts(item)
    constants = item.windows * two_functions(item) if item.words <= 4 else 0
    assert count["LUT6_2"] == counters + rom + sums + constants


def sum_luts(item):
    """Return the two-output LUTs of a neuron's accumulator: bits that rows reach, the top one and the lowest not."""
    _, operator = item.operator()
    return min(row_width((item.simd // 2,)), operator.accumulator_bits() - 2)


def two_functions(item):
    """Return the LUTs that hold carries of two neurons: half the different functions of each node of the tree."""
    words = item.weights.T.reshape(-1, item.pe, item.mw // item.simd, item.simd).transpose(0, 2, 1, 3)
    trees = weight_tree(words.reshape(-1, item.pe, item.simd).astype(np.uint8))
    total = 0
    for node in range(nodes_of(item.simd)):
        places = [place for place in (node, 2 * node + 1, 2 * node + 2) if place < item.simd]
        total += len({trees[:, neuron, places].tobytes() for neuron in range(item.pe)}) // 2
    return total
