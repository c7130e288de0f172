"""Folding for latency: the first result as early as there is room for, and frames that follow no slower."""

from __future__ import annotations

import itertools
import json

import pytest
from finn_graphs import PART
from map_files import MapChain, small_cnv, trunk_in
from qonnx_files import perceptron

from xnorflow.artifact.errors import ConfigError
from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.config import Backend, BoardFill, Cost, Objective
from xnorflow.lower.cycle_graph import read_layers
from xnorflow.lower.fifo_sizing import predict, unlimited_fifos
from xnorflow.lower.fold_for_latency import fold_for_latency
from xnorflow.lower.fold_search import Room, estimate
from xnorflow.lower.folding import folding_of, hardware_layers
from xnorflow.lower.layer_options import layer_options

UNFOLDED = "step_insert_dwc"  # the step in front of which a graph has its folding, and nothing that follows from it
NETWORKS = {
    "perceptron": lambda: perceptron(widths=(32, 16, 16, 16, 4)),
    "convolutions": small_cnv,
    "a_branch": lambda: trunk_in(shape=(2, 12, 12), seed=2).block(8, (2, 2)).block().head(),
}
WIDE = Room(40_000, 280)


def latency_of(graph):
    """Return the first frame's latency with the width converters and unlimited FIFOs that will be there."""
    layers = read_layers(graph, convert_widths=True)
    return predict_cycles(layers.graph(unlimited_fifos(graph, 2)), 2).latency


def cycles_of(graph):
    return max(operator.get_exp_cycles() for _, operator in hardware_layers(graph))


@pytest.mark.parametrize(("name", "cycles"), [("perceptron", 8), ("convolutions", 250)])
def test_the_first_result_comes_earlier_and_frames_no_slower(name, cycles, folded):
    graph = folded(NETWORKS[name](), cycles, before=UNFOLDED)
    latency, before = latency_of(graph), cycles_of(graph)
    room = Room(1500, 12)
    folding = fold_for_latency(graph, PART, room)
    assert latency_of(graph) < latency
    assert folding.cycles == cycles_of(graph) <= before
    assert room.share(folding.luts, folding.bram18, folding.dsp) <= 1


def test_no_change_of_one_layer_is_better(folded):
    graph = folded(perceptron(widths=(16, 8, 8, 4)), 8, before=UNFOLDED)
    fold_for_latency(graph, PART, WIDE)
    least = latency_of(graph)
    operators, layers = [operator for _, operator in hardware_layers(graph)], layer_options(graph, PART)
    for operator, layer in zip(operators, layers, strict=True):
        present = {key: operator.get_nodeattr(key) for key in ("PE", "SIMD")}
        for option in layer.options:
            for key in present:
                operator.set_nodeattr(key, option.settings[key])
            assert option.cycles > 8 or latency_of(graph) >= least
        for key, value in present.items():
            operator.set_nodeattr(key, value)


def test_with_little_room_layers_take_turns(folded):
    """Two layers of 16 cycles: results one by one into inputs as they come, which all foldings together cannot beat."""
    graph = folded(perceptron(widths=(16, 16, 16, 2)), 16, before=UNFOLDED)
    start = [operator for _, operator in hardware_layers(graph)]
    for operator, (pe, simd) in zip(start, ((1, 16), (1, 16), (1, 2)), strict=True):
        operator.set_nodeattr("PE", pe)
        operator.set_nodeattr("SIMD", simd)
    before = latency_of(graph)
    layers = layer_options(graph, PART, multipliers=False)
    at_16 = [[option for option in layer.options if option.cycles == 16] for layer in layers]
    luts = max(estimate(layers, options).luts for options in itertools.product(*at_16))
    folding = fold_for_latency(graph, PART, Room(luts, 280))
    found = {name: (fold["PE"], fold["SIMD"]) for name, fold in folding_of(graph).items() if name != "Defaults"}
    assert folding.luts <= luts and latency_of(graph) <= before - 12, found


@pytest.mark.parametrize(("name", "cycles"), [("perceptron", 16), ("convolutions", 400), ("a_branch", 100)])
def test_converters_that_will_be_there_are_those_that_are_inserted(name, cycles, folded):
    graph, converted = (folded(NETWORKS[name](), cycles, before=step) for step in (UNFOLDED, "step_set_fifo_depths"))
    inserted = [node.name for node in converted.graph.node if node.op_type == "WidthConverter"]
    machines = read_layers(graph, convert_widths=True).graph().machines
    foreseen = {machine.split(".")[0] for machine in machines if "_dwc" in machine}
    assert len(foreseen) == len(inserted) > 0
    plain = read_layers(converted).graph(unlimited_fifos(converted, 2))
    assert predict_cycles(plain, 2).latency == latency_of(graph)


def test_a_design_too_large_for_its_room_grows_no_further(folded):
    graph = folded(perceptron(widths=(32, 16, 16, 4)), 4, before=UNFOLDED)
    layers = layer_options(graph, PART, multipliers=False)
    room = Room(10, 1)
    before = fold_for_latency(graph, PART, room)
    after = fold_for_latency(graph, PART, room)
    assert after == before and float(room.share(after.luts, after.bram18)) > 1 and len(layers) == len(after.options)


def test_a_build_is_folded_for_latency(tmp_path, build):
    path = perceptron(widths=(32, 16, 16, 16, 4)).save(tmp_path / "model.onnx")
    latencies = []
    for minimize in (None, Cost.LATENCY):
        lowered = build(path, target_cycles=16, minimize=minimize, fill=minimize and BoardFill(LUT=3))
        report = predict(lowered.model)
        assert report.intervals[-1] <= 16
        latencies.append(report.latency)
        total = json.loads((build.folder / "report" / "estimate_layer_resources.json").read_text())["total"]
        assert total["LUT"] <= 0.03 * 53200
    assert latencies[1] < latencies[0]
    lowered = build(path, target_cycles=None, maximize=Objective.FPS, minimize=Cost.LATENCY, fill=BoardFill(LUT=6))
    assert predict(lowered.model).latency <= latencies[1]


def test_what_cannot_be_together(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    with pytest.raises(ConfigError) as caught:
        build(path, target_cycles=None, minimize=Cost.LATENCY, folding=tmp_path / "folding.json")
    assert str(caught.value) == (
        "build.minimize: given together with folding; allowed: together with a target, a budget, maximize, or alone; "
        "remove one of the two"
    )
    with pytest.raises(ConfigError) as caught:
        build(path, minimize=Cost.LATENCY, backend=Backend.HLS)
    assert str(caught.value) == (
        "build.minimize: latency with backend hls; allowed: backend rtl: the latency of C++ is known to Vitis HLS "
        "alone; remove one of the two"
    )


def test_several_windows_at_a_time_stay_as_they_are(folded):
    chain = MapChain(shape=(2, 9, 9)).bipolar().conv(6).activation().conv(8).activation().classify()
    graph = folded(chain, 70, before=UNFOLDED)
    windows = [(node.op_type, value) for node, value in _windows(graph)]
    fold_for_latency(graph, PART, WIDE)
    assert [(node.op_type, value) for node, value in _windows(graph)] == windows


def _windows(graph):
    for node, operator in hardware_layers(graph):
        for key in ("parallel_window", "M"):
            if key in operator.get_nodeattr_types():
                yield node, operator.get_nodeattr(key)
