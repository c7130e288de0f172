"""Networks that cannot be built are refused in one line: node, what was found, what is allowed, what to do."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx_files import QONNX, Chain, body, perceptron
from refusals import refusal, saved

# Operators ------------------------------------------------------------------------------------------------------


def test_unsupported_operator(tmp_path, network_of):
    chain = body(Chain().flatten().op("Erf", name="strange").sign_input())
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node strange" and error.found == "unsupported operator Erf" and "MatMul" in error.allowed


def test_operator_that_nobody_knows(tmp_path, network_of):
    chain = body(Chain().flatten().op("Gadget", name="strange", domain=QONNX).sign_input())
    assert refusal(saved(chain, tmp_path), network_of).found == "unsupported operator Gadget"


def test_batchnorm_in_training_mode(tmp_path, network_of):
    chain = (
        Chain().flatten().sign_input().dense(24, 17).batchnorm(17, training_mode=1, outputs=3).bipolar().dense(17, 5)
    )
    error = refusal(saved(chain, tmp_path, opset=14), network_of)
    assert error.where == "node BatchNormalization_5" and "training mode" in error.found and "eval()" in error.fix


def test_cast_to_integers(tmp_path, network_of):
    chain = Chain().flatten().op("Cast", to=TensorProto.INT32, name="cut").op("Cast", to=TensorProto.FLOAT).sign_input()
    error = refusal(saved(body(chain), tmp_path), network_of)
    assert error.where == "node cut" and error.found == "a Cast to integers"


def test_shapes_that_do_not_fit(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(23, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node dense_23x5" and "cannot be worked out" in error.found


def test_operand_of_the_wrong_size(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5).multithreshold(np.zeros((4, 1)), name="act").dense(5, 3)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node act" and "MultiThreshold on 5 channels cannot be executed" in error.found


# Structure ------------------------------------------------------------------------------------------------------


def test_no_layers(tmp_path, network_of):
    assert refusal(saved(Chain().flatten().sign_input(), tmp_path), network_of).found == "no layer with weights"


def test_residual_connection(tmp_path, network_of):
    chain = Chain().flatten().sign_input().hidden(24, 24)
    chain.op("Add", chain.nodes[3].output[0]).bipolar().dense(24, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "a branch of 1-bit values" and "before the sign" in error.fix


def test_layer_of_two_data_operands(tmp_path, network_of):
    chain = Chain(shape=(1, 4)).bipolar()
    chain.op("MatMul", chain.side("Transpose", "x", perm=[1, 0]), name="attention")
    assert refusal(saved(chain, tmp_path), network_of).found == "weights on the left of the data"


def test_random_numbers_are_not_frozen(tmp_path, network_of):
    model = Chain().flatten().sign_input().dense(24, 5).model()
    model.graph.node.insert(0, helper.make_node("RandomNormal", [], ["noise"], name="noise", shape=[1, 5]))
    model.graph.node.append(helper.make_node("Add", [model.graph.output[0].name, "noise"], ["sum"], name="join"))
    model.graph.output[0].name = "sum"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    error = refusal(tmp_path / "model.onnx", network_of)
    assert error.where == "node noise" and error.found == "unsupported operator RandomNormal"


def test_operand_that_is_no_constant(tmp_path, network_of):
    """qonnx folds the first output of a Split only."""
    chain = Chain().flatten().sign_input().dense(24, 5)
    halves = helper.make_node("Split", [chain.constant(np.arange(10.0))], ["first", "second"], name="halves")
    chain.nodes.insert(0, halves)
    error = refusal(saved(chain.op("Add", "second", name="join"), tmp_path), network_of)
    assert error.where == "node join" and error.found == "its operand second is no constant and no data"


def test_weights_on_the_left(tmp_path, network_of):
    chain = Chain(shape=(1, 24)).bipolar().op("Reshape", chain_constant := np.asarray([24, 1]), dtype=np.int64)
    assert chain_constant.shape == (2,)
    chain.op("MatMul", chain.signs(5, 24), first=True, name="left")
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node left" and error.found == "weights on the left of the data"


def test_gemm_of_transposed_data(tmp_path, network_of):
    chain = Chain(shape=(1, 24)).bipolar().op("Reshape", np.asarray([24, 1]), dtype=np.int64)
    chain.op("Gemm", chain.signs(24, 5), transA=1, name="left")
    assert refusal(saved(chain, tmp_path), network_of).found == "weights on the left of the data"


def test_layer_on_the_rows_of_an_image(tmp_path, network_of):
    chain = Chain().sign_input().dense(6, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "4 rows of 6 values in each frame" and "flatten each frame" in error.fix


def test_transpose_between_layers(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 6).bipolar()
    chain.op("Reshape", np.asarray([1, 2, 3]), dtype=np.int64).op("Transpose", perm=[0, 2, 1])
    chain.flatten().dense(6, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node dense_24x6" and "changes the order" in error.found


def test_output_in_the_middle(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5)
    chain.outputs = [chain.current]
    chain.op("Relu")
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where.startswith("node Relu") and error.found == "its result is read by nobody"


def test_weights_of_three_dimensions(tmp_path, network_of):
    chain = Chain(shape=(1, 24)).bipolar().op("MatMul", np.ones((2, 24, 5)), name="stack")
    assert refusal(saved(chain, tmp_path), network_of).found == "weights that are not a constant matrix"


@pytest.mark.parametrize("names", [("first",), ("first", "second"), ("first", "second", "third")])
def test_cycle(names, tmp_path, network_of):
    chain = Chain().flatten().sign_input().hidden(24, 17).op("Add", "loop", name=names[0])
    for name in names[1:]:
        chain.op("Mul", 1.0, name=name)
    chain.nodes[-1].output[0] = chain.current = "loop"
    error = refusal(saved(chain.dense(17, 5).end(), tmp_path), network_of)
    assert error.where.endswith("node first") and error.allowed == "a graph without cycles" and "unroll" in error.fix
    assert error.found == f"its result comes back to it ({' -> '.join([*names, 'first'])})"


def test_cycle_that_the_output_does_not_need(tmp_path, network_of):
    chain = body(Chain().flatten().sign_input())
    chain.nodes.insert(0, helper.make_node("Mul", ["u", "v"], ["w"], name="ahead"))
    chain.nodes.append(helper.make_node("Identity", ["w"], ["u"], name="behind"))
    chain.nodes.append(helper.make_node("Identity", ["u"], ["v"], name="aside"))
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "its result comes back to it (ahead -> behind -> ahead)"


def test_nodes_in_any_order(tmp_path, network_of):
    """ONNX asks for an order in which nothing is needed before it is made; a file without one still has no cycle."""
    chain = body(Chain().flatten().sign_input())
    chain.nodes.reverse()
    assert len(network_of(saved(chain, tmp_path)).products) == 3


# Widths ---------------------------------------------------------------------------------------------------------


def test_4_bit_weights(tmp_path, network_of):
    chain = Chain().flatten().sign_input()
    weights = chain.side(
        "Quant", chain.rng.normal(size=(24, 17)), 0.125, 0.0, 4.0, domain=QONNX, signed=1, narrow=1,
        rounding_mode="ROUND",
    )  # fmt: skip
    error = refusal(saved(chain.op("MatMul", weights, name="fc").bipolar().dense(17, 5), tmp_path), network_of)
    assert error.where == "node fc" and re.match(r"4-bit weights \(1[0-5] different values", error.found)
    assert "1-bit weights" in error.allowed and "weight_bit_width=1" in error.fix


@pytest.mark.parametrize(
    ("values", "found"),
    [([-1, 0, 1], "2-bit weights (3 "), ([0, 1], "weights of two values"), (None, "weights that are")],
)
def test_other_weights(values, found, tmp_path, network_of):
    chain = Chain(shape=(1, 999)).bipolar()
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(999, 5)) if values is None else rng.choice(values, (999, 5))
    assert refusal(saved(chain.op("MatMul", weights), tmp_path), network_of).found.startswith(found)


def test_weights_of_zero(tmp_path, network_of):
    assert "no -s and +s" in refusal(saved(Chain().flatten().bipolar().op("MatMul", np.zeros((24, 5))), tmp_path),
                                     network_of).found  # fmt: skip


def test_activations_of_more_bits_on_a_layer_too_wide_to_try_all_sums(tmp_path, network_of):
    chain = Chain(shape=(1, 999)).quant(8, 2.0**-7).dense(999, 170).quant(2, 16.0, name="act").dense(170, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.where, error.found) == ("node act", "a function of 255745 integers in 170 channels")


def test_float_activations(tmp_path, network_of):
    chain = Chain(shape=(1, 399)).bipolar().dense(399, 17).batchnorm(17).dense(17, 5)
    assert "not quantized behind dense_399x17" in refusal(saved(chain, tmp_path), network_of).found


@pytest.mark.parametrize("width", [24, 99])
def test_activation_that_switches_twice(width, tmp_path, network_of):
    """``Mul(x, x)`` reads one tensor twice: a parabola, exhaustively and by bisection."""
    chain = Chain(shape=(1, width)).quant(8, 2.0**-7).dense(width, 3).op("Sub", 0.05 * width, name="shift")
    chain.op("Mul", chain.current, name="square").op("Sub", 0.3 * width).bipolar().dense(3, 2)
    assert "switches more than once" in refusal(saved(chain, tmp_path), network_of).found


def test_input_without_a_quantizer(tmp_path, network_of):
    chain = body(Chain().flatten().op("Mul", 2.0).op("Sub", 1.0, name="last"))
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node last" and "more than 256 levels" in error.found and "quantizer" in error.allowed


def test_input_quantizer_of_9_bits(tmp_path, network_of):
    assert "more than 256" in refusal(saved(body(Chain().flatten().quant(9, 2.0**-8)), tmp_path), network_of).found


def test_input_levels_off_a_grid(tmp_path, network_of):
    chain = Chain().flatten().quant(4, 0.125).op("Sigmoid", name="bent")
    error = refusal(saved(body(chain), tmp_path), network_of)
    assert error.where == "node bent" and "not evenly spaced" in error.found


def test_input_quantizer_of_one_value(tmp_path, network_of):
    chain = Chain().flatten().op("Clip", 2.0, 2.0, name="stuck")
    assert "whose only value is 2" in refusal(saved(body(chain), tmp_path), network_of).found


def test_input_constants_a_pixel(tmp_path, network_of):
    chain = Chain().flatten().op("Sub", np.arange(24.0), name="mean").bipolar()
    error = refusal(saved(body(chain), tmp_path), network_of)
    assert error.where == "node mean" and "24 different constants" in error.found


def test_input_constants_an_image_channel(tmp_path, network_of):
    chain = Chain(shape=(1, 3, 2, 4)).op("Sub", np.asarray([0.4, 0.5, 0.6]).reshape(1, 3, 1, 1), name="mean")
    error = refusal(saved(body(chain.flatten().bipolar()), tmp_path), network_of)
    assert error.where == "node mean" and "3 different constants" in error.found


# Ends -----------------------------------------------------------------------------------------------------------


def test_labels_where_classes_have_their_own_scales(tmp_path, network_of):
    path = saved(perceptron().batchnorm(5, name="norm"), tmp_path)
    error = refusal(path, network_of, output="labels")
    assert error.where == "node norm" and "differ between classes" in error.found and '"logits"' in error.fix


def test_logits_that_do_not_follow_the_sums(tmp_path, network_of):
    path = saved(perceptron().batchnorm(5, gamma=[1.0, 0.0, 1.0, 1.0, 1.0], name="norm"), tmp_path)
    error = refusal(path, network_of)
    assert error.where == "node norm" and error.found == "the same logit for different sums in class 1"
