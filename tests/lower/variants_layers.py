"""Networks by their weights, activations and BatchNorm."""

from __future__ import annotations

import numpy as np
from qonnx_files import QONNX, Chain, body, random_signs
from variant_registry import variant

# Weights --------------------------------------------------------------------------------------------------------


@variant()
def weights_quantized_in_the_graph():
    chain = Chain().flatten().sign_input()
    for inputs, outputs in ((24, 17), (17, 5)):
        floats = chain.rng.normal(size=(outputs, inputs))
        floats[0, 0] = 0.0
        binary = chain.side("BipolarQuant", floats, np.asarray(1.0), domain=QONNX)
        chain.op("MatMul", chain.side("Transpose", binary, perm=[1, 0]))
        if outputs == 17:
            chain.batchnorm(17).bipolar()
    return chain.end()


@variant()
def weights_1_bit_quant():
    chain = Chain().flatten().sign_input()
    for narrow, (inputs, outputs) in enumerate(((24, 17), (17, 5))):
        weights = chain.side(
            "Quant", chain.rng.normal(size=(inputs, outputs)), 0.25, 0.0, 1.0, domain=QONNX, signed=1, narrow=narrow,
            rounding_mode="ROUND",
        )  # fmt: skip
        chain.op("MatMul", weights)
        if outputs == 17:
            chain.batchnorm(17).bipolar()
    return chain.end()


@variant()
def weights_annotated_bipolar():
    chain = Chain().flatten().sign_input().hidden(24, 17).dense(17, 5)
    for tensor in (node.input[1] for node in chain.nodes if node.op_type == "MatMul"):
        chain.annotate(tensor, "BIPOLAR")
    return chain.end()


@variant()
def weights_scaled_a_channel():
    """As STATS scaling writes them: no power of two, one a neuron, and many accumulators that are 0."""
    chain = Chain().flatten().sign_input()
    chain.dense(24, 17, chain.rng.uniform(0.01, 0.3, 17)).bipolar()
    chain.dense(17, 13, chain.rng.uniform(0.01, 0.3, 13)).batchnorm(13, spread=0.5).bipolar()
    return chain.dense(13, 5, 0.1).end()


@variant()
def weights_scaled_a_channel_and_8_bit_input():
    chain = Chain().flatten().op("Mul", 2.0).op("Sub", 1.0).quant(8, 1 / 127)
    chain.dense(24, 17, chain.rng.uniform(0.01, 0.3, 17)).bipolar()
    return chain.dense(17, 5, chain.rng.uniform(0.01, 0.3, 5)).end()


@variant()
def weights_as_sign_of_floats():
    chain = Chain().flatten().sign_input()
    return chain.op("MatMul", chain.side("Sign", chain.rng.normal(size=(24, 5)))).end()


@variant()
def weights_with_negative_scale():
    return body(Chain().flatten().sign_input().dense(24, 24, -0.5).bipolar())


# Gemm -----------------------------------------------------------------------------------------------------------


@variant()
def gemm_with_transposed_weights_and_bias():
    chain = Chain().flatten().sign_input()
    chain.op("Gemm", chain.signs(17, 24), chain.rng.normal(size=17), transB=1).bipolar()
    return chain.op("Gemm", chain.signs(5, 17), chain.rng.normal(size=5), transB=1).end()


@variant()
def gemm_with_alpha_and_beta():
    chain = Chain().flatten().sign_input()
    chain.op("Gemm", chain.signs(24, 17), chain.rng.normal(size=(1, 17)), alpha=0.5, beta=2.0).bipolar()
    return chain.op("Gemm", chain.signs(17, 5), alpha=0.3).end()


@variant()
def gemm_with_scalar_bias():
    chain = Chain().flatten().sign_input().op("Gemm", np.eye(24)[:, :1] * 0 + random_signs(24, 1), 0.5).bipolar()
    return chain.op("Gemm", np.ones((1, 3)) * [[1, -1, 1]]).end()


# Activations ----------------------------------------------------------------------------------------------------


@variant()
def activation_1_bit_quant():
    chain = Chain().flatten().sign_input()
    chain.dense(24, 17).batchnorm(17).quant(1, 0.5, narrow=0).dense(17, 13).batchnorm(13).quant(1, 1.0)
    return chain.dense(13, 5).end()


@variant()
def activation_0_and_1():
    chain = Chain().flatten().sign_input()
    chain.dense(24, 17).batchnorm(17).quant(1, 1.0, signed=0, narrow=0)
    return chain.dense(17, 13).batchnorm(13).quant(1, 0.3, signed=0, narrow=0).dense(13, 5).end()


