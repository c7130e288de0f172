"""Networks as the training package makes them, in every form that streams: from torch to RTL."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ladder import climb_file
from ladder_c import build_of, climb_in_c

from xnorflow.export.settle import settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.lower.config import Backend, BuildSettings, OutputKind
from xnorflow.lower.extract_integers import extract_integers
from xnorflow.lower.import_model import import_model
from xnorflow.simulate.config import SimulateSettings
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network

SHAPE = (3, 32, 32)
SIDE, GATE = {"interaction": "streaming"}, {"gate": "power_of_two"}
FORMS = {
    "real_to_binary": {},
    "react": {"order": "react"},
    "bireal": {"order": "bireal"},
    "bbcu": {"order": "bbcu"},
    "norm_free": {"order": "norm_free"},
    "trunk_of_4_bits": {"trunk_bits": 4},
    "static_gate_and_maxout": {"gate": "static", "maxout": True},
    "link": {"link": True},
    "gate": GATE,
    "two_side_branches": {**SIDE, "interaction_branches": 2},
    "gate_and_side_branch": {**GATE, **SIDE},
}


@pytest.fixture
def exported(tmp_path):
    """Return a function that exports an eighth of a network away from where its parameters begin, with its logits."""

    def call(**settings):
        torch.manual_seed(0)
        network = build_network(NetworkSettings(width=0.125, **settings), SHAPE, 10)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
            for _ in range(10):
                network(torch.rand(16, *SHAPE))
        settle_thresholds(network.eval())
        export_network(network, SHAPE, tmp_path / "model.onnx")
        images = torch.randint(0, 256, (16, *SHAPE), generator=torch.Generator().manual_seed(1)) / 255
        with torch.no_grad():
            return tmp_path / "model.onnx", images.numpy(), network(images).numpy()

    return call


@pytest.mark.full
def test_integers_are_what_torch_computes(exported):
    path, images, logits = exported(network="RESNET8_1W1A", block=FORMS["gate_and_side_branch"])
    extraction = extract_integers(import_model(path), OutputKind.LOGITS)
    accumulators = extraction.network.accumulators(extraction.codec.quantize(images))
    assert np.array_equal(extraction.codec.decode(accumulators), logits)
    assert len(np.unique(accumulators, axis=0)) > 1


@pytest.mark.full
@pytest.mark.parametrize("form", FORMS)
def test_residual_networks(form, exported, tmp_path):
    path, _, _ = exported(network="RESNET8_1W1A", block=FORMS[form])
    climb_file(path, BuildSettings(target_cycles=4608), SimulateSettings(frames=8, seed=3), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("form", ["real_to_binary", "gate_and_side_branch"])
def test_residual_networks_in_c(form, exported, tmp_path):
    path, _, _ = exported(network="RESNET8_1W1A", block=FORMS[form])
    built = build_of(path, tmp_path, BuildSettings(target_cycles=4608, backend=Backend.HLS), seed=3)
    assert len(np.unique(built.expected)) > 1
    climb_in_c(built)


@pytest.mark.full
@pytest.mark.parametrize("network", ["CNV_1W1A", "CNV_1W2A", "CNV_2W2A"])
def test_convolutional_networks(network, exported, tmp_path):
    path, _, _ = exported(network=network)
    climb_file(path, BuildSettings(target_cycles=16384), SimulateSettings(frames=8, seed=3), tmp_path)
