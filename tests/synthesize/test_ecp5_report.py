"""What is read of nextpnr's log and report."""

from __future__ import annotations

import json

import pytest

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.synthesize.ecp5_report import Amount, CriticalPath, read_routed, read_utilization

LOG = """Info: Device utilisation:
Info: \t          TRELLIS_IO:       3/    365     0%
Info: \t              DP16KD:      60/     56   107%
Info: \t          MULT18X18D:       0/    156     0%
Info: \t          TRELLIS_FF:    1370/  83640     1%
Info: \t        TRELLIS_COMB:    2270/  83640     2%
Info:         logic LUTs:   1546/83640     1%
"""


def step(kind: str, delay: float, start: str, end: str) -> dict:
    return {"type": kind, "delay": delay, "from": {"cell": start, "port": "Q"}, "to": {"cell": end, "port": "D"}}


REPORT = {
    "fmax": {"clk": {"achieved": 200.0, "constraint": 50}, "$glbnet$ap_clk": {"achieved": 101.1586, "constraint": 50}},
    "utilization": {
        "TRELLIS_COMB": {"used": 10, "available": 24288},
        "TRELLIS_FF": {"used": 20, "available": 24288},
        "DP16KD": {"used": 3, "available": 56},
        "MULT18X18D": {"used": 0, "available": 28},
        "TRELLIS_IO": {"used": 5, "available": 197},
    },
    "critical_paths": [
        {"from": "posedge clk", "to": "posedge clk", "path": [step("logic", 5.0, "x", "y")]},
        {"from": "<async>", "to": "posedge $glbnet$ap_clk", "path": [step("logic", 9.0, "x", "y")]},
        {
            "from": "posedge $glbnet$ap_clk",
            "to": "posedge $glbnet$ap_clk",
            "path": [
                step("clk-to-q", 0.5, "u.sum_TRELLIS_FF_Q_3", "u.sum_TRELLIS_FF_Q_3"),
                step("routing", 1.25, "u.sum_TRELLIS_FF_Q_3", "lut"),
                step("logic", 0.25, "lut", "lut"),
                step("routing", 0.75, "lut", "u.carry_q_TRELLIS_FF_Q_DI_LUT4_Z"),
                step("setup", 0.0, "u.carry_q_TRELLIS_FF_Q_DI_LUT4_Z", "u.carry_q_TRELLIS_FF_Q_DI_LUT4_Z"),
            ],
        },
    ],
}


@pytest.fixture
def file(tmp_path):
    def write(**changes):
        path = tmp_path / "route.json"
        path.write_text(json.dumps({**REPORT, **changes}))
        return path

    return write


def test_utilization_of_a_log():
    found = read_utilization(LOG)
    assert found == {
        "DP16KD": Amount(60, 56), "MULT18": Amount(0, 156), "FF": Amount(1370, 83640), "LUT4": Amount(2270, 83640)
    }  # fmt: skip
    assert found["DP16KD"].percent == 100 * 60 / 56
    assert read_utilization("nothing of the kind") == {}
    assert Amount(0, 0).percent == 0


def test_the_slowest_clock_and_its_path(file):
    routed = read_routed(file())
    assert routed.fmax_mhz == 101.16
    assert routed.amounts["LUT4"] == Amount(10, 24288) and list(routed.amounts) == ["LUT4", "FF", "DP16KD", "MULT18"]
    assert routed.critical_path == CriticalPath("u.sum", "u.carry_q", 0.75, 2.0, 1)


def test_no_clock_and_no_path(file):
    assert read_routed(file(fmax={})).fmax_mhz is None
    assert read_routed(file(critical_paths=[])).critical_path is None


@pytest.mark.parametrize("changes", [{"utilization": {}}, {"fmax": {"clk": {}}}, {"critical_paths": [{}]}])
def test_a_damaged_report(file, changes):
    with pytest.raises(SynthesizeError, match=r"route\.json: missing or not a report; synthesize again$"):
        read_routed(file(**changes))


def test_no_report(tmp_path):
    with pytest.raises(SynthesizeError, match=r"route\.json: missing or not a report; synthesize again$"):
        read_routed(tmp_path / "route.json")
