"""The integer network as FINN-ONNX: MatMul and MultiThreshold on integers, which streamlining does not round."""

from __future__ import annotations

from typing import Any

import numpy as np

from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.integer_network import IntegerNetwork

__all__ = ["to_finn_graph"]


def to_finn_graph(network: IntegerNetwork) -> Any:
    """Return a qonnx ModelWrapper of the network.

    The input is annotated BIPOLAR or ``INT<n>`` with shape (1, inputs), weights BIPOLAR; each activation is a
    MultiThreshold with one integer threshold a neuron and out_dtype BIPOLAR. The output is the accumulators (1,
    classes), or the label (1, 1) behind TopK.
    """
    prepare_finn()
    from onnx import TensorProto, helper
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes
    from qonnx.util.basic import qonnx_make_model

    nodes, tensors, current = _layers(network)
    outputs = [helper.make_tensor_value_info(current, TensorProto.FLOAT, [1, network.layers[-1].outputs])]
    if network.labels:
        nodes.append(helper.make_node("TopK", [current, "k"], ["values", "global_out"], name="label", axis=-1))
        outputs = [helper.make_tensor_value_info("global_out", TensorProto.INT64, [1, 1])]
    source = helper.make_tensor_value_info("global_in", TensorProto.FLOAT, [1, network.layers[0].inputs])
    model = ModelWrapper(qonnx_make_model(helper.make_graph(nodes, "xnorflow", [source], outputs)))
    model.set_tensor_datatype("global_in", DataType[network.input_datatype])
    for name, (array, datatype) in tensors.items():
        model.set_initializer(name, array)
        model.set_tensor_datatype(name, DataType[datatype])
    if network.labels:
        model.set_initializer("k", np.asarray([1], np.int64))
    return model.transform(InferShapes())


def _layers(network: IntegerNetwork) -> tuple[list[Any], dict[str, tuple[Any, str]], str]:
    """Return nodes, constants with their datatypes, and the name of the last tensor."""
    from onnx import helper

    nodes: list[Any] = []
    tensors: dict[str, tuple[Any, str]] = {}
    current = "global_in"
    attributes = {"domain": "qonnx.custom_op.general", "out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
    for index, layer in enumerate(network.layers):
        name, product, operand = f"fc{index}", f"fc{index}_sum", f"fc{index}_thresholds"
        nodes.append(helper.make_node("MatMul", [current, f"{name}_weights"], [product], name=f"{name}_matmul"))
        tensors[f"{name}_weights"] = (layer.weights.astype(np.float32), "BIPOLAR")
        current = product
        if layer.thresholds is not None:
            current = f"{name}_sign"
            inputs = [product, operand]
            nodes.append(helper.make_node("MultiThreshold", inputs, [current], name=f"{name}_threshold", **attributes))
            tensors[operand] = (layer.thresholds.astype(np.float32)[:, None], "INT32")
    return nodes, tensors, current
