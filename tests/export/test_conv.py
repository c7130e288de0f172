"""Convolutional networks: torch = QONNX, exactly."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
import torch

from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.settle import settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network


@pytest.mark.parametrize("name", ["CNV_1W1A", "CNV_1W2A", "CNV_2W2A"])
def test_torch_and_qonnx_give_the_same_logits(name, tmp_path):
    torch.manual_seed(0)
    network = build_network(NetworkSettings(network=name, width=0.125), (3, 32, 32), 10)
    images = torch.randint(0, 256, (32, 3, 32, 32)).float() / 255
    with torch.no_grad():
        for _ in range(3):
            network(images)
    network.eval()
    if name.endswith("1A"):
        settle_thresholds(network)
    export_network(network, (3, 32, 32), tmp_path / "model.onnx")
    with torch.no_grad():
        expected = network(images).numpy()
    assert np.array_equal(run_qonnx(tmp_path / "model.onnx", images.numpy()), expected)
    operators = Counter(node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node)
    assert operators["Conv"] == 6
    assert operators["BipolarQuant"] == {"CNV_1W1A": 17, "CNV_1W2A": 9, "CNV_2W2A": 0}[name]
