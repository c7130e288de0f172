"""FINN graphs for tests, and lowering's steps run on integer networks."""

from __future__ import annotations

import contextlib
import io
import itertools

import numpy as np
from onnx import TensorProto, helper

from xnorflow.artifact.host import HostCodec
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.finn_compat import dataflow_config
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.steps import STEPS, StepContext
from xnorflow.lower.to_finn import to_finn_graph
from xnorflow.lower.verify import verify_step

PART = "xc7z020clg400-1"


def wrapped(nodes, inputs, outputs, constants, datatypes):
    """Return a qonnx ModelWrapper."""
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes
    from qonnx.util.basic import qonnx_make_model

    infos = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in x.items()] for x in (inputs, outputs)]
    model = ModelWrapper(qonnx_make_model(helper.make_graph(nodes, "trap", *infos)))
    for name, value in constants.items():
        model.set_initializer(name, np.asarray(value, np.float32))
    for name, datatype in datatypes.items():
        model.set_tensor_datatype(name, DataType[datatype])
    return model.transform(InferShapes())


def execute(model, **inputs):
    from qonnx.core.onnx_exec import execute_onnx

    values = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
    return execute_onnx(model, values)[model.graph.output[0].name]


def mvau(op_type, weights, source, weight_type, thresholds=None, xnor=0):
    """Return a graph of one matrix unit with ``weights`` (MW, MH) as FINN stores them."""
    mw, mh = weights.shape
    node = helper.make_node(
        op_type, ["x", "w"] + ([] if thresholds is None else ["t"]), ["y"], name="unit", backend="fpgadataflow",
        domain="finn.custom_op.fpgadataflow", MW=mw, MH=mh, SIMD=mw, PE=1, inputDataType=source,
        weightDataType=weight_type, outputDataType="UINT32" if thresholds is None else "BINARY", ActVal=0,
        binaryXnorMode=xnor, noActivation=int(thresholds is None), numInputVectors=[1],
    )  # fmt: skip
    constants, datatypes = {"w": weights}, {"x": source, "w": weight_type, "y": "BINARY"}
    if thresholds is not None:
        constants["t"], datatypes["t"] = thresholds, "INT32"
    return wrapped([node], {"x": [1, mw]}, {"y": [1, mh]}, constants, datatypes)


def lowered_by(network, tmp_path, steps=STEPS, frames=None, codec=None):
    """Run lowering steps on an integer network, each verified; returns the last graph."""
    codec = codec or raw_codec(network)
    context = StepContext(
        BuildSettings(target_cycles=16), PART, 10.0, tmp_path, dataflow_config(tmp_path, PART, 10.0), network
    )  # fmt: skip
    if frames is None:
        frames = np.random.default_rng(2).choice([-1, 1], (2, network.first.inputs))
    graph = to_finn_graph(network)
    for step in steps:
        with contextlib.redirect_stdout(io.StringIO()):
            graph = step.run(graph, context)
        if step.verify:
            verify_step(step.name, graph, network, codec, frames, step.raw)
    return graph


def raw_codec(network):
    last = network.last
    step = 2 if last.binary_input else 1
    low, high = last.acc_bounds
    sums = np.arange(low, high + 1, step, dtype=np.float32)
    table = np.tile(sums[:, None], (1, last.outputs))
    return HostCodec(
        (network.first.inputs,), network.input_datatype, np.zeros(1, np.float32), np.asarray([-1, 1]), step,
        low if last.binary_input else 0, low, table, network.labels,
    )  # fmt: skip


def random_network(widths=(24, 17, 5), datatype="BIPOLAR", labels=False, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last = index == len(widths) - 2
        thresholds = None if last else 2 * rng.integers(-3, 4, outputs) + inputs % 2
        kind = datatype if index == 0 else "BIPOLAR"
        layers.append(IntegerLayer(f"l{index}", rng.choice([-1, 1], (inputs, outputs)), thresholds, kind))
    return IntegerNetwork(tuple(layers), labels)
