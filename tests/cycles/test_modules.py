"""Every module of the library alone: each transfer in the model falls into the cycle that it has in the RTL."""

from __future__ import annotations

import numpy as np
import pytest
from random_graphs import KINDS
from rtl_designs import STALLS, Designs, build_designs

from xnorflow.cycles.graph import INPUT, OUTPUT, Graph, chain
from xnorflow.cycles.machines import (
    Add,
    Argmax,
    Dwc,
    Fifo,
    Fork,
    Gate,
    Machine,
    Mvau,
    Pool,
    Repeat,
    Requantize,
    Swg,
    SwgParallel,
)
from xnorflow.cycles.run import predict_cycles

RANDOM_CASES = 2
LEAST_BEATS = 150  # of a run, on its busier side
LEAST_FRAMES = 3
ADD = Add()

CORNERS: dict[str, tuple[Machine, int]] = {
    **{f"fifo_{depth}": (Fifo(depth), 1) for depth in (1, 2, 3, 4, 17)},
    "dwc_wires": (Dwc(3, 3), 1),
    "dwc_split_2": (Dwc(2, 1), 1),
    "dwc_join_2": (Dwc(1, 2), 2),
    "dwc_split_7": (Dwc(14, 2), 1),
    "dwc_join_7": (Dwc(2, 14), 7),
    "mvau_unrolled": (Mvau(4, 4, 4, 4), 1),
    "mvau_one_input_beat": (Mvau(5, 6, 5, 1), 1),
    "mvau_one_neuron_fold": (Mvau(10, 3, 1, 3), 10),
    "mvau_long_pipeline": (Mvau(1030, 4, 515, 2), 2),
    "mvau_wide_inputs": (Mvau(70, 4, 70, 2, 8), 1),
    "mvau_ternary_weights": (Mvau(12, 4, 4, 2, 8, 2), 3),
    "mvau_weights_of_five_bits": (Mvau(17, 3, 17, 1, 2, 5), 1),
    "mvau_weights_one_by_one": (Mvau(6, 2, 1, 2, 3, 4), 6),
    "mvau_deep": (Mvau(6, 8, 3, 1, output_depth=21), 2),
    "mvau_shallow": (Mvau(6, 8, 6, 2, output_depth=2), 1),
    "argmax_1": (Argmax(1, 1), 1),
    "argmax_all_at_once": (Argmax(10, 10), 1),
    "argmax_one_by_one": (Argmax(10, 1), 10),
    "requantize_table": (Requantize("table"), 3),
    "requantize_affine": (Requantize("affine"), 3),
    "requantize_two_slopes": (Requantize("affine", slopes=2), 3),
    "requantize_one_step": (Requantize("thresholds"), 3),
    "requantize_many_steps": (Requantize("thresholds", steps=33), 3),
    "requantize_deep": (Requantize("table", output_depth=12), 3),
    "swg_same": (Swg(6, 6, 4, 2, (3, 3), (1, 1), (1, 1, 1, 1)), 72),
    "swg_valid": (Swg(6, 5, 1, 1), 30),
    "swg_tiles": (Swg(4, 6, 2, 1, (2, 2), (2, 2)), 48),
    "swg_one_pixel": (Swg(3, 4, 2, 1, (1, 1)), 24),
    "swg_skips": (Swg(5, 5, 1, 1, (1, 1), (2, 3)), 25),
    "swg_all_padding": (Swg(1, 1, 1, 1, (3, 3), (1, 1), (2, 2, 2, 2)), 1),
    "parallel_valid": (SwgParallel(6, 5), 30),
    "parallel_tiles": (SwgParallel(4, 6, (2, 2), (2, 2)), 24),
    "parallel_row": (SwgParallel(3, 4, (1, 3)), 12),
    "parallel_column": (SwgParallel(4, 3, (3, 1)), 12),
    "parallel_skips": (SwgParallel(7, 8, (2, 2), (3, 4)), 56),
    "parallel_whole": (SwgParallel(3, 3), 9),
    "parallel_two_together": (SwgParallel(5, 6, together=2), 30),
    "parallel_row_together": (SwgParallel(4, 6, (2, 3), together=4), 24),
    "parallel_strides_together": (SwgParallel(7, 11, (3, 2), (2, 3), together=2), 77),
    "parallel_skips_together": (SwgParallel(7, 10, (2, 2), (3, 4), together=3), 70),
    "pool_nothing": (Pool(1, 1), 1),
    "pool_one_position": (Pool(1, 3), 3),
    "pool_one_fold": (Pool(4, 1), 4),
    "pool_rows": (Pool(2, 6), 12),
    "pool_of_three_places": (Pool(4, 2, 3), 8),
    "pool_of_nine_places": (Pool(1, 2, 9), 2),
    "repeat_one_beat": (Repeat(1, 2), 1),
    "repeat_pixel": (Repeat(4, 3), 4),
    "repeat_for_a_map": (Repeat(2, 257), 2),
}


