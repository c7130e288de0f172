"""FIFOs of networks with layers in HLS."""

from __future__ import annotations

import math

from map_files import trunk_in

from xnorflow.artifact.progress import SilentProgress
from xnorflow.lower.config import Backend, BuildSettings
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.stage import lower


def test_joins_have_room_for_a_frame(tmp_path):
    """What layers in HLS hold is not known; the RTL of this network gets 7 beats on one input, none on the other."""
    prepare_finn()
    from qonnx.custom_op.registry import getCustomOp

    model = trunk_in().block().head().save(tmp_path / "net.onnx")
    (tmp_path / "build").mkdir()
    settings = BuildSettings(target_cycles=400, backend=Backend.HLS)
    graph = lower(model, tmp_path / "build", settings, None, SilentProgress()).model
    join = next(node for node in graph.graph.node if node.op_type == "StreamAdd_hls")
    for index, name in enumerate(join.input):
        fifo = graph.find_producer(name)
        assert fifo.op_type == "BoundedFIFO_rtl"
        beats = math.prod(getCustomOp(join).get_folded_input_shape(index)[:-1])
        assert getCustomOp(fifo).get_nodeattr("depth") >= beats > 7
