"""Networks by their end, size and age."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto
from qonnx_files import QONNX, Chain, body, perceptron, random_signs
from variant_registry import variant

# Ends -----------------------------------------------------------------------------------------------------------


@variant()
def end_scalar_mul_add():
    return perceptron().op("Mul", 0.0883).op("Add", -0.251).end()


@variant()
def end_tensor_norm():
    return perceptron().op("Sub", [0.31]).op("Div", [7.23]).op("Mul", [-1.7]).op("Add", [0.4]).end()


@variant()
def end_batchnorm_a_class():
    return perceptron().batchnorm(5).end()


@variant()
def end_sigmoid():
    return perceptron().end().op("Sigmoid")


@variant()
def end_softmax():
    return perceptron().op("Mul", 0.1).end().op("Softmax", axis=1)


@variant()
def end_log_softmax():
    return perceptron().end().op("LogSoftmax", axis=-1)


@variant(output_types=[TensorProto.INT64])
def end_softmax_argmax():
    return perceptron().end().op("Softmax", axis=1).op("ArgMax", axis=1, keepdims=0)


@variant(output_types=[TensorProto.INT64])
def end_topk_indices():
    return _topk("indices")


@variant(output_types=[TensorProto.FLOAT, TensorProto.INT64])
def end_topk_values_and_indices():
    return _topk("both")


@variant(output_types=[TensorProto.INT64])
def end_topk_behind_scalar_mul_add():
    chain = perceptron().op("Mul", 0.1).op("Add", 0.3).end()
    return _label(chain, "indices")


@variant(output_types=[TensorProto.INT64])
def end_topk_of_five():
    chain = perceptron().end().op("TopK", Ks(5), outputs=2, dtype=np.int64, axis=1)
    chain.outputs = [f"{chain.current[:-1]}1"]
    return chain


@variant(output_types=[TensorProto.INT64])
def end_argmax():
    return perceptron().end().op("ArgMax", axis=1, keepdims=1)


@variant(output_types=[TensorProto.INT64])
def end_argmax_last_of_equals():
    return perceptron().end().op("ArgMax", axis=1, keepdims=1, select_last_index=1)


@variant(output_types=[TensorProto.INT32])
def end_argmax_cast_to_int32():
    return perceptron().end().op("ArgMax", axis=1, keepdims=0).op("Cast", to=TensorProto.INT32)


@variant(output_types=[TensorProto.INT64])
def end_argmax_of_negated_logits():
    return perceptron().op("Neg").end().op("ArgMax", axis=1, keepdims=1)


@variant(output_types=[TensorProto.INT64])
def end_topk_behind_batchnorm_a_class():
    return _label(perceptron().batchnorm(5).end(), "indices")


def Ks(k):  # noqa: N802
    return np.asarray([k])


def _topk(what):
    return _label(perceptron().end(), what)


def _label(chain, what):
    chain.op("TopK", Ks(1), outputs=2, dtype=np.int64, axis=-1, largest=1, sorted=1)
    indices = f"{chain.current[:-1]}1"
    chain.outputs = [indices] if what == "indices" else [chain.current, indices]
    return chain


# Sizes and ages -------------------------------------------------------------------------------------------------


@variant()
def one_layer_of_bits():
    return Chain().flatten().sign_input().dense(24, 5).end()


@variant()
def one_layer_8_bit():
    return Chain().flatten().quant(8, 2.0**-7, narrow=0).dense(24, 5).end()


@variant()
def one_output():
    return Chain().flatten().sign_input().hidden(24, 7).dense(7, 1).end()


@variant()
def one_hidden_neuron():
    return Chain().flatten().sign_input().hidden(24, 1).dense(1, 3).end()


@variant()
def prime_widths():
    return perceptron(widths=(31, 29, 23, 11)).end()


@variant(opset=9, ir_version=3, listed=True, domains=("onnx.brevitas",))
def opset_9_old_domain_constants_listed():
    chain = Chain().flatten().op("Mul", 2.0).op("Sub", 1.0).bipolar(domain="onnx.brevitas")
    chain.dense(24, 17).batchnorm(17).op("Clip", min=-1.0, max=1.0).bipolar(domain="onnx.brevitas")
    return chain.dense(17, 5).end()


@variant(opset=11, ir_version=6, domains=("finn.custom_op.general",), levels=(-1, 1))
def opset_11_finn_domain():
    chain = Chain().annotate("x", "BIPOLAR").flatten().dense(24, 17)
    chain.multithreshold(chain.rng.integers(-9, 9, (17, 1)), domain="finn.custom_op.general")
    return chain.dense(17, 5).end()


@variant(opset=18, ir_version=10)
def opset_18():
    chain = Chain()
    chain.op("Reshape", chain.constant([1, -1], np.int64), allowzero=1)
    return body(chain.sign_input())


@variant(domains=())
def domain_not_imported():
    return body(Chain().flatten().sign_input())


@variant()
def constants_as_nodes():
    chain = Chain().flatten()
    two = chain.side("Constant", value_float=2.0)
    chain.op("Mul", two).op("Sub", 1.0).bipolar()
    return body(chain)


@variant()
def nodes_without_names():
    chain = body(Chain().flatten().sign_input())
    for node in chain.nodes:
        node.name = ""
    return chain


@variant()
def nodes_of_one_name():
    chain = body(Chain().flatten().sign_input())
    for node in chain.nodes:
        node.name = "node"
    return chain


@variant()
def shared_constants():
    chain = Chain().flatten().sign_input()
    square = chain.constant(random_signs(24, 24))
    scale = chain.constant(1.0)
    for _ in range(2):
        chain.op("MatMul", square).op("Add", 0.5).op("BipolarQuant", scale, domain=QONNX)
    return chain.dense(24, 5).end()
