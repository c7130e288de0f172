"""Networks by their input and its flattening."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto
from qonnx_files import Chain, body
from variant_registry import variant

# Input ----------------------------------------------------------------------------------------------------------


@variant()
def input_sign_of_2x_minus_1():
    return body(Chain().flatten().sign_input())


@variant()
def input_8_bit_quant_power_of_two():
    return body(Chain().flatten().op("Mul", 2.0).op("Sub", 1.0).quant(8, 2.0**-7))


@variant()
def input_8_bit_quant_other_scale():
    return body(Chain().flatten().op("Mul", 2.0).op("Sub", 1.0).quant(8, 1 / 127))


@variant()
def input_8_bit_quant_of_image_before_flatten():
    return body(Chain().quant(8, 1 / 255, signed=0, narrow=0).flatten())


@variant()
def input_4_bit_unsigned():
    return body(Chain().flatten().quant(4, 1 / 15, signed=0, narrow=0))


@variant()
def input_2_bit_narrow():
    return body(Chain().flatten().op("Mul", 2.0).op("Sub", 1.0).quant(2, 1.0))


@variant()
def input_quant_with_zero_point():
    return body(Chain().flatten().quant(8, 1 / 255, zero=3.0, signed=0, narrow=0))


@variant(levels=range(256))
def input_0_to_255_div_255_sign():
    return body(Chain().op("Div", 255.0).flatten().sign_input())


@variant(levels=range(256))
def input_0_to_255_div_255_quant():
    return body(Chain().op("Div", 255.0).flatten().quant(8, 1 / 255, signed=0, narrow=0))


@variant(levels=range(256))
def input_annotated_uint8_div_255_sign():
    return body(Chain().annotate("x", "UINT8").op("Div", 255.0).flatten().sign_input())


@variant(levels=range(256))
def input_annotated_uint8_plain():
    return body(Chain().annotate("x", "UINT8").flatten())


@variant(levels=range(-128, 128))
def input_annotated_int8_plain():
    return body(Chain().annotate("x", "INT8").flatten())


@variant(levels=(-1, 1))
def input_annotated_bipolar():
    return body(Chain().annotate("x", "BIPOLAR").flatten())


@variant(levels=(0, 1))
def input_annotated_binary():
    return body(Chain().annotate("x", "BINARY").flatten())


@variant(levels=(-1, 0, 1))
def input_annotated_ternary():
    return body(Chain().annotate("x", "TERNARY").flatten())


@variant(levels=range(4))
def input_annotated_uint2_then_2x_minus_3():
    return body(Chain().annotate("x", "UINT2").flatten().op("Mul", 2.0).op("Sub", 3.0))


@variant(levels=range(256))
def input_tensor_of_uint8():
    chain = Chain(input_type=TensorProto.UINT8).op("Cast", to=TensorProto.FLOAT)
    return body(chain.op("Div", 255.0).flatten().sign_input())


@variant()
def input_multithreshold_255_steps():
    steps = (np.arange(255) - 127 + 0.5)[None] / 128
    chain = Chain().flatten().op("Mul", 2.0).op("Sub", 1.0)
    return body(chain.multithreshold(steps, scale=1 / 128, bias=-127 / 128, out_dtype="INT8"))


@variant()
def input_multithreshold_on_images_nhwc():
    chain = Chain(shape=(1, 4, 6, 1)).multithreshold(np.asarray([[0.4]]), data_layout="NHWC")
    return body(chain.flatten())


@variant()
def input_transposed_nchw_to_nhwc():
    chain = Chain(shape=(1, 2, 3, 4)).op("Transpose", perm=[0, 2, 3, 1]).flatten()
    return body(chain.sign_input())


@variant()
def input_transposed_with_rounding_sums():
    chain = Chain(shape=(1, 2, 3, 4)).op("Transpose", perm=[0, 2, 3, 1]).flatten()
    return body(chain.quant(8, 1 / 200, signed=0, narrow=0))


@variant()
def input_batchnorm_of_one_channel():
    chain = Chain().op("BatchNormalization", [0.5], [0.1], [0.4], [0.3], epsilon=1e-5)
    return body(chain.flatten().quant(8, 1 / 64))


@variant()
def input_mean_repeated_for_every_pixel():
    return body(Chain().flatten().op("Sub", np.full((1, 24), 0.5)).bipolar())


@variant()
def input_constant_on_the_left():
    return body(Chain().flatten().op("Sub", 1.0, first=True).op("Sub", 0.5).bipolar())


# Flattening -----------------------------------------------------------------------------------------------------


@variant()
def flatten_by_reshape_constant():
    chain = Chain()
    chain.op("Reshape", chain.constant([1, -1], np.int64))
    return body(chain.sign_input())


@variant()
def flatten_by_shape_gather_concat():
    chain = Chain()
    shape = chain.side("Shape", "x")
    batch = chain.side("Gather", shape, chain.constant(0, np.int64), axis=0)
    batch = chain.side("Unsqueeze", batch, chain.constant([0], np.int64))
    target = chain.side("Concat", batch, chain.constant([-1], np.int64), axis=0)
    chain.op("Reshape", target)
    return body(chain.sign_input())


@variant(opset=11)
def flatten_by_unsqueeze_attribute():
    chain = Chain()
    shape = chain.side("Shape", "x")
    batch = chain.side("Gather", shape, chain.constant(0, np.int64), axis=0)
    batch = chain.side("Unsqueeze", batch, axes=[0])
    chain.op("Reshape", chain.side("Concat", batch, chain.constant([-1], np.int64), axis=0))
    return body(chain.sign_input())


@variant()
def identity_and_dropout_everywhere():
    chain = Chain().op("Identity").flatten().op("Dropout", outputs=2).sign_input().op("Dropout")
    chain.dense(24, 17).op("Identity").batchnorm(17).bipolar().op("Dropout", outputs=2).dense(17, 5)
    return chain.op("Identity").end()
