"""Counting resources from cell types."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.synthesize.cells import Usage, read_cells, sum_usage, usage_of


def test_every_resource():
    cells = {
        "LUT1": 1, "LUT2": 2, "LUT6": 6, "INV": 3, "LUT6_2": 4,
        "RAM32M": 2, "RAM32M16": 1, "RAM64X1D": 3, "SRL16E": 5,
        "FDRE": 100, "FDSE": 10, "FDCE": 1,
        "RAMB18E1": 3, "RAMB36E1": 2, "RAMB18E2": 1,
        "DSP48E1": 2, "DSP48E2": 1, "CARRY4": 7, "CARRY8": 1, "MUXF7": 4, "MUXF8": 2,
        "VCC": 1, "GND": 1, "BUFG": 1,
    }  # fmt: skip
    assert usage_of(cells) == Usage(
        LUT=16 + 8 + 8 + 6 + 5, LUTRAM=8 + 8 + 6 + 5, FF=111, BRAM36=4.0, DSP=3, CARRY=8, MUXF=6
    )


def test_nothing():
    assert usage_of({}) == Usage() == sum_usage([])


def test_sum():
    assert sum_usage([Usage(1, 2, 3, 0.5, 5, 6, 7), Usage(LUT=10, BRAM36=1.5)]) == Usage(11, 2, 3, 2.0, 5, 6, 7)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"design": {"num_cells_by_type": []}}'])
def test_report_that_is_none(tmp_path, text):
    path = tmp_path / "stat.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SynthesizeError, match=r"^yosys report .*/stat\.json: missing or not a cell count; synthesize "):
        read_cells(path)


def test_report_of_yosys(tmp_path):
    (tmp_path / "stat.json").write_text('{"creator": "Yosys", "design": {"num_cells_by_type": {"LUT2": 3}}}')
    assert read_cells(tmp_path / "stat.json") == {"LUT2": 3}
