"""Networks whose first layer is on DSP multipliers, by a folding file or by a budget, through the whole ladder."""

from __future__ import annotations

import json

import pytest
from descriptions import Block, MapNetwork, Perceptron, Pool
from ladder import climb_file
from network_files import write_network

from xnorflow.lower.config import BuildSettings, FoldingBudget, OutputKind
from xnorflow.simulate.config import SimulateSettings

POOL = Pool((2, 2), (2, 2))
CONVOLUTIONS = MapNetwork("maps", (3, 8, 7), 5, 8, (Block(9, (3, 3)), Block(8, (3, 3), pool=POOL)), None, 5)
PADDED = MapNetwork("maps", (2, 6, 6), 6, 4, (Block(6, (3, 3), (2, 1), (1, 1, 1, 1), 0), Block(4, (1, 1))), 7, 4)
VECTORS = Perceptron("perceptrons", (24, 15, 10), 7, 8, False)
STALLS = SimulateSettings(frames=12, stall_probability=0.3, seed=4)


def first_unit(folder):
    written = json.loads((folder / "build" / "final_hw_config.json").read_text())
    return next(values for values in written.values() if "resType" in values)


@pytest.mark.parametrize(
    ("network", "layer", "simd", "pe", "style"),
    [
        pytest.param(CONVOLUTIONS, "conv0_mvau", 1, 9, "auto", id="accumulated, an odd neuron"),
        pytest.param(CONVOLUTIONS, "conv0_mvau", 9, 3, "block", id="chains and steps, block RAM"),
        pytest.param(CONVOLUTIONS, "conv0_mvau", 27, 9, "auto", id="whole windows, constant weights"),
        pytest.param(PADDED, "conv0_mvau", 3, 2, "distributed", id="padded with zeros, 4 bits"),
        pytest.param(VECTORS, "fc0_mvau", 4, 5, "auto", id="vectors"),
    ],
)
def test_by_a_folding_file(tmp_path, network, layer, simd, pe, style):
    model = write_network(network, tmp_path / "net.onnx")
    folding = {layer: {"SIMD": simd, "PE": pe, "ram_style": style, "resType": "dsp"}}
    (tmp_path / "folding.json").write_text(json.dumps(folding))
    settings = BuildSettings(folding=tmp_path / "folding.json", output=OutputKind.LOGITS)
    climb_file(model, settings, STALLS, tmp_path)
    assert folding[layer].items() <= first_unit(tmp_path).items()


def test_by_a_budget(tmp_path):
    model = write_network(CONVOLUTIONS, tmp_path / "net.onnx")
    settings = BuildSettings(budget=FoldingBudget(LUT=800, DSP=40), output=OutputKind.LABELS)
    climb_file(model, settings, STALLS, tmp_path)
    assert first_unit(tmp_path)["resType"] == "dsp"
    resources = json.loads((tmp_path / "build" / "report" / "estimate_layer_resources.json").read_text())
    assert 0 < resources["total"]["DSP"] <= 40
