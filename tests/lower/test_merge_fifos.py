"""What waits in FIFOs may wait in the layers in front: for less, and no frame takes longer."""

from __future__ import annotations

import pytest
from finn_graphs import PART
from map_files import MapChain, trunk_in
from qonnx.custom_op.registry import getCustomOp

from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.cycle_graph import read_layers
from xnorflow.lower.fifo_sizing import predict, steady_interval
from xnorflow.lower.passes.merge_fifos import MergeFIFOs

STEP = "step_merge_fifos"
NETWORKS = {
    "convolutions": lambda: MapChain(shape=(2, 9, 9)).bipolar().conv(6).activation().conv(8).activation().pool()
    .classify(hidden=12),
    "one_block": lambda: trunk_in().block().head(),
    "gated": lambda: trunk_in(shape=(2, 12, 12)).block(gate=True).head(),
    "blocks_that_halve": lambda: trunk_in(shape=(2, 12, 12), seed=2).block(8, (2, 2)).block().head(),
}  # fmt: skip


def price(graph):
    """Return estimated LUTs and 18 Kib blocks."""
    operators = [getCustomOp(node) for node in graph.graph.node]
    return tuple(sum(getattr(one, f"{what}_estimation")(PART) for one in operators) for what in ("lut", "bram"))


def fifos(graph):
    return [node.name for node in graph.graph.node if node.op_type == "BoundedFIFO_rtl"]


def deep(graph):
    """Return the depths that are asked for, by layer."""
    found = {node.name: dict(getCustomOp(node).get_nodeattr_types()) for node in graph.graph.node}
    layers = [node for node in graph.graph.node if "outputDepth" in found[node.name]]
    return {node.name: depth for node in layers if (depth := getCustomOp(node).get_nodeattr("outputDepth"))}


@pytest.mark.parametrize("cycles", [300, 2000])
@pytest.mark.parametrize("name", NETWORKS)
def test_fewer_fifos_cost_less_and_keep_the_interval(name, cycles, folded):
    graph = folded(NETWORKS[name](), cycles, before=STEP)
    names, before, report = fifos(graph), price(graph), predict(graph)
    merged = graph.transform(MergeFIFOs(PART))
    gone = set(names) - set(fifos(merged))
    assert len(gone) == len(deep(merged))
    after, found = price(merged), predict(merged)
    assert found.intervals[-1] == report.intervals[-1] and found.latency <= report.latency
    assert (after[0] < before[0] or after[1] < before[1]) if gone else after == before


def test_a_deep_buffer_is_needed_where_one_is_asked_for(folded):
    """With the places that the pipeline needs alone frames take longer, or all is stuck."""
    graph = folded(NETWORKS["gated"](), 300, before=STEP).transform(MergeFIFOs(PART))
    interval, asked = int(predict(graph).intervals[-1]), deep(graph)
    assert asked
    for node in graph.graph.node:
        if node.name in asked:
            getCustomOp(node).set_nodeattr("outputDepth", 0)
            slower = steady_interval(read_layers(graph).graph())
            assert slower is None or slower > interval, node.name
            getCustomOp(node).set_nodeattr("outputDepth", asked[node.name])


def test_fifos_behind_forks_stay(folded):
    graph = folded(NETWORKS["one_block"](), 300, before=STEP)
    all_fifos = [node for node in graph.graph.node if node.op_type == "BoundedFIFO_rtl"]
    kept = {node.name for node in all_fifos if graph.find_producer(node.input[0]).op_type == "StreamFork_rtl"}
    assert kept and kept <= set(fifos(graph.transform(MergeFIFOs(PART))))


def test_beside_hls_backends_nothing_is_merged(tmp_path, build):
    lowered = build(NETWORKS["gated"]().save(tmp_path / "model.onnx"), target_cycles=300, backend="hls")
    assert fifos(lowered.model)


def test_the_whole_flow_merges(tmp_path, build):
    lowered = build(NETWORKS["gated"]().save(tmp_path / "model.onnx"), target_cycles=300)
    assert deep(lowered.model)
    report = predict_cycles(read_layers(lowered.model).graph(), 30)
    assert report.complete and len(set(report.intervals[-10:].tolist())) == 1
