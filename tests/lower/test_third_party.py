"""Files as other people write them: the integers are what QONNX computes, through every step of FINN."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import variants

from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer, write_integer_onnx
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits

ROUNDING = {
    "activation_0_and_1",
    "activation_relu_then_1_bit",
    "weights_scaled_a_channel",
    "weights_scaled_a_channel_and_8_bit_input",
}
"""Their float32 sums round, so that QONNX's own logits depend on the order of summation."""

THROUGH_FINN = [
    "activation_0_and_1",
    "activation_multithreshold_binary_then_mul_add",
    "all_neurons_of_a_layer_dead",
    "batchnorm_default_statistics",
    "end_argmax_of_negated_logits",
    "end_batchnorm_a_class",
    "end_topk_values_and_indices",
    "input_2_bit_narrow",
    "input_4_bit_unsigned",
    "input_annotated_uint8_plain",
    "input_sign_of_2x_minus_1",
    "neurons_that_never_and_always_fire",
    "one_hidden_neuron",
    "one_layer_8_bit",
    "one_layer_of_bits",
    "one_output",
    "prime_widths",
    "weights_scaled_a_channel_and_8_bit_input",
]
"""Networks that differ as integers; the other spellings come to the same graph."""


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_integers_are_what_qonnx_computes(name, tmp_path, raw_logits, network_of):
    path = tmp_path / "model.onnx"
    variants.save(name, path)
    extraction, inputs = network_of(path), variants.inputs_for(name)
    values = extraction.codec.quantize(inputs)
    accumulators = extraction.network.accumulators(values)
    write_integer_onnx(extraction.network, tmp_path / "integer.onnx")
    assert np.array_equal(run_integer(tmp_path / "integer.onnx", values), extraction.network.results(values))

    boundary = random_inputs(import_model(path), 16, seed=2)
    graph = logits_graph(import_model(path))
    decoded = extraction.codec.decode(extraction.network.accumulators(extraction.codec.quantize(boundary)))
    assert np.array_equal(decoded, reference_logits(graph, boundary))
    if name in ROUNDING:
        assert not all(product.exact for product in extraction.products)
        assert np.array_equal(extraction.codec.decode(accumulators), reference_logits(graph, inputs))
        return
    expected = raw_logits(path, inputs, variants.VARIANTS[name]().logits)
    assert np.array_equal(extraction.codec.decode(accumulators), expected)
    found, distance = extraction.codec.encode(expected)
    assert np.array_equal(found, accumulators) and distance == 0


@pytest.mark.parametrize("name", THROUGH_FINN)
def test_every_step_of_finn_is_verified(name, tmp_path, build):
    path = tmp_path / "model.onnx"
    variants.save(name, path)
    lowered = build(path)
    assert build.report["float_identical"] and build.report["mismatches"] == 0
    assert [row["frames_equal"] for row in build.report["steps"]] == [4] * 11 + [0]
    kinds = {node.op_type for node in lowered.model.graph.node}
    assert all(kind.endswith("_rtl") for kind in kinds)


@pytest.mark.parametrize("name", sorted(name for name in variants.VARIANTS if name.startswith("end_")))
def test_labels_follow_the_end_of_the_file(name, tmp_path, network_of):
    path = tmp_path / "model.onnx"
    variants.save(name, path)
    on_chip = {
        "end_softmax_argmax", "end_topk_indices", "end_topk_values_and_indices", "end_topk_behind_scalar_mul_add",
        "end_argmax", "end_argmax_cast_to_int32", "end_argmax_of_negated_logits",
    }  # fmt: skip
    extraction = network_of(path)
    assert extraction.network.labels == (name in on_chip)
    assert extraction.host_argmax == (name == "end_topk_behind_batchnorm_a_class")
    assert not network_of(path, "logits").network.labels


def test_labels_of_a_falling_scale_take_the_smallest_sum(tmp_path, network_of, raw_logits):
    path = tmp_path / "model.onnx"
    variants.save("end_argmax_of_negated_logits", path)
    extraction = network_of(path)
    inputs = variants.inputs_for("end_argmax_of_negated_logits")
    logits = raw_logits(path, inputs, variants.VARIANTS["end_argmax_of_negated_logits"]().logits)
    labels = extraction.network.results(extraction.codec.quantize(inputs))
    assert np.array_equal(labels[:, 0], logits.argmax(axis=1))
    assert len(np.unique(labels)) > 2


def test_scales_that_round_turn_ties_in_float_but_not_here(tmp_path, raw_logits, network_of):
    """STATS-scaled weights with a threshold at 0: half the sums are ties, and float32 summation breaks some of them."""
    path = tmp_path / "model.onnx"
    variants.save("weights_scaled_a_channel", path)
    inputs = variants.inputs_for("weights_scaled_a_channel", 64)
    extraction = network_of(path)
    accumulators = extraction.network.accumulators(extraction.codec.quantize(inputs))
    raw, distance = extraction.codec.encode(
        raw_logits(path, inputs, variants.VARIANTS["weights_scaled_a_channel"]().logits)
    )
    assert distance < 0.01
    assert (raw != accumulators).any()  # what plain QONNX execution makes of its ties
    # By hand: sign(0) = +1, on integers.
    first, second, third = (
        onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer if tensor.dims[1:] > [1]
    )
    signs = np.where(2 * inputs.reshape(64, -1) - 1 >= 0, 1, -1)
    hidden = np.where(signs @ np.sign(first) >= 0, 1, -1)
    assert extraction.network.first.thresholds.tolist() == [0] * 17
    assert np.array_equal(extraction.network.activations(signs)[0], hidden)
    assert second.shape == (17, 13) and third.shape == (13, 5)


def test_sign_of_zero_is_plus_one(tmp_path, network_of):
    chain = variants.Chain().flatten().op("Sub", 0.5).op("Sign").dense(24, 16).op("Sign").dense(16, 5)
    extraction = network_of(chain.save(tmp_path / "model.onnx"))
    assert extraction.codec.quantize(np.full((1, 1, 4, 6), 0.5, np.float32)).tolist() == [[1] * 24]
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert extraction.codec.quantize(np.full((1, 1, 4, 6), below)).tolist() == [[-1] * 24]
    assert extraction.network.first.thresholds.tolist() == [0] * 16


def test_nodes_keep_their_names(tmp_path, network_of):
    path = variants.perceptron().save(tmp_path / "model.onnx")
    names = [layer.name for layer in network_of(path).network.products]
    assert names == ["dense_24x17", "dense_17x13", "dense_13x5"]


def test_random_inputs_reach_every_level_and_both_sides_of_every_threshold(tmp_path, network_of):
    path = tmp_path / "model.onnx"
    variants.save("input_0_to_255_div_255_quant", path)
    inputs = random_inputs(import_model(path), 500, seed=1)
    codec = network_of(path).codec
    assert set(np.unique(codec.quantize(inputs))) == set(codec.levels)
    assert np.isin(codec.thresholds, inputs).all()
    assert np.isin(np.nextafter(codec.thresholds, np.float32(-np.inf)), inputs).all()


def test_the_report_says_what_is_left_to_the_host(tmp_path, build):
    path = tmp_path / "model.onnx"
    variants.save("end_softmax_argmax", path)
    build(path)
    assert build.report["host_tail"] == ["Softmax"] and build.report["output"] == "labels"
    variants.save("weights_scaled_a_channel", path)
    build(path)
    assert build.report["host_tail"] == []
    assert [layer["sums_round_in_float32"] for layer in build.report["layers"]] == [True, True, True]
