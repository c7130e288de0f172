"""Networks with integers of few bits, residual ones above all: exact integers, and every step of lowering."""

from __future__ import annotations

import numpy as np
import pytest
from map_files import RESIDUAL, TrunkChain, bytes_in, signs, trunk_in
from refusals import refusal, saved

from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer, write_integer_onnx
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.verify import check_logits


@pytest.mark.parametrize("name", RESIDUAL)
def test_integers_are_what_qonnx_computes(name, tmp_path, raw_logits, network_of):
    chain = RESIDUAL[name]()
    path = chain.save(tmp_path / "model.onnx")
    extraction, model = network_of(path), import_model(path)
    inputs = random_inputs(model, 12, seed=1)
    values = extraction.codec.quantize(inputs)
    assert check_logits(extraction.network, extraction.codec, values, raw_logits(path, inputs, chain.logits))["frames"]
    decoded = extraction.codec.decode(extraction.network.accumulators(values))
    assert np.array_equal(decoded, reference_logits(logits_graph(model), inputs))
    assert len(np.unique(extraction.network.results(values), axis=0)) > 1

    write_integer_onnx(extraction.network, tmp_path / "integer.onnx")
    assert np.array_equal(run_integer(tmp_path / "integer.onnx", values), extraction.network.results(values))


@pytest.mark.parametrize("name", RESIDUAL)
def test_every_step_of_lowering(name, tmp_path, build):
    lowered = build(RESIDUAL[name]().save(tmp_path / "model.onnx"), target_cycles=100)
    assert lowered.checked_frames == 64
    assert all(row["frames_equal"] == 4 for row in build.report["steps"][:-1])
    assert all(node.op_type.endswith("_rtl") for node in lowered.model.graph.node)


def test_operations_of_a_block(tmp_path, network_of):
    network = network_of(trunk_in().block().head().save(tmp_path / "m.onnx")).network
    assert network.names == (
        "conv0", "quant0", "quant1", "conv1", "quant2", "add0", "quant3", "sum0", "fc0",
    )  # fmt: skip
    assert network.edges == ((-1,), (0,), (1,), (2,), (3,), (1, 4), (5,), (6,), (7,))


# Refused ----------------------------------------------------------------------------------------------------------


def test_branches_of_different_shape(tmp_path, network_of):
    chain = trunk_in()
    shortcut = chain.current
    chain.sign().conv(4, kernel=(1, 1)).scaled().trunk().op("AveragePool", kernel_shape=[6, 6], strides=[1, 1])
    chain.trunk().op("Add", shortcut, name="join").trunk().at((4, 6, 6)).head()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node join" and error.found.startswith("branches of shapes 4x1x1 and 4x6x6")


def test_branches_of_different_scale(tmp_path, network_of):
    chain = trunk_in()
    shortcut = chain.current
    chain.sign().conv(4, kernel=(1, 1)).scaled().trunk(8, 3 * 2.0**-6).op("Add", shortcut, name="join").trunk().head()
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.allowed) == ("node join", "one scale for both, or a power of two times it")
    assert error.found == "branches of scales 0.046875 and 0.03125"


def test_branch_of_signs(tmp_path, network_of):
    chain = signs(shape=(4, 6, 6))
    shortcut = chain.current
    chain.conv(4, kernel=(1, 1)).activation().op("Add", shortcut, name="join").quant(2).classify()
    assert refusal(saved(chain, tmp_path), network_of).found == "a branch of 1-bit values"


def test_product_of_branches(tmp_path, network_of):
    chain = trunk_in()
    shortcut = chain.current
    chain.sign().conv(4, kernel=(1, 1)).scaled().trunk().op("Mul", shortcut, name="gate").trunk().head()
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.found) == ("node gate", "a product of two branches of shapes 4x6x6 and 4x6x6")
    assert error.allowed == "a map times one factor a channel"


def gate_of(chain, factors):
    """Multiply a trunk by factors that a layer computes from the mean of each channel."""
    values, shape = chain.current, chain.map
    chain.op("ReduceMean", axes=[2, 3], keepdims=0).op("MatMul", np.eye(4)[::-1] * 0.5)
    factors(chain).op("Unsqueeze", chain.constant([2, 3], np.int64))
    return chain.op("Mul", values, name="gate").at(shape)


def test_gate_of_other_factors(tmp_path, network_of):
    chain = gate_of(trunk_in(), lambda chain: chain.quant(2, 1.0, narrow=0).op("Add", 3.0)).trunk().head()
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.found) == ("node gate", "a gate whose factors are 2, 3, 4")
    assert error.allowed == "powers of two that nothing else reads, of a ratio of at most 128"


def test_gate_of_values_off_zero(tmp_path, network_of):
    chain = trunk_in().op("Add", 1 / 80)
    two = {"scale": 1.0, "bias": 1.0, "out_dtype": "UINT2"}
    chain = gate_of(chain, lambda chain: chain.multithreshold(np.zeros((1, 1)), **two))
    error = refusal(saved(chain.trunk().head(), tmp_path), network_of)
    assert (error.where, error.allowed) == ("node gate", "an offset of whole steps")
    assert error.found.startswith("a gate of values 0.0312")


