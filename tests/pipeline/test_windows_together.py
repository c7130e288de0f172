"""Several windows for each reading of the weights, by M in a folding file, through the whole ladder in both bodies."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from map_files import small_cnv

from xnorflow.lower.config import BuildSettings
from xnorflow.simulate.config import SimulateSettings

WINDOWS = {"SIMD": 3, "parallel_window": 1}
FOLDING = {
    "conv0_swg": WINDOWS, "conv0_mvau": {"PE": 2, "SIMD": 9},
    "conv1_swg": {"SIMD": 6, "parallel_window": 1}, "conv1_mvau": {"PE": 4, "SIMD": 9},
    "pool0": {"PE": 4}, "conv2_swg": {"SIMD": 4}, "conv2_mvau": {"PE": 2, "SIMD": 4},
}  # fmt: skip
"""Of the convolutions that a small CNV has, over rows of 8 and of 6 windows."""
TOGETHER = {
    "as_many_in_windows_as_in_units": {"conv0_swg": 2, "conv0_mvau": 2, "conv1_swg": 3, "conv1_mvau": 3},
    "more_or_fewer_in_windows_than_in_units": {"conv0_swg": 2, "conv0_mvau": 8, "conv1_swg": 6, "conv1_mvau": 2},
    "in_units_alone": {"conv0_mvau": 4, "conv1_mvau": 2},
    "in_windows_alone": {"conv0_swg": 4, "conv1_swg": 2},
}


@pytest.mark.full
@pytest.mark.parametrize("name", TOGETHER)
def test_every_rung_is_equal(tmp_path, name):
    """Results of all frames in both bodies, cycles and latency as predicted; the folding that was given is kept."""
    from ladder import climb_file

    together = {layer: {"M": TOGETHER[name].get(layer, 1)} for layer in FOLDING if layer.startswith(("conv0", "conv1"))}
    folding = {layer: keys | together.get(layer, {}) for layer, keys in FOLDING.items()}
    file = tmp_path / "folding.json"
    file.write_text(json.dumps(folding), encoding="utf-8")
    settings = BuildSettings(board="ZCU104", folding=file)
    stalls = SimulateSettings(frames=12, stall_probability=0.4, seed=2)
    climb_file(small_cnv().save(tmp_path / "net.onnx"), settings, stalls, tmp_path, primitives=True)
    kept = json.loads((tmp_path / "build" / "final_hw_config.json").read_text(encoding="utf-8"))
    assert {layer: kept[layer] | keys for layer, keys in folding.items()} == {layer: kept[layer] for layer in folding}
