from __future__ import annotations

import numpy as np
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper

from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.settle import settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.train.evaluate import compute_logits


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("input_bits", [1, 8])
def test_torch_and_qonnx_give_the_same_logits(random_network, tmp_path, input_bits, seed):
    network = random_network(input_bits, seed)
    settle_thresholds(network)
    export_network(network, (1, 8, 8), tmp_path / "model.onnx")
    images = torch.rand(2000, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    expected = compute_logits(network, images).numpy()
    found = run_qonnx(tmp_path / "model.onnx", images.numpy())
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert len(np.unique(expected)) > 5  # a network that always says the same would prove nothing


@pytest.mark.parametrize("name", ["TFC_1W2A", "TFC_2W2A"])
def test_two_bits_are_exported_too(random_network, tmp_path, name):
    network = random_network(8, name=name)
    settle_thresholds(network)
    export_network(network, (1, 8, 8), tmp_path / "model.onnx")
    images = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = compute_logits(network, images).numpy()
    assert np.array_equal(run_qonnx(tmp_path / "model.onnx", images.numpy()), expected)
    assert len(np.unique(expected)) > 5


@pytest.mark.parametrize("input_bits", [1, 8])
def test_the_file_is_static_and_made_of_known_operators(random_network, tmp_path, input_bits, capfd):
    network = random_network(input_bits)
    export_network(network, (1, 8, 8), tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
    model = ModelWrapper(str(tmp_path / "model.onnx"))
    assert model.get_tensor_shape("global_in") == [1, 1, 8, 8]
    assert model.get_tensor_shape("global_out") == [1, 10]
    operators = {"Flatten", "Mul", "Sub", "BipolarQuant", "MatMul", "BatchNormalization"}
    assert {node.op_type for node in model.graph.node} == operators | ({"Quant"} if input_bits == 8 else set())
    assert len({node.name for node in model.graph.node}) == len(model.graph.node)
    assert model.get_opset_imports()[""] == 13


def test_equal_weights_give_equal_bytes(random_network, tmp_path):
    for name in ("a", "b"):
        export_network(random_network(1), (1, 8, 8), tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_exporting_leaves_the_network_as_it_was(random_network, tmp_path):
    network = random_network(8)
    images = torch.rand(50, 1, 8, 8)
    before = compute_logits(network, images)
    export_network(network, (1, 8, 8), tmp_path / "model.onnx")
    assert torch.equal(compute_logits(network, images), before)
