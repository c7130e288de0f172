"""The correctness traps of running FINN on 1-bit networks: each shown in stock FINN or qonnx, and ours beside it."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from finn_graphs import execute, lowered_by, mvau, random_network, raw_codec, wrapped
from onnx import helper
from qonnx_files import QONNX, Chain, body, perceptron

from xnorflow.artifact.errors import InputModelError, LowerError
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_integers import extract_integers
from xnorflow.lower.folding import fold_for_cycles
from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.steps import STEPS
from xnorflow.lower.to_finn import to_finn_graph
from xnorflow.lower.verify import check_logits, verify_step

# 1 --------------------------------------------------------------------------------------------------------------


def test_1_zero_padding_becomes_minus_one_in_stock_qonnx_and_is_refused_here(tmp_path):
    from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount

    rng = np.random.default_rng(0)
    bipolar = {"domain": QONNX, "out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0, "data_layout": "NHWC"}
    nodes = [
        helper.make_node("MultiThreshold", ["x", "t0"], ["signs"], name="in", **bipolar),
        helper.make_node(
            "Im2Col", ["signs"], ["windows"], domain=QONNX, kernel_size=[3, 3], stride=[1, 1], pad_amount=[1, 1, 1, 1],
            input_shape="(1,4,4,2)",
        ),
        helper.make_node("MatMul", ["windows", "w"], ["sum"]),
        helper.make_node("MultiThreshold", ["sum", "t"], ["y"], name="out", **bipolar),
    ]  # fmt: skip
    constants = {"w": rng.choice([-1, 1], (18, 3)), "t": np.zeros((3, 1)), "t0": np.zeros((2, 1))}
    image = rng.normal(size=(1, 4, 4, 2))
    shapes = {"x": [1, 4, 4, 2]}, {"y": [1, 4, 4, 3]}
    with_zeros = wrapped(nodes, *shapes, constants, {"signs": "INT2", "windows": "INT2", "w": "BIPOLAR"})
    before = execute(with_zeros, x=image)
    model = wrapped(nodes, *shapes, constants, {"signs": "BIPOLAR", "windows": "BIPOLAR", "w": "BIPOLAR"})
    converted = model.transform(ConvertBipolarMatMulToXnorPopcount())
    assert "XnorPopcountMatMul" in [node.op_type for node in converted.graph.node]
    after = execute(converted, x=image)
    assert not np.array_equal(before, after)  # silently
    assert np.array_equal(before[:, 1:3, 1:3], after[:, 1:3, 1:3])  # only the border differs

    chain = Chain().bipolar().op("Conv", np.ones((3, 1, 3, 3)), name="conv", kernel_shape=[3, 3], pads=[1] * 4)
    path = chain.flatten().bipolar().dense(72, 5).save(tmp_path / "model.onnx")
    with pytest.raises(InputModelError, match=r"node conv: zero padding, which has no 1-bit value; .* pad with -1"):
        extract_integers(import_model(path), OutputKind.AUTO)


# 2 --------------------------------------------------------------------------------------------------------------


def test_2_stock_finn_clips_a_threshold_that_never_fires():
    from finn.transformation.fpgadataflow.minimize_accumulator_width import MinimizeAccumulatorWidth
    from finn.transformation.streamline.round_thresholds import RoundAndClipThresholds

    weights = np.random.default_rng(0).integers(0, 2, (144, 4))
    perfect = weights[:, :1].T
    for op_type, survives in (("MVAU", False), ("XnorMVAU", True)):
        model = mvau(op_type, weights, "BINARY", "BINARY", np.full((4, 1), 145.0), xnor=1)
        assert execute(model, x=perfect).tolist() == [[0, 0, 0, 0]]
        model = model.transform(MinimizeAccumulatorWidth()).transform(RoundAndClipThresholds())
        assert (execute(model, x=perfect)[0, 0] == 0) == survives
        assert (model.get_initializer("t").max() == 145) == survives


def test_2_stock_finn_gives_a_popcount_a_type_too_small():
    from finn.transformation.fpgadataflow.minimize_accumulator_width import MinimizeAccumulatorWidth
    from qonnx.custom_op.registry import getCustomOp

    weights = np.random.default_rng(0).integers(0, 2, (144, 4))
    for op_type, fits in (("MVAU", False), ("XnorMVAU", True)):
        model = mvau(op_type, weights, "BINARY", "BINARY", xnor=1).transform(MinimizeAccumulatorWidth())
        assert getCustomOp(model.graph.node[0]).get_accumulator_datatype().allowed(144) == fits


@pytest.mark.parametrize("width", [127, 144, 255])
def test_2_never_and_always_survive_every_step(width, tmp_path):
    rng = np.random.default_rng(width)
    thresholds = np.asarray([-width, width + 2, width, 2 - width, width + 2, -width, width % 2])
    first = IntegerLayer("a", rng.choice([-1, 1], (width, 7)), thresholds, "BIPOLAR")
    network = IntegerNetwork((first, IntegerLayer("b", rng.choice([-1, 1], (7, 3)), None, "BIPOLAR")), False)
    frames = np.stack([first.weights[:, 1], -first.weights[:, 0], first.weights[:, 2]])  # the extreme sums
    assert network.activations(frames)[0][[0, 0, 1, 2], [0, 1, 0, 2]].tolist() == [1, -1, 1, 1]
    lowered_by(network, tmp_path, frames=frames)


def test_2_without_our_units_verification_stops_the_build(tmp_path):
    rng = np.random.default_rng(0)
    layers = (
        IntegerLayer("a", rng.choice([-1, 1], (144, 4)), np.full(4, 146), "BIPOLAR"),
        IntegerLayer("b", rng.choice([-1, 1], (4, 3)), None, "BIPOLAR"),
    )
    stock = [step for step in STEPS[:5] if step.name != "step_use_own_operators"]
    with pytest.raises(LowerError, match=r"step_minimize_bit_width: tensor .* thresholds\[0\] is 1\d\d; allowed: 145"):
        lowered_by(IntegerNetwork(layers, False), tmp_path, stock)


# 3 --------------------------------------------------------------------------------------------------------------


def test_3_bipolar_weights_become_int2_in_stock_finn():
    from finn.transformation.fpgadataflow.minimize_weight_bit_width import MinimizeWeightBitWidth
    from qonnx.custom_op.registry import getCustomOp

    weights = np.random.default_rng(0).choice([-1, 1], (64, 4))
    for op_type, datatype in (("MVAU", "INT2"), ("BinaryWeightMVAU", "BIPOLAR")):
        model = mvau(op_type, weights, "INT8", "BIPOLAR").transform(MinimizeWeightBitWidth())
        assert getCustomOp(model.graph.node[0]).get_nodeattr("weightDataType") == datatype


def test_3_weights_stay_1_bit_through_every_step(tmp_path):
    from qonnx.custom_op.registry import getCustomOp

    network = random_network(datatype="INT8")
    frames = np.random.default_rng(1).integers(-128, 128, (3, 24))
    graph = lowered_by(network, tmp_path, frames=frames)
    units = [getCustomOp(node) for node in graph.graph.node if "MVAU" in node.op_type]
    assert [unit.get_nodeattr("weightDataType") for unit in units] == ["BIPOLAR", "BINARY"]


# 4 --------------------------------------------------------------------------------------------------------------


def test_4_stock_finn_ignores_a_branch_and_branches_of_signs_are_refused_here(tmp_path):
    from finn.transformation.streamline.reorder import MoveLinearPastEltwiseAdd

    nodes = [
        helper.make_node("Mul", ["x", "s"], ["scaled"], name="m0"),
        helper.make_node("Mul", ["z", "s2"], ["other"], name="m1"),
        helper.make_node("Add", ["scaled", "other"], ["sum"], name="join"),
        helper.make_node("Relu", ["scaled"], ["branch"], name="fork"),
        helper.make_node("Add", ["sum", "branch"], ["y"], name="end"),
    ]
    model = wrapped(nodes, {"x": [1, 4], "z": [1, 4]}, {"y": [1, 4]}, {"s": 2.0, "s2": 2.0}, {})
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 1, 4))
    before = execute(model, x=x, z=z)
    moved = model.transform(MoveLinearPastEltwiseAdd())
    assert [node.op_type for node in moved.graph.node].index("Mul") > 0  # moved behind its other reader
    assert np.abs(execute(moved, x=x, z=z) - before).max() > 0.1  # and nothing says so

    chain = Chain().flatten().sign_input().hidden(24, 24)
    path = chain.op("Add", chain.nodes[3].output[0]).bipolar().dense(24, 5).save(tmp_path / "model.onnx")
    with pytest.raises(InputModelError, match=r"a branch of 1-bit values; .* add before the sign"):
        extract_integers(import_model(path), OutputKind.AUTO)


# 5 --------------------------------------------------------------------------------------------------------------


def test_5_the_input_quantizer_stays_a_float_layer_in_stock_finn_and_goes_to_the_host_here(tmp_path):
    from finn.transformation.qonnx.convert_qonnx_to_finn import ConvertQONNXtoFINN

    path = body(Chain().flatten().quant(8, 2.0**-7, narrow=0)).save(tmp_path / "model.onnx")
    model = import_model(path)
    stock = model.transform(ConvertQONNXtoFINN())
    first = next(node for node in stock.graph.node if node.op_type in ("MultiThreshold", "MatMul"))
    assert first.op_type == "MultiThreshold" and stock.get_initializer(first.input[1]).shape == (1, 255)

    extraction = extract_integers(model, OutputKind.AUTO)
    graph = to_finn_graph(extraction.network)
    assert graph.graph.node[0].op_type == "MatMul"
    assert graph.get_tensor_datatype(graph.graph.input[0].name).name == "INT8"
    assert len(extraction.codec.thresholds) == 255


# 6 --------------------------------------------------------------------------------------------------------------


def test_6_set_folding_does_not_see_own_operators_and_ours_reaches_the_target(tmp_path):
    from finn.transformation.fpgadataflow.set_folding import SetFolding
    from qonnx.custom_op.registry import getCustomOp

    network = random_network((256, 64, 64, 8))
    unfolded = [step for step in STEPS if step.name != "step_apply_folding"]
    graph = lowered_by(network, tmp_path, unfolded)
    with contextlib.redirect_stdout(io.StringIO()):
        stock = graph.transform(SetFolding(64))
    units = [getCustomOp(node) for node in stock.graph.node if "MVAU" in node.op_type]
    assert [(unit.get_nodeattr("PE"), unit.get_nodeattr("SIMD")) for unit in units] == [(1, 1)] * 3
    graph = lowered_by(network, tmp_path, STEPS[:6])
    fold_for_cycles(graph, 64)
    for node in graph.graph.node:
        operator = getCustomOp(node)
        beats = operator.get_nodeattr("MW") // operator.get_nodeattr("SIMD")
        assert beats * (operator.get_nodeattr("MH") // operator.get_nodeattr("PE")) <= 64


# 7 --------------------------------------------------------------------------------------------------------------


def test_7_a_wrong_threshold_that_argmax_does_not_see_is_found(tmp_path):
    network = random_network((24, 17, 5), seed=3)
    frames = np.random.default_rng(0).choice([-1, 1], (40, 24))
    graph = lowered_by(network, tmp_path, STEPS[:4], frames[:2])
    tensor = next(node for node in graph.graph.node if node.op_type == "XnorMVAU").input[2]
    good, sums = graph.get_initializer(tensor), network.accumulators(frames)
    unseen = None
    for neuron in range(17):
        layers = (network.products[0], network.products[1])
        thresholds = layers[0].thresholds.copy()
        thresholds[neuron] += 2
        wrong = IntegerNetwork((IntegerLayer("a", layers[0].weights, thresholds, "BIPOLAR"), layers[1]), False)
        changed = (wrong.accumulators(frames) != sums).any(axis=1)
        same_label = wrong.accumulators(frames).argmax(axis=1) == sums.argmax(axis=1)
        if (changed & same_label).any():
            unseen = neuron, frames[changed & same_label][:1]
            break
    assert unseen is not None
    neuron, frame = unseen
    planted = good.copy()
    planted[neuron] += 1
    graph.set_initializer(tensor, planted)
    name = graph.graph.node[0].output[0]
    with pytest.raises(LowerError) as caught:
        verify_step("step_planted", graph, network, raw_codec(network), frame, raw=False)
    assert caught.value.where == "step step_planted"
    assert caught.value.found.startswith(f"tensor {name}[{neuron}] is -1 in frame 0")
    # Without any frame that shows it, the parameters still tell.
    with pytest.raises(LowerError, match=rf"thresholds\[{neuron}\] is"):
        verify_step("step_planted", graph, network, raw_codec(network), frame[:0], raw=False)


def test_7_golden_logits_that_differ_although_their_argmax_does_not(tmp_path, network_of):
    extraction = network_of(perceptron().save(tmp_path / "model.onnx"))
    values = np.random.default_rng(0).choice([-1, 1], (20, 24))
    logits = extraction.codec.decode(extraction.network.accumulators(values))
    assert check_logits(extraction.network, extraction.codec, values, logits)["mismatches"] == 0
    wrong = logits.copy()
    smallest = int(wrong[7].argmin())
    wrong[7, smallest] -= 2
    if wrong[7, smallest] < extraction.codec.logits.min():
        wrong[7, smallest] += 4
    assert wrong[7].argmax() == logits[7].argmax()
    with pytest.raises(LowerError, match=rf"logit {smallest} of frame 7 is -?\d+; allowed: -?\d+, as QONNX has it"):
        check_logits(extraction.network, extraction.codec, values, wrong)
    with pytest.raises(LowerError, match=r"steps away from any this network can give"):
        check_logits(extraction.network, extraction.codec, values, logits + np.float32(0.9))