@variant()
def activation_int_quant_old_name():
    chain = Chain().flatten().sign_input().dense(24, 17).batchnorm(17).quant(1, 1.0, kind="IntQuant")
    return chain.dense(17, 5).end()


@variant()
def activation_sign():
    chain = Chain().flatten().op("Sub", 0.5).op("Sign").dense(24, 17).op("Add", 0.5).op("Sign")
    return chain.dense(17, 5).end()


@variant()
def activation_hardtanh_then_sign():
    chain = Chain().flatten().sign_input().dense(24, 17).batchnorm(17).op("Clip", -1.0, 1.0).bipolar()
    return chain.dense(17, 5).end()


@variant()
def activation_relu_then_1_bit():
    chain = Chain().flatten().sign_input().dense(24, 17).batchnorm(17).op("Relu").quant(1, 0.7, signed=0, narrow=0)
    return chain.dense(17, 5).end()


@variant(levels=(-1, 1))
def activation_multithreshold_bipolar():
    chain = Chain().annotate("x", "BIPOLAR").flatten()
    chain.dense(24, 17).multithreshold(chain.rng.integers(-9, 9, (17, 1)))
    return chain.dense(17, 13).multithreshold(np.asarray([[1.0]])).dense(13, 5).op("Mul", 0.125).op("Add", -0.5).end()


@variant(levels=(-1, 1))
def activation_multithreshold_binary_then_mul_add():
    chain = Chain().annotate("x", "BIPOLAR").flatten()
    chain.dense(24, 17).multithreshold(chain.rng.normal(0, 3, (17, 1)), 1.0, 0.0, "BINARY", "finn.custom_op.general")
    return chain.op("Mul", 2.0).op("Add", -1.0).dense(17, 5).end()


@variant(levels=(0, 1))
def activation_multithreshold_binary_alone():
    chain = Chain().annotate("x", "BINARY").flatten()
    chain.dense(24, 17).multithreshold(chain.rng.integers(-5, 5, (17, 1)), 1.0, 0.0, "BINARY")
    return chain.dense(17, 5).end()


# BatchNorm ------------------------------------------------------------------------------------------------------


@variant()
def batchnorm_as_mul_add():
    chain = Chain().flatten().sign_input().dense(24, 17)
    chain.op("Mul", chain.rng.normal(size=17)).op("Add", chain.rng.normal(size=17)).bipolar()
    return chain.dense(17, 5).end()


@variant()
def batchnorm_as_sub_div_mul_add():
    chain = Chain().flatten().sign_input().dense(24, 17)
    chain.op("Sub", chain.rng.normal(size=(1, 17))).op("Div", chain.rng.uniform(1, 3, (1, 17)))
    return chain.op("Mul", chain.rng.normal(size=17)).op("Add", chain.rng.normal(size=17)).bipolar().dense(17, 5).end()


@variant()
def batchnorm_gamma_zero():
    chain = Chain().flatten().sign_input().dense(24, 17)
    gamma = np.where(np.arange(17) % 3 == 0, 0.0, np.where(np.arange(17) % 3 == 1, -1.0, 1.0))
    return chain.batchnorm(17, gamma=gamma).bipolar().dense(17, 5).end()


@variant()
def batchnorm_default_statistics():
    """Accumulators land exactly on the threshold, rising and falling."""
    chain = Chain().flatten().sign_input()
    for inputs, outputs in ((24, 17), (17, 14), (14, 12)):
        gamma = np.where(np.arange(outputs) % 2, -1.0, 1.0)
        zeros, ones = np.zeros(outputs), np.ones(outputs)
        chain.dense(inputs, outputs).op("BatchNormalization", gamma, zeros, zeros, ones, epsilon=1e-5).bipolar()
    return chain.dense(12, 5).end()


@variant()
def all_neurons_of_a_layer_dead():
    chain = Chain().flatten().sign_input().dense(24, 17).op("Add", -100.0).bipolar()
    return chain.dense(17, 5).end()


@variant()
def neurons_that_never_and_always_fire():
    chain = Chain().flatten().sign_input().dense(24, 17)
    chain.op("Add", np.where(np.arange(17) % 2, 24.5, -24.5)).bipolar().dense(17, 8)
    return chain.op("Add", np.where(np.arange(8) % 2, 17.0, -17.0)).bipolar().dense(8, 5).end()
