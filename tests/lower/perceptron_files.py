"""ONNX files of perceptrons as Brevitas writes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def write_perceptron(
    path: Path, widths: Sequence[int], input_bits: int = 1, seed: int = 0, top_k: bool = False
) -> Path:
    """Write a QONNX perceptron as Brevitas would: 2x-1, input quantizer, then MatMul, BatchNorm, BipolarQuant."""
    rng = np.random.default_rng(seed)
    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        custom = kind in ("BipolarQuant", "Quant")
        nodes.append(
            helper.make_node(
                kind, inputs, [output], domain="qonnx.custom_op.general" if custom else "", name=output, **attributes
            )
        )
        return output

    one = constant("one", 1.0)
    current = node("Mul", ["x", constant("two", 2.0)], "doubled")
    current = node("Sub", [current, one], "centered")
    if input_bits == 1:
        current = node("BipolarQuant", [current, one], "quantized")
    else:
        scale = constant("input_scale", 2.0 ** (1 - input_bits))
        zero, bits = constant("zero", 0.0), constant("bits", input_bits)
        current = node("Quant", [current, scale, zero, bits], "quantized", signed=1, narrow=0, rounding_mode="ROUND")
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        weights = node("BipolarQuant", [constant(f"w{index}", rng.normal(size=(inputs, outputs))), one], f"q{index}")
        current = node("MatMul", [current, weights], f"sum{index}")
        if index < len(widths) - 2:
            spread = np.sqrt(inputs) * (1 if input_bits == 1 or index else 0.6)
            gamma = rng.uniform(0.3, 1.5, outputs) * rng.choice([-1.0, 1.0], outputs, p=[0.3, 0.7])
            parts = [
                constant(f"gamma{index}", gamma),
                constant(f"beta{index}", rng.normal(0, 0.3, outputs)),
                constant(f"mean{index}", rng.normal(0, spread / 2, outputs)),
                constant(f"var{index}", rng.uniform(0.5, 2, outputs) * inputs),
            ]
            current = node("BatchNormalization", [current, *parts], f"norm{index}", epsilon=1e-5)
            current = node("BipolarQuant", [current, one], f"sign{index}")
    outputs = [helper.make_tensor_value_info(current, TensorProto.FLOAT, [1, widths[-1]])]
    if top_k:
        constants.append(numpy_helper.from_array(np.asarray([1], np.int64), "k"))
        nodes.append(helper.make_node("TopK", [current, "k"], ["values", "label"], name="topk", axis=-1))
        outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [1, 1])]
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, widths[0]])
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
    model = helper.make_model(helper.make_graph(nodes, "net", [source], outputs, constants), opset_imports=opsets)
    model.ir_version = 8
    save(model, str(path))
    return path