def test_difference_of_branches(tmp_path, network_of):
    chain = trunk_in()
    shortcut = chain.current
    chain.sign().conv(4, kernel=(1, 1)).scaled().trunk().op("Sub", shortcut, name="join").trunk().head()
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.found) == ("node join", "Sub of 2 branches")


def test_sum_over_channels_that_leaves_no_map(tmp_path, network_of):
    chain = trunk_in()
    chain.op("ReduceSum", chain.constant([1], np.int64), name="sum", keepdims=0).flatten()
    error = refusal(saved(chain.dense(36, 4).end(), tmp_path), network_of)
    assert (error.where, error.fix) == ("node sum", "sum with keepdim=True")


def test_few_bit_weights_of_signs(tmp_path, network_of):
    chain = TrunkChain(shape=(4, 6, 6)).bipolar().few_bit_conv(3, [-1, 0, 1], (3, 3)).activation().classify()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found.startswith("2-bit weights") and error.allowed == "1-bit weights: -s and +s for each neuron"


def test_weights_of_many_bits(tmp_path, network_of):
    chain = trunk_in().few_bit_conv(3, [-200, 3, 100], (2, 2)).scaled().trunk().classify()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.allowed.endswith("or multiples of one number with at most 8 bits")


def test_function_of_one_integer_in_two_branches(tmp_path, network_of):
    """Branches of the same integer without a product between them are one function, whatever joins them."""
    chain = trunk_in()
    trunk = chain.current
    chain.op("Relu").op("Mul", trunk).op("Sub", trunk).trunk(6).head()
    extraction = network_of(saved(chain, tmp_path))
    assert extraction.network.names == ("conv0", "quant0", "quant1", "sum0", "fc0")


def test_codes_of_a_gate(tmp_path, network_of):
    path = trunk_in().block(gate=True).head().save(tmp_path / "m.onnx")
    network, model = network_of(path).network, import_model(path)
    codes = network.activations(network_of(path).codec.quantize(random_inputs(model, 40, 0)))
    gate = network.operations[network.names.index("gate0")]
    assert (gate.scale, gate.offset, gate.largest) == (2, -36, 3)
    assert len(np.unique(codes[network.names.index("repeat0")])) > 1


def test_padding_in_front_of_a_sum(tmp_path, network_of):
    chain = trunk_in()
    shortcut = chain.current
    chain.sign().conv(4, kernel=(3, 3)).scaled().trunk().pad(1, 1, 1, 1, value=0.0)
    chain.op("Add", shortcut, name="join").trunk().head()
    assert refusal(saved(chain, tmp_path), network_of).found == "a Pad that is not right in front of a convolution"


def test_tile_of_rows(tmp_path, network_of):
    chain = trunk_in().op("Tile", "repeats", name="tiles")
    chain.constant([1, 1, 2, 1], np.int64, name="repeats")
    error = refusal(saved(chain.at((4, 12, 6)).head(), tmp_path), network_of)
    assert error.where == "node tiles" and error.allowed == "channels of maps, repeated as a whole"


def test_average_of_padding(tmp_path, network_of):
    chain = trunk_in().op("AveragePool", name="average", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1])
    error = refusal(saved(chain.at((4, 4, 4)).trunk().head(), tmp_path), network_of)
    assert (error.where, error.found) == ("node average", "padding [1, 1, 1, 1]")


def test_mean_over_channels(tmp_path, network_of):
    chain = trunk_in().op("ReduceMean", name="mean", axes=[1], keepdims=1)
    error = refusal(saved(chain.at((1, 6, 6)).trunk().classify(), tmp_path), network_of)
    assert (error.where, error.allowed) == ("node mean", "rows and columns, axes 2 and 3")


def test_second_quantizer_of_the_input(tmp_path, network_of):
    chain = TrunkChain(shape=(2, 6, 6))
    chain.quant(8, scale=1 / 128, narrow=0, name="first").conv(4, kernel=(1, 1)).scaled().trunk()
    left, chain.current = chain.current, "x"
    chain.at((2, 6, 6)).quant(4, scale=1 / 8, narrow=0, name="second").conv(4, kernel=(1, 1)).scaled().trunk()
    error = refusal(saved(chain.op("Add", left).trunk().head(), tmp_path), network_of)
    assert (error.where, error.found) == ("node second", "a second quantizer of the input")


def test_values_off_the_grid(tmp_path, network_of):
    chain = bytes_in().conv(4).batchnorm(4).op("Tanh").classify()
    assert "not quantized" in refusal(saved(chain, tmp_path), network_of).found


def test_node_that_leads_nowhere(tmp_path, network_of):
    chain = trunk_in().block().head()
    logits = chain.current
    chain.op("Relu", name="dead")
    chain.current = logits
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.found) == ("node dead", "its result is read by nobody")
