"""Files that are no network are refused in one line: node, what was found, what is allowed, what to do."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from qonnx_files import Chain, body, perceptron
from refusals import refusal, saved

from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_integers import extract_integers
from xnorflow.lower.import_model import import_model

# Files ----------------------------------------------------------------------------------------------------------


def test_missing_file(tmp_path, network_of):
    assert refusal(tmp_path / "no.onnx", network_of).found == "no such file"


def test_file_without_permission(tmp_path, network_of, monkeypatch):
    path = saved(perceptron(), tmp_path)

    def denied(self):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(type(path), "read_bytes", denied)
    assert refusal(path, network_of).found == "not readable"


def test_folder(tmp_path, network_of):
    assert refusal(tmp_path, network_of).found == "a folder"


def test_empty_file(tmp_path, network_of):
    (tmp_path / "model.onnx").touch()
    assert refusal(tmp_path / "model.onnx", network_of).found == "an empty file"


@pytest.mark.parametrize("name", ["model.onnx", "model.json", "model.textproto"])
def test_text_file(name, tmp_path, network_of):
    (tmp_path / name).write_text("This is no network.\n" * 20)
    assert "corrupt" in refusal(tmp_path / name, network_of).found


def test_truncated_file_at_any_place(tmp_path, network_of):
    whole = saved(perceptron(), tmp_path).read_bytes()
    for share in (0.01, 0.2, 0.5, 0.9, 0.999):
        (tmp_path / "cut.onnx").write_bytes(whole[: int(len(whole) * share)])
        assert "corrupt" in refusal(tmp_path / "cut.onnx", network_of).found


def test_random_bytes(tmp_path, network_of):
    for seed in range(20):
        (tmp_path / "noise.onnx").write_bytes(np.random.default_rng(seed).bytes(300))
        assert "corrupt" in refusal(tmp_path / "noise.onnx", network_of).found


def test_model_without_a_graph(tmp_path, network_of):
    (tmp_path / "model.onnx").write_bytes(onnx.ModelProto(ir_version=8, producer_name="somebody").SerializeToString())
    assert "corrupt" in refusal(tmp_path / "model.onnx", network_of).found


def test_tensor_data_shorter_than_its_shape(tmp_path, network_of):
    model = perceptron().model()
    tensor = next(tensor for tensor in model.graph.initializer if tensor.dims == [24, 17])
    tensor.raw_data = tensor.raw_data[:-4]
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    error = refusal(tmp_path / "model.onnx", network_of)
    assert f"tensor {tensor.name}" in error.where and error.found == "its data do not fill its shape"


def test_weights_missing_from_the_file(tmp_path, network_of):
    model = perceptron().model()
    tensor = next(tensor for tensor in model.graph.initializer if tensor.dims == [24, 17])
    model.graph.initializer.remove(tensor)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    error = refusal(tmp_path / "model.onnx", network_of)
    assert "node dense_24x17" in error.where and f"operand {tensor.name} is nowhere" in error.found


def test_external_data_missing(tmp_path, network_of):
    onnx.save(
        perceptron().model(), tmp_path / "model.onnx", save_as_external_data=True, location="weights.data",
        size_threshold=0,
    )  # fmt: skip
    assert len(extract_integers(import_model(tmp_path / "model.onnx"), OutputKind.AUTO).products) == 3
    (tmp_path / "weights.data").unlink()
    assert "another file" in refusal(tmp_path / "model.onnx", network_of).found


def test_output_that_nothing_computes(tmp_path, network_of):
    chain = perceptron()
    chain.outputs = ["nowhere"]
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where.endswith("output nowhere") and error.found == "no node computes it"


def test_opset_too_old(tmp_path, network_of):
    assert refusal(saved(perceptron(), tmp_path, opset=5), network_of).found == "opset 5"


def test_sparse_weights(tmp_path, network_of):
    model = perceptron().model()
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("where", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert refusal(tmp_path / "model.onnx", network_of).found == "sparse initializers"


# Interface ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [("batch", 1, 4, 6), (None, 24), (1, "width"), (0, 24)])
def test_dynamic_shape(shape, tmp_path, network_of):
    error = refusal(saved(body(Chain(shape=shape).flatten().sign_input()), tmp_path), network_of)
    assert error.where.endswith("input x") and "dynamic shape" in error.found and "batch 1" in error.allowed


def test_no_shape_at_all(tmp_path, network_of):
    assert "dynamic shape" in refusal(saved(body(Chain(shape=None).sign_input()), tmp_path), network_of).found


def test_no_batch_dimension(tmp_path, network_of):
    chain = Chain(shape=(24,)).sign_input().dense(24, 5)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "shape 24 without a batch dimension" and error.allowed == "1x24"


def test_batch_of_eight(tmp_path, network_of):
    assert refusal(saved(body(Chain(shape=(8, 24)).sign_input()), tmp_path), network_of).found == "batch 8"


def test_two_inputs(tmp_path, network_of):
    model = perceptron().model()
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 24]))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert refusal(tmp_path / "model.onnx", network_of).found == "2 inputs (x, y)"


def test_two_outputs(tmp_path, network_of):
    chain = perceptron()
    chain.outputs = [chain.nodes[4].output[0], chain.current]
    path = saved(chain, tmp_path, output_types=[TensorProto.FLOAT] * 2)
    assert "2 outputs" in refusal(path, network_of).found


def test_input_of_64_bit_integers(tmp_path, network_of):
    chain = Chain(input_type=TensorProto.INT64).op("Cast", to=TensorProto.FLOAT).flatten().sign_input()
    assert refusal(saved(body(chain), tmp_path), network_of).found == "type INT64"


@pytest.mark.parametrize("datatype", ["INT16", "UINT32", "FIXED<8,4>"])
def test_input_annotated_with_more_than_8_bits(datatype, tmp_path, network_of):
    chain = body(Chain().annotate("x", datatype).flatten())
    assert refusal(saved(chain, tmp_path), network_of).found == f"annotated {datatype}"


# Numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(value, tmp_path, network_of):
    chain = Chain().flatten().sign_input()
    weights = chain.signs(24, 5)
    weights[3, 2] = weights[4, 2] = value
    error = refusal(saved(chain.op("MatMul", weights, name="fc"), tmp_path), network_of)
    assert "node fc" in error.where and error.found == "2 of 120 values are NaN or infinite"


def test_constant_node_that_is_no_number(tmp_path, network_of):
    chain = Chain().flatten()
    chain.op("Mul", chain.side("Constant", value_float=np.nan), name="scale").bipolar()
    assert "NaN or infinite" in refusal(saved(body(chain), tmp_path), network_of).found


@pytest.mark.parametrize("variance", [0.0, -0.5])
def test_batchnorm_variance(variance, tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5)
    variances = np.asarray([1, 2, variance, 1, 1])
    chain.op("BatchNormalization", *np.ones((3, 5)), variances, name="bn").bipolar().dense(5, 3)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node bn" and error.found == f"BatchNorm variance {variance:g} in channel 2"


def test_batchnorm_variance_computed_from_constants(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5)
    variance = chain.side("Sub", np.ones(5), np.asarray([0, 0, 0, 1, 0]))
    chain.op("BatchNormalization", *np.ones((3, 5)), variance, name="bn").bipolar().dense(5, 3)
    assert refusal(saved(chain, tmp_path), network_of).found == "BatchNorm variance 0 in channel 3"


def test_batchnorm_variance_hidden_in_a_square_root(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5)
    deviation = chain.side("Sqrt", np.asarray([1.0, -1.0, 1, 1, 1]))
    error = refusal(saved(chain.op("Div", deviation, name="bn").bipolar().dense(5, 3), tmp_path), network_of)
    assert "node bn" in error.where and "NaN or infinite" in error.found


def test_batchnorm_as_division_by_zero(tmp_path, network_of):
    chain = Chain().flatten().sign_input().dense(24, 5).op("Div", [1.0, 0, 1, 1, 1], name="bn").bipolar().dense(5, 3)
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node bn" and error.found == "Div gives NaN or infinite values"
