from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from xnorflow.export import qonnx_run
from xnorflow.export.qonnx_run import run_qonnx


def alone(path, frames):
    """Each frame on its own, through qonnx directly."""
    model = ModelWrapper(str(path)).transform(InferShapes())
    name, shape = model.graph.input[0].name, model.get_tensor_shape(model.graph.input[0].name)
    outputs = [execute_onnx(model, {name: frame.reshape(shape)})[model.graph.output[0].name] for frame in frames]
    return np.concatenate(outputs)


def graph(tmp_path, nodes, constants, out_shape=(1, 4)):
    """An ONNX file of plain nodes from ``x`` (1, 12) to ``y``."""
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 12])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(out_shape))],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )
    model.ir_version = 8
    path = tmp_path / "plain.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(-4, 5, (7, 12)).astype(np.float32)


@pytest.mark.parametrize("batch", [1, 4, 7, 500])
@pytest.mark.parametrize("input_bits", [1, 8])
def test_batches_give_what_single_frames_give(perceptron, tmp_path, input_bits, batch):
    path = perceptron(tmp_path / "net.onnx", [20, 12, 5], input_bits=input_bits)
    inputs = np.random.default_rng(1).random((7, 20), np.float32)
    told = []
    found = run_qonnx(path, inputs, batch=batch, advance=lambda count, note: told.append(count))
    assert found.dtype == np.float32
    assert np.array_equal(found, alone(path, inputs))
    assert sum(told) == 7


def test_whole_batches_really_run_at_once(perceptron, tmp_path, monkeypatch):
    path = perceptron(tmp_path / "net.onnx", [20, 12, 5])
    sizes = []
    execute = qonnx_run._execute
    monkeypatch.setattr(qonnx_run, "_execute", lambda model, part: sizes.append(len(part)) or execute(model, part))
    run_qonnx(path, np.zeros((20, 20), np.float32), batch=8)
    assert sizes == [8, 1, 1, 8, 8, 8]  # the trial, its two frames on their own, then 20 frames in batches of 8


def test_a_wrapper_is_taken_and_left_as_it_was(perceptron, tmp_path):
    path = perceptron(tmp_path / "net.onnx", [20, 12, 5])
    model = ModelWrapper(str(path))
    before = model.model.SerializeToString()
    inputs = np.random.default_rng(1).random((3, 4, 5), np.float32)  # reshaped to the graph's (1, 20)
    assert np.array_equal(run_qonnx(model, inputs), alone(path, inputs))
    assert model.model.SerializeToString() == before


def test_labels_come_out_as_integers(perceptron, tmp_path):
    path = perceptron(tmp_path / "net.onnx", [20, 12, 5], top_k=True)
    inputs = np.random.default_rng(1).random((9, 20), np.float32)
    found = run_qonnx(path, inputs)
    assert found.dtype == np.int64
    assert np.array_equal(found, alone(path, inputs))


def test_a_reshape_to_a_constant_batch_of_one_is_rewritten(tmp_path, frames):
    nodes = [
        helper.make_node("Reshape", ["x", "to"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["m"]),
        helper.make_node("Reshape", ["m", "back"], ["y"]),
    ]
    weights = np.random.default_rng(2).integers(-3, 4, (12, 4)).astype(np.float32)
    path = graph(tmp_path, nodes, {"to": np.array([1, 12]), "back": np.array([1, 4]), "w": weights})
    assert np.array_equal(run_qonnx(path, frames), frames @ weights)


@pytest.mark.parametrize("kind", ["shape of no batch", "mixed rows", "constant of one frame"])
def test_a_graph_that_bears_no_batch_runs_frame_by_frame(tmp_path, frames, kind):
    weights = np.random.default_rng(2).integers(-3, 4, (12, 4)).astype(np.float32)
    if kind == "shape of no batch":  # a vector between two Reshapes
        nodes = [
            helper.make_node("Reshape", ["x", "flat"], ["v"]),
            helper.make_node("MatMul", ["v", "w"], ["m"]),
            helper.make_node("Reshape", ["m", "back"], ["y"]),
        ]
        constants = {"flat": np.array([12]), "back": np.array([1, 4]), "w": weights}
        expected = frames @ weights
    elif kind == "mixed rows":  # runs with any batch, but adds up the frames
        nodes = [
            helper.make_node("ReduceSum", ["x", "axis"], ["s"], keepdims=1),
            helper.make_node("Mul", ["x", "s"], ["p"]),
            helper.make_node("MatMul", ["p", "w"], ["y"]),
        ]
        constants = {"axis": np.array([0]), "w": weights}
        expected = (frames * frames) @ weights
    else:  # Concat with a constant row of its own
        nodes = [
            helper.make_node("Concat", ["x", "row"], ["c"], axis=1),
            helper.make_node("MatMul", ["c", "w"], ["y"]),
        ]
        wide = np.concatenate([weights, weights[:3]])
        constants = {"row": np.ones((1, 3), np.float32), "w": wide}
        expected = np.concatenate([frames, np.ones((7, 3), np.float32)], axis=1) @ wide
    path = graph(tmp_path, nodes, constants)
    assert np.array_equal(run_qonnx(path, frames, batch=4), expected)
