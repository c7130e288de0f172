"""Random graphs of many modules, residual blocks among them, and designs that get stuck: model and RTL agree."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from random_graphs import random_graph
from rtl_designs import STALLS, Designs, build_designs

from xnorflow.cycles.graph import INPUT, OUTPUT, Graph
from xnorflow.cycles.machines import Add, Fifo, Fork, Mvau, Pool, Swg

RANDOM_GRAPHS = 12
DEPTHS = (4, 10, 11, 30)


def residual(shortcut: int) -> Graph:
    """Return a block whose branch is a 3x3 convolution of 4 channels on a 5 x 5 map, as wide as its shortcut."""
    machines = {
        "first": Fifo(2),
        "fork": Fork(),
        "windows": Swg(5, 5, 4, 2, padding=(1, 1, 1, 1)),
        "conv": Mvau(36, 4, 2, 2),
        "branch": Fifo(2),
        "shortcut": Fifo(shortcut),
        "add": Add(),
        "pool": Pool(25, 2),
    }
    branch = (INPUT, "first", "fork", "windows", "conv", "branch", "add", "pool", OUTPUT)
    edges = [*pairwise(branch), ("fork", "shortcut"), ("shortcut", "add")]
    return Graph(machines, tuple(edges), 50)


GRAPHS = {
    **{f"random_{seed}": random_graph(np.random.default_rng(seed), 5) for seed in range(RANDOM_GRAPHS)},
    **{f"residual_{depth}": residual(depth) for depth in DEPTHS},
}


@pytest.fixture(scope="module")
def designs(tmp_path_factory) -> Designs:
    return build_designs(GRAPHS, tmp_path_factory.mktemp("graphs"))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_transfer_is_in_its_cycle(designs, name):
    for seed, stall in enumerate(STALLS.values()):
        designs.check(name, 4, stall, seed)


def test_the_graphs_are_of_both_sorts(designs):
    """Some run through, some are stuck, and blocks that are deep enough are not."""
    stuck = {name: designs.check(name, 2, 0.0, 1).deadlock is not None for name in GRAPHS}
    assert [depth for depth in DEPTHS if stuck[f"residual_{depth}"]] == [4, 10]
    assert 0 < sum(stuck[f"random_{seed}"] for seed in range(RANDOM_GRAPHS)) < RANDOM_GRAPHS / 2
