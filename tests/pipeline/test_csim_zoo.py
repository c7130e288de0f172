"""Networks of the zoo in C++, all of them or a layer, on their test sets, by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from styled_folding import fold_in_hls

from xnorflow.flow.cli import main


def built(output: Path, network: str, dataset: str, data_root: Path, *options: object) -> None:
    """Build a network of the zoo."""
    arguments = ["build", f"zoo:{network}", "--output", output, "--board", "Pynq-Z2"]
    data = ["--dataset", dataset, "--data-root", data_root]
    assert main([str(argument) for argument in (*arguments, *data, *options)]) == 0


def report(output: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((output / "report" / name).read_text())
    return content


@pytest.mark.data
def test_tfc_is_equal_in_c_on_a_thousand_images(tmp_path, data_root):
    built(tmp_path / "out", "TFC_1W1A", "mnist", data_root, "--backend", "hls", "--frames", 1000)
    found = report(tmp_path / "out", "csim.json")
    assert (found["frames"], found["mismatches"]) == (1000, 0)


@pytest.mark.data
@pytest.mark.full
def test_tfc_with_a_layer_in_c_is_equal_on_a_thousand_images(tmp_path, data_root):
    tfc = "TFC_1W1A", "mnist", data_root, "--frames", 1000
    built(tmp_path / "rtl", *tfc, "--until", "lower")
    folding = fold_in_hls(tmp_path / "rtl", ["fc1_mvau"])
    built(tmp_path / "out", *tfc, "--backend", "auto", "--folding", folding)
    found = report(tmp_path / "out", "simulation.json")
    assert (found["frames"], found["mismatches"], found["layers_in_cpp"]) == (1000, 0, ["fc1_mvau"])


@pytest.mark.data
@pytest.mark.full
def test_cnv_is_equal_in_c_on_a_hundred_images(tmp_path, data_root):
    if not (data_root / "cifar-10-batches-bin").is_dir():
        pytest.skip("XNORFLOW_DATA_ROOT names no folder with cifar-10-batches-bin")
    built(tmp_path / "out", "CNV_1W1A", "cifar10", data_root, "--backend", "hls", "--frames", 100)
    found = report(tmp_path / "out", "csim.json")
    assert (found["frames"], found["mismatches"]) == (100, 0)
