from __future__ import annotations

import numpy as np
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper

from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.settle import settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPE = (3, 32, 32)
OPERATORS = {"Mul", "Sub", "Quant", "BipolarQuant", "Pad", "Conv", "Add", "PRelu", "AveragePool", "Expand", "Tile",
             "ReduceSum", "MatMul"}  # fmt: skip


def used(**settings):
    """A network in eval mode whose parameters and statistics are away from where they begin."""
    torch.manual_seed(0)
    network = build_network(NetworkSettings(network="RESNET8_1W1A", **settings), SHAPE, 10)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
        for _ in range(10):
            network(torch.rand(16, *SHAPE))
    return network.eval()


def check(network, path, frames=24):
    images = torch.rand(frames, *SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(images).numpy()
    export_network(network, SHAPE, path)
    found = run_qonnx(path, images.numpy())
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert len(np.unique(expected)) > frames  # a network that always says the same would prove nothing
    return ModelWrapper(str(path))


def test_torch_and_qonnx_give_the_same_logits(tmp_path):
    network = used()
    settle_thresholds(network)
    model = check(network, tmp_path / "model.onnx")
    assert {node.op_type for node in model.graph.node} == OPERATORS
    kinds = [node.op_type for node in model.graph.node]
    assert (kinds.count("Conv"), kinds.count("Pad"), kinds.count("Tile")) == (7, 7, 2)
    assert model.get_tensor_shape("global_in") == [1, *SHAPE] and model.get_tensor_shape("global_out") == [1, 10]


def test_settling_thresholds_changes_nothing():
    network, images = used(width=0.25), torch.rand(100, *SHAPE)
    with torch.no_grad():
        before = network(images)
        settle_thresholds(network)
        assert torch.equal(network(images), before)


@pytest.mark.full  # qonnx takes up to ten seconds to fold the constants of each
@pytest.mark.parametrize("block", [
    {"order": "react"}, {"order": "bireal"}, {"order": "bbcu"}, {"order": "norm_free"}, {"trunk_bits": 4},
    {"gate": "static", "maxout": True}, {"gate": "power_of_two"}, {"link": True},
    {"interaction": "streaming", "interaction_branches": 2},
])  # fmt: skip
def test_other_streaming_forms_are_exact_as_well(tmp_path, block):
    check(used(width=0.25, block=block), tmp_path / "model.onnx", frames=4)