def joined(first: int, second: int, outputs: int = 2, join: Machine = ADD) -> Graph:
    """Return a fork whose streams meet again in adders, or at first in another join, with FIFOs of two depths."""
    machines: dict[str, Machine] = {"fork": Fork(outputs), "fifo_a": Fifo(first), "fifo_b": Fifo(second), "add": join}
    edges = [(INPUT, "fork"), ("fork", "fifo_a"), ("fork", "fifo_b"), ("fifo_a", "add"), ("fifo_b", "add")]
    if outputs == 3:
        return Graph(machines | {"last": Add()}, (*edges, ("fork", "last"), ("add", "last"), ("last", OUTPUT)), 1)
    return Graph(machines, (*edges, ("add", OUTPUT)), 1)


def cases() -> dict[str, Graph]:
    graphs = {name: chain({"dut": machine}, beats) for name, (machine, beats) in CORNERS.items()}
    for kind, make in KINDS.items():
        rng = np.random.default_rng(len(graphs))
        for number in range(RANDOM_CASES):
            beats = int(rng.choice([24, 36, 60]))
            graphs[f"{kind}_random_{number}"] = chain({"dut": make(rng, beats)}, beats)
    return graphs | {
        "fork_add": Graph(
            {"fork": Fork(), "add": Add()}, ((INPUT, "fork"), ("fork", "add"), ("fork", "add"), ("add", OUTPUT)), 1
        ),
        "fork_gate": Graph(
            {"fork": Fork(), "gate": Gate()}, ((INPUT, "fork"), ("fork", "gate"), ("fork", "gate"), ("gate", OUTPUT)), 1
        ),
        "fork_gate_uneven": joined(1, 7, join=Gate()),
        "fork_add_three_places": joined(1, 7, join=Add(3)),
        "fork_gate_nine_places": joined(2, 2, join=Gate(9)),
        "fork_add_shallow": joined(1, 1),
        "fork_add_uneven": joined(1, 7),
        "fork_add_deep": joined(5, 3),
        "fork_to_three": joined(2, 4, 3),
    }


GRAPHS = cases()


@pytest.fixture(scope="module")
def designs(tmp_path_factory) -> Designs:
    return build_designs(GRAPHS, tmp_path_factory.mktemp("modules"))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_transfer_is_in_its_cycle(designs, name):
    graph = GRAPHS[name]
    frames = max(-(-LEAST_BEATS // max(graph.frame_beats, graph.output_beats)), LEAST_FRAMES)
    for seed, stall in enumerate(STALLS.values()):
        assert designs.check(name, frames, stall, seed).complete


def test_the_largest_map_is_filled_pixel_by_pixel():
    assert (predict_cycles(chain({"dut": Repeat(2, 65536)}, 2), 5).intervals == 2 * 65536).all()


@pytest.mark.parametrize("name", [name for name, graph in GRAPHS.items() if "dut" in graph.machines])
def test_interval_is_that_of_the_busiest_machine(name):
    """What a machine says of its cycles is what it takes for a frame without stalls."""
    found = predict_cycles(GRAPHS[name], 20).intervals[9:]
    assert found.mean() == GRAPHS[name].least_interval
