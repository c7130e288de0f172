"""Networks of the zoo in C++ on their test sets, by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xnorflow.flow.cli import main


def simulated(output: Path, network: str, dataset: str, data_root: Path, frames: int) -> tuple[int, int]:
    """Build a network of the zoo in C++; return the frames compared and how many differ."""
    arguments = ["build", f"zoo:{network}", "--output", output, "--board", "Pynq-Z2", "--backend", "hls"]
    data = ["--dataset", dataset, "--data-root", data_root, "--frames", frames]
    assert main([str(argument) for argument in (*arguments, *data)]) == 0
    report = json.loads((output / "report" / "csim.json").read_text())
    return report["frames"], report["mismatches"]


@pytest.mark.data
def test_tfc_is_equal_in_c_on_a_thousand_images(tmp_path, data_root):
    assert simulated(tmp_path / "out", "TFC_1W1A", "mnist", data_root, 1000) == (1000, 0)


@pytest.mark.data
@pytest.mark.full
def test_cnv_is_equal_in_c_on_a_hundred_images(tmp_path, data_root):
    if not (data_root / "cifar-10-batches-bin").is_dir():
        pytest.skip("XNORFLOW_DATA_ROOT names no folder with cifar-10-batches-bin")
    assert simulated(tmp_path / "out", "CNV_1W1A", "cifar10", data_root, 100) == (100, 0)
