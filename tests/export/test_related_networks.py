"""Thermometer input, fractional activations and codebooks: torch and QONNX give the same logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper

from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.settle import settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.train.deploy import deploy
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPE = (3, 32, 32)
WIDTHS = {"CNV_1W1A": 0.125, "RESNET8_1W1A": 0.25}
THERMOMETER, FRACTIONAL = {"input_encoding": "thermometer"}, {"activation": "fractional"}


def deployed(network, **changes):
    """A deployed network whose parameters and statistics are away from where they begin."""
    torch.manual_seed(0)
    settings = NetworkSettings(network=network, width=WIDTHS[network], **changes)
    made = build_network(settings, SHAPE, 10)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * (3.0 if name.endswith("delta") else 0.3))
        for _ in range(20):
            made(torch.rand(16, *SHAPE))
    return deploy(made.eval(), settings, SHAPE, 10)[0]


def check(made, path, frames=6):
    images = torch.randint(0, 256, (frames, *SHAPE), generator=torch.Generator().manual_seed(1)) / 255
    with torch.no_grad():
        before = made(images)
        settle_thresholds(made)
        expected = made(images)
    assert torch.equal(before, expected)
    export_network(made, SHAPE, path)
    assert np.array_equal(run_qonnx(path, images.numpy()), expected.numpy())
    assert len(np.unique(expected)) > frames  # a network that always says the same would prove nothing
    return ModelWrapper(str(path))


@pytest.mark.parametrize(
    ("network", "changes"),
    [
        pytest.param("CNV_1W1A", THERMOMETER, marks=pytest.mark.full),
        pytest.param("CNV_1W1A", FRACTIONAL, marks=pytest.mark.full),
        ("CNV_1W1A", {**THERMOMETER, **FRACTIONAL, "kernel_bits": 4}),
        pytest.param("RESNET8_1W1A", {**THERMOMETER, **FRACTIONAL, "kernel_bits": 4}, marks=pytest.mark.full),
    ],
)  # fmt: skip
def test_torch_and_qonnx_give_the_same_logits(tmp_path, network, changes):
    model = check(deployed(network, **changes), tmp_path / "model.onnx")
    kinds = [node.op_type for node in model.graph.node]
    gated = (5 if network == "CNV_1W1A" else 6) if "activation" in changes else 0
    assert kinds.count("Conv") == (6 if network == "CNV_1W1A" else 7) + gated  # two sums for each gate
    assert kinds.count("Greater") == gated
    assert model.get_tensor_shape("global_in") == [1, *SHAPE]


def test_with_a_thermometer_nothing_but_bits_enters_a_convolution(tmp_path):
    model = check(deployed("CNV_1W1A", **THERMOMETER), tmp_path / "model.onnx")
    assert "Quant" not in [node.op_type for node in model.graph.node]
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    assert model.find_producer(first.input[0]).op_type == "BipolarQuant"
    assert model.get_tensor_shape(first.input[0]) == [1, 96, 32, 32]
