"""ONNX files as other people's exporters write them, made by hand: a chain of nodes with its constants."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
WIDTHS = (24, 17, 13, 5)
SHAPE = (1, 1, 4, 6)
BINARY_ATTRIBUTES = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}


class Chain:
    """A graph that grows node by node; the current tensor is the first operand unless told otherwise."""

    def __init__(self, shape=SHAPE, input_type=TensorProto.FLOAT, seed=0):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.annotations = [], [], {}
        self.input, self.current, self.outputs = "x", "x", None
        self.shape, self.input_type = shape, input_type
        self.logits = None

    def constant(self, value, dtype=np.float32, name=None):
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind, *operands, domain="", first=False, outputs=1, name=None, dtype=np.float32, **attributes):
        """Append a node; arrays become constants, strings are tensors, ``first`` puts the operands before the data."""
        names = [item if isinstance(item, str) else self.constant(item, dtype) for item in operands]
        names = [*names, self.current] if first else [self.current, *names]
        made = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        name = name if name is not None else f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, made, name=name, domain=domain, **attributes))
        self.current = made[0]
        return self

    def side(self, kind, *operands, domain="", **attributes):
        """Append a node of constants beside the chain and return its output."""
        names = [item if isinstance(item, str) else self.constant(item) for item in operands]
        made = f"s{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [made], name=f"side_{made}", domain=domain, **attributes))
        return made

    # What bnn_pynq networks are made of -------------------------------------------------------------------------

    def flatten(self):
        return self.op("Flatten", axis=1)

    def sign_input(self):
        return self.op("Mul", 2.0).op("Sub", np.asarray([1.0])).bipolar()

    def bipolar(self, scale=1.0, domain=QONNX):
        return self.op("BipolarQuant", np.asarray(scale), domain=domain)

    def quant(self, bits, scale=1.0, zero=0.0, domain=QONNX, kind="Quant", **attributes):
        return self.op(kind, scale, zero, float(bits), domain=domain, **{**BINARY_ATTRIBUTES, **attributes})

    def multithreshold(self, thresholds, scale=2.0, bias=-1.0, out_dtype="BIPOLAR", domain=QONNX, **attributes):
        return self.op(
            "MultiThreshold",
            thresholds,
            domain=domain,
            out_dtype=out_dtype,
            out_scale=scale,
            out_bias=bias,
            **attributes,
        )

    def signs(self, inputs, outputs):
        return np.where(self.rng.random((inputs, outputs)) < 0.5, -1.0, 1.0)

    def dense(self, inputs, outputs, scale=1.0):
        return self.op("MatMul", self.signs(inputs, outputs) * scale, name=f"dense_{inputs}x{outputs}")

    def batchnorm(self, channels, spread=3.0, gamma=None, **attributes):
        if gamma is None:
            gamma = self.rng.uniform(0.3, 2.0, channels) * np.where(self.rng.random(channels) < 0.3, -1, 1)
        beta, mean = self.rng.normal(0, 0.3, channels), self.rng.normal(0, spread, channels)
        variance = self.rng.uniform(2, 9, channels)
        return self.op("BatchNormalization", gamma, beta, mean, variance, epsilon=1e-5, **attributes)

    def hidden(self, inputs, outputs, scale=1.0):
        return self.dense(inputs, outputs, scale).batchnorm(outputs).bipolar()

    def end(self):
        """Mark the current tensor as the logits."""
        self.logits = self.current
        return self

    def annotate(self, tensor, datatype):
        self.annotations[tensor] = datatype
        return self

    # ------------------------------------------------------------------------------------------------------------

    def model(self, opset=13, ir_version=8, listed=False, output_types=None, domains=(QONNX,)):
        inputs = [helper.make_tensor_value_info(self.input, self.input_type, self.shape)]
        if listed:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.constants]
        outputs = self.outputs or [self.current]
        types = output_types or [TensorProto.FLOAT] * len(outputs)
        infos = [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(outputs, types, strict=True)]
        graph = helper.make_graph(self.nodes, "third_party", inputs, infos, self.constants)
        for tensor, datatype in self.annotations.items():
            annotation = onnx.TensorAnnotation(tensor_name=tensor)
            entry = onnx.StringStringEntryProto(key="finn_datatype", value=datatype)
            annotation.quant_parameter_tensor_names.append(entry)
            graph.quantization_annotation.append(annotation)
        imports = [helper.make_opsetid(domain, 1) for domain in domains] + [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=imports)
        model.ir_version = ir_version
        return model

    def save(self, path: Path, **options) -> Path:
        path.write_bytes(self.model(**options).SerializeToString())
        return path


def perceptron(seed=0, widths=WIDTHS) -> Chain:
    """Return flatten, 2x-1, sign, hidden layers with BatchNorm and sign, and the last product."""
    chain = Chain(seed=seed, shape=(1, widths[0])) if widths != WIDTHS else Chain(seed=seed)
    chain.flatten().sign_input()
    for inputs, outputs in itertools.pairwise(widths[:-1]):
        chain.hidden(inputs, outputs)
    return chain.dense(*widths[-2:])


def body(chain: Chain) -> Chain:
    """Append two hidden layers and the last product to a quantized input."""
    return chain.hidden(24, 17).hidden(17, 13).dense(13, 5).end()


def random_signs(rows, columns, seed=9):
    return np.where(np.random.default_rng(seed).random((rows, columns)) < 0.5, -1.0, 1.0)
