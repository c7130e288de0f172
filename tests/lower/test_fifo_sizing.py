"""FIFOs as the cycle model sizes them: deep enough, and no beat deeper."""

from __future__ import annotations

import pytest
from map_files import MapChain, trunk_in

from xnorflow.artifact.errors import LowerError
from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.cycle_graph import read_layers
from xnorflow.lower.fifo_sizing import LEAST, predict, size_fifos

FRAMES = 30


NETWORKS = {
    "convolutions": lambda: MapChain(shape=(2, 9, 9)).bipolar().conv(6).activation().conv(8).activation().pool()
    .classify(hidden=12),
    "one_block": lambda: trunk_in().block().head(),
    "wide_blocks_that_halve": lambda: trunk_in(shape=(2, 18, 18), seed=3, channels=8).block(16, (2, 2)).head(),
    "blocks_that_halve": lambda: trunk_in(shape=(2, 12, 12), seed=2).block(8, (2, 2)).block().head(),
}  # fmt: skip


@pytest.mark.parametrize("cycles", [1, 300, 2000])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_fifo_can_be_a_beat_shallower(name, cycles, folded):
    graph = folded(NETWORKS[name](), cycles)
    sizing, layers = size_fifos(graph), read_layers(graph)
    report = predict_cycles(layers.graph(sizing.depths), FRAMES)
    assert report.complete and set(report.intervals[-10:]) == {sizing.interval}
    tight = [place for place, depth in sizing.depths.items() if depth > LEAST]
    for place in tight:
        less = predict_cycles(layers.graph({**sizing.depths, place: sizing.depths[place] - 1}), FRAMES)
        assert less.deadlock is not None or less.intervals[-1] > sizing.interval, place
    if name in ("one_block", "blocks_that_halve"):
        assert [place for place in tight if place[0].startswith("add")]


@pytest.mark.parametrize("cycles", [300, 576, 2304])
@pytest.mark.parametrize("name", ["one_block", "blocks_that_halve", "wide_blocks_that_halve"])
def test_frames_take_as_long_as_the_busiest_module(name, cycles, folded):
    graph = folded(NETWORKS[name](), cycles)
    sizing = size_fifos(graph)
    assert sizing.interval == read_layers(graph).graph(sizing.depths).least_interval


def test_a_fifo_between_a_burst_and_a_layer_that_takes_its_time(folded):
    """A pool gives a row of pixels in half the time, of which the repeat needs more than three quarters."""
    chain = trunk_in(shape=(2, 10, 130), channels=16).block(32, (2, 2)).head()
    graph = folded(chain, 9216, {"repeat0": {"PE": 1}, "quant3": {"PE": 1}})
    sizing, layers = size_fifos(graph), read_layers(graph)
    assert sizing.interval == layers.graph(sizing.depths).least_interval == 9216
    more = [place for place, depth in sizing.depths.items() if depth and place[0].startswith(("quant", "repeat"))]
    assert len(more) == 1
    less = predict_cycles(layers.graph({**sizing.depths, more[0]: sizing.depths[more[0]] - 1}), FRAMES)
    assert less.intervals[-1] > sizing.interval


def test_several_windows_of_a_beat_wait_as_pixels(folded):
    """Before a unit of two windows there is no FIFO of theirs where a FIFO of pixels gives the same interval."""
    chain = MapChain(shape=(2, 10, 10)).bipolar().conv(6).activation().conv(8).activation().pool().classify(hidden=12)
    windows, unit = {"SIMD": 6, "parallel_window": 1, "M": 2}, {"SIMD": 27, "PE": 2, "M": 2}
    graph = folded(chain, 300, {"conv1_swg": windows, "conv1_mvau": unit})
    sizing, layers = size_fifos(graph), read_layers(graph)
    deep = {(node.name, 0): 500 for node in graph.graph.node[1:]}
    assert ("conv1_mvau", 0) not in sizing.depths and ("conv1_swg", 0) in sizing.depths
    assert sizing.interval == int(predict_cycles(layers.graph(deep), FRAMES).intervals[-1])
    assert sizing.interval == predict_cycles(layers.graph(sizing.depths), FRAMES).intervals[-1]


def test_a_join_without_a_fifo_gets_stuck(folded):
    graph = folded(NETWORKS["one_block"](), 300)
    with pytest.raises(LowerError, match=r"gets stuck: nothing moves from cycle .* on; not taken: .*; not offered: "):
        predict(graph)


def test_the_whole_flow_takes_the_depths(folded, tmp_path, build):
    graph = folded(NETWORKS["one_block"](), 300)
    depths = sorted(depth for depth in size_fifos(graph).depths.values() if depth)
    lowered = build(tmp_path / "model.onnx", target_cycles=300)
    found = [node for node in lowered.model.graph.node if node.op_type == "BoundedFIFO_rtl"]
    attributes = {node.name: {item.name: item.i for item in node.attribute} for node in found}
    assert sorted(values["depth"] for values in attributes.values()) == depths
    assert "add0_fifo" in attributes
