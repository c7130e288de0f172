"""Our own shell: the scripts of a block design, each checked, and what becomes of what they leave. No Vivado runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import OutputError, SynthesizeError, ToolError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.boards.catalog import Family, board_names, load_board
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.generate.shell import shell_sources
from xnorflow.simulate.verilator import lint_design
from xnorflow.synthesize import vivado_overlay as stage
from xnorflow.synthesize.overlay_tcl import SCRIPTS, render_overlay_tcl, write_overlay_tcl
from xnorflow.synthesize.vivado import VivadoSettings
from xnorflow.synthesize.vivado_overlay import build_overlay

sys.path.insert(0, str(Path(__file__).parent / "standins"))
sys.path.insert(0, str(Path(__file__).parent))

from bit_files import bit_file
from vivado import BOARD_PARTS

GOLDEN, STANDINS = Path(__file__).parent / "golden", Path(__file__).parent / "standins"
REPORTS = Path(__file__).parent / "vivado_reports"
NETWORK = "StreamingDataflowPartition_1"
BOARDS = {"zynq_7000": "Pynq-Z2", "ultrascale": "ZCU104"}
HANDOFF = "".join(f'<MODULE FULLNAME="/{cell}" INSTANCE="{cell}"/>\n' for cell in ("idma0", NETWORK, "odma0"))


def deployed(build: Path, folder: Path, board: str, **changes) -> Path:
    """What `xnorflow deploy` writes, as far as Vivado is concerned."""
    design = replace(Design.load(build / "design.json"), board=board, part=load_board(board).part, **changes)
    data_bits = 64 if load_board(board).family is Family.XC7 else 128
    (folder / "rtl").mkdir(parents=True)
    sources = shell_sources(build, design, folder / "rtl", data_bits=data_bits)
    write_overlay_tcl(design, "net", [path.name for path in sources], data_bits, folder / "vivado")
    OverlayDescription(
        "net",
        design.board,
        design.part,
        design.clock_ns,
        1,
        1,
        data_bits,
        design.input,
        design.output,
        ("a",),
        "0" * 64,
    ).save(folder)
    return folder


@pytest.fixture
def folder(small_network, tmp_path):
    return deployed(small_network, tmp_path / "deploy", "Pynq-Z2")


def make(folder: Path, **settings):
    return build_overlay(folder, folder.parent / "obj", VivadoSettings(**settings), SilentProgress())


@pytest.mark.parametrize("family", BOARDS)
def test_the_scripts_are_as_reviewed(family, small_network, request):
    board = load_board(BOARDS[family])
    design = replace(Design.load(small_network / "design.json"), board=board.name, part=board.part)
    sources = ["xnorflow_fifo.sv", "xnorflow_top.sv", "xnorflow_top_cell.v", "xnorflow_idma.v", "xnorflow_odma.v"]
    texts = render_overlay_tcl(design, "my net", [*sources, "xnorflow_shell.v"], 64)
    for script, text in texts.items():
        name = script if script == "bitstream.tcl" else f"{family}_{script}"
        golden = GOLDEN / f"overlay_{name}"
        if request.config.getoption("--update-golden"):
            golden.write_text(text)
        assert text == golden.read_text(), "look at the difference; if it is meant: pytest --update-golden"


def check_scripts(folder: Path, vendor) -> dict:
    """Both scripts were right, the second as far as nothing has to have been made; returns the first's record."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANDIN_GO_ON", "1")
        with pytest.raises(SynthesizeError, match=r"overlay net for .*: Vivado ended with code 3; .*STAND-IN"):
            make(folder, jobs=3)
    design, bitstream = vendor.records()[-2:]
    assert (design["code"], bitstream["code"]) == (0, 3)
    assert bitstream["not_done"] == [["launch_runs", "impl_1", "-to_step", "write_bitstream", "-jobs", "3"],
                                     ["wait_on_run", "impl_1"]]  # fmt: skip
    assert not [path for path in folder.parent.rglob("*") if path.suffix in (".bit", ".hwh", ".dcp")]
    return design


@pytest.mark.parametrize(
    "board",
    [name if name in BOARDS.values() else pytest.param(name, marks=pytest.mark.full) for name in board_names()],
)
def test_every_board(board, small_network, vendor, tmp_path):
    """Its part and files, cells by FINN's names, and addresses where drivers of FINN and ours look."""
    record = check_scripts(deployed(small_network, tmp_path / "deploy", board, clock_ns=8.0), vendor)
    chosen, cells = load_board(board), record["cells"]
    assert record["part"] == chosen.part and record["board_part"] == chosen.board_part
    assert BOARD_PARTS[chosen.board_part] == chosen.part
    assert [cells[name] for name in ("idma0", NETWORK, "odma0")] == [
        "xnorflow_idma", "xnorflow_top_cell", "xnorflow_odma"
    ]  # fmt: skip
    zynq_7000 = chosen.family is Family.XC7
    base = 0x4000_0000 if zynq_7000 else 0xA000_0000
    assert record["addresses"]["zynq_ps/Data"] == {
        "idma0/s_axi_control/reg0": [base, 0x10000], "odma0/s_axi_control/reg0": [base + 0x10000, 0x10000]
    }  # fmt: skip
    sizes = {size for engine in ("idma0", "odma0") for _, size in record["addresses"][f"{engine}/m_axi_gmem"].values()}
    assert sizes == {512 << 20 if zynq_7000 else 2 << 30}
    clock = "PCW_FPGA0_PERIPHERAL_FREQMHZ" if zynq_7000 else "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"
    assert record["config"]["zynq_ps"][clock] == "125"
    assert record["unchecked"] == []


def test_what_vivado_reads_is_a_whole_design(folder, vendor, monkeypatch):
    """Memory files are named by paths that hold anywhere, and popcounts have the form for LUTs of six inputs."""
    record = check_scripts(folder, vendor)
    sources = [Path(record["cwd"]) / name for name in record["files"] if Path(name).suffix in (".v", ".sv")]
    sources = [path for path in sources if "wrapper" not in path.name]
    monkeypatch.chdir("/")
    for cell in ("xnorflow_idma", "xnorflow_top_cell", "xnorflow_odma"):
        assert lint_design(cell, sources) == []
    (node,) = (path for path in sources if path.name == "fc0_mvau.sv")
    assert node.read_text().startswith("`define XNORFLOW_LUT6\n")
    assert f'"{folder.resolve()}/rtl/fc0_mvau_start.mem"' in node.read_text()
    (fifo,) = (path for path in sources if path.name == "xnorflow_fifo.sv")
    assert fifo.read_bytes() == (folder / "rtl" / "xnorflow_fifo.sv").read_bytes()


BROKEN = (
    ("xnorflow_idma idma0", "xnorflow_idma idma1", "no cell idma0"),
    ("-reference xnorflow_odma", "-reference xnorflow_dma", "no file that was added defines module xnorflow_dma"),
    ("-reference xnorflow_top_cell", "-reference xnorflow_top", "has to be Verilog or VHDL, not SystemVerilog"),
    ("idma0/ap_clk", "", r"cell idma0 \(xnorflow_idma\): \['ap_clk'\] is connected to nothing"),
    ("zynq_ps/S_AXI_HP2_ACLK", "", r"cell zynq_ps .*\['S_AXI_HP2_ACLK'\] is connected to nothing"),
    ("join_pins zynq_ps/FCLK_CLK0 ", "join_pins zynq_ps/FCLK_CLK1 ", "has no pins FCLK_CLK1"),
    ("join_pins zynq_ps/FCLK_CLK0 ", "join_pins ", "nothing drives "),
    ("join_pins zynq_ps/FCLK_RESET0_N ", "join_pins zynq_ps/FCLK_CLK0 ", "a clock and another net"),
    ("join_pins odma0/irq interrupts/In1", "join_pins odma0/irq interrupts/In0", "drive one net"),
    ("idma0/m_axis_0 ", "idma0/m_axi_gmem ", "are no two sides of one interface"),
    ("control_interconnect/M01_AXI odma0", "control_interconnect/M02_AXI odma0", "has no intf_pins M02_AXI"),
    ("CONFIG.PCW_USE_S_AXI_HP2 1", "CONFIG.PCW_USE_S_AXI_HP2 0", "has no intf_pins S_AXI_HP2"),
    ("CONFIG.PCW_USE_S_AXI_HP2 1", "CONFIG.PCW_USE_AXI_HP2 1", "has no parameter PCW_USE_AXI_HP2"),
    ("-offset 0x40010000", "-offset 0x40000000", "overlaps idma0/s_axi_control/reg0"),
    ("-offset 0x40010000", "-offset 0x40018000", "no place for a segment"),
    ("-offset 0x40010000", "-offset 0x80010000", "outside of what zynq_ps/M_AXI_GP0 reaches"),
    ("-range 512M", "-range 2G", "has 0x40000000 bytes, not 2G"),
    ("HP2/HP2_DDR_LOWOCM]", "HP0/HP0_DDR_LOWOCM]", "odma0/m_axi_gmem does not reach .*HP0_DDR_LOWOCM"),
    ("[get_bd_addr_segs odma0/s_axi_control/reg0]", "[get_bd_addr_segs odma0/s_axi_control/reg1]", "no address segm"),
    ("pynq-z2:part0", "pynq-z3:part0", "board_part definition was not found for tul.com.tw:pynq-z3:part0:1.0"),
    ('apply_board_preset "1"', 'apply_board_preset "0"', "no board's preset"),
    ("xnorflow_wrapper ", "net_wrapper ", "top net_wrapper, but the block design is xnorflow"),
    ("add_source $rtl xnorflow_odma.v", "add_source $rtl xnorflow_odma.sv", "couldn't open .*xnorflow_odma.sv"),
    ("validate_bd_design\n", "validate_design\n", "unknown command: validate_design"),
)  # fmt: skip


@pytest.fixture(scope="module")
def module_folder(small_network, tmp_path_factory):
    return deployed(small_network, tmp_path_factory.mktemp("broken") / "deploy", "Pynq-Z2")


def run_standin(folder: Path, work: Path, text: str) -> subprocess.CompletedProcess[str]:
    script = folder / "vivado" / f"{work.name}.tcl"
    script.write_text(text)
    (work / "records").mkdir(parents=True)
    return subprocess.run(
        [sys.executable, STANDINS / "vivado.py", "-mode", "batch", "-source", script], cwd=work, capture_output=True,
        text=True, env={**os.environ, "STANDIN_RECORD": str(work / "records"), "STANDIN_GO_ON": "1"}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("old", "new", "found"), BROKEN)
def test_the_stand_in_sees_what_is_wrong(old, new, found, module_folder, tmp_path):
    """Else it would be of no use that it finds nothing in the script as it is."""
    pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    text = (module_folder / "vivado" / "block_design.tcl").read_text()
    assert old in text
    done = run_standin(module_folder, tmp_path / "work", text.replace(old, new))
    assert done.returncode == 1, done.stdout
    assert re.search(found, done.stdout), done.stdout


@pytest.mark.parametrize(
    ("segment", "found"),
    [
        ("odma0/s_axi_control/reg0", "odma0/s_axi_control/reg0 is not assigned into address space zynq_ps/Data"),
        ("zynq_ps/S_AXI_HP2/HP2_DDR_LOWOCM", "address space odma0/m_axi_gmem has no segment"),
    ],
)
def test_the_stand_in_misses_segments(segment, found, module_folder, tmp_path):
    """A slave in nobody's map, a master with none."""
    pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    text = (module_folder / "vivado" / "block_design.tcl").read_text()
    command = re.compile(rf"assign_bd_address [^\n]*\\\n[^\n]*{re.escape(segment)}\]\n")
    assert len(command.findall(text)) == 1
    done = run_standin(module_folder, tmp_path / "work", command.sub("", text))
    assert done.returncode == 1 and found in done.stdout, done.stdout


def test_the_stand_in_misses_memory_that_is_not_left_out(small_network, tmp_path):
    pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    folder = deployed(small_network, tmp_path / "deploy", "ZCU104")
    text = (folder / "vivado" / "block_design.tcl").read_text().replace("      exclude_bd_addr_seg", "      list")
    done = run_standin(folder, tmp_path / "work", text)
    assert done.returncode == 1 and "HP0_DDR_HIGH is not assigned into address space idma0/m_axi_gmem" in done.stdout


TCL = """
set argc 0
proc open_project name { if {![file isfile $name]} { error "no project" } }
proc reset_run run {}
proc launch_runs args {}
proc wait_on_run run {}
proc get_runs run { return $run }
proc get_property {name run} { return [expr {$name eq "PROGRESS" ? $::progress : "route_design ERROR"}] }
proc open_run run {}
proc report_timing_summary args { close [open [lindex $args end] w] }
proc report_utilization args { close [open [lindex $args end] w] }
proc close_project {} {}
"""


@pytest.mark.parametrize("generated", ["gen", "srcs"])
def test_what_is_behind_the_bitstream(generated, folder, tmp_path, monkeypatch):
    """In a real Tcl, with the files that a run of Vivado leaves put there by hand."""
    tkinter = pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    work = tmp_path / "work"
    bitfile = work / "project" / "xnorflow.runs" / "impl_1" / "xnorflow_wrapper.bit"
    handoff = work / f"project/xnorflow.{generated}/sources_1/bd/xnorflow/hw_handoff/xnorflow.hwh"
    for path in (bitfile, handoff, work / "project" / "xnorflow.xpr"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    monkeypatch.chdir(work)
    interpreter = tkinter.Tcl()
    interpreter.eval(TCL + f"cd {{{work}}}")
    script = f"source {{{folder / 'vivado' / 'bitstream.tcl'}}}"
    interpreter.eval("set progress 57%")
    with pytest.raises(tkinter.TclError, match=r"ERROR: \[xnorflow\] impl_1 ended with: route_design ERROR"):
        interpreter.eval(script)
    interpreter.eval("set progress 100%")
    interpreter.eval(script)
    assert (work / "net.bit").read_text() == "xnorflow_wrapper.bit" and (work / "net.hwh").read_text() == "xnorflow.hwh"
    assert {path.name for path in work.glob("*.rpt")} == {"timing.rpt", "utilization.rpt", "hierarchy.rpt"}
    handoff.unlink()
    with pytest.raises(tkinter.TclError, match=r"ERROR: \[xnorflow\] no file, or several, for net.hwh"):
        interpreter.eval(script)


@pytest.fixture
def finished(monkeypatch):
    """Pretend, in this process, that Vivado ran and left files; returns the scripts that it ran, and the files."""
    ran, files = [], {
        "net.bit": bit_file(b"7z020clg400"), "net.hwh": HANDOFF.encode(),
        "timing.rpt": (REPORTS / "timing_met.rpt").read_bytes(),
    }  # fmt: skip

    def run(vivado, script, log, folder, where, options):
        ran.append((Path(script).name, options))
        if Path(script).name == SCRIPTS[-1]:
            for name, content in files.items():
                (folder / name).write_bytes(content)
        return 1.5

    monkeypatch.setattr(stage, "run_script", run)
    return ran, files


def test_what_came_out_is_put_beside_the_rest(folder, vendor, finished):
    report = make(folder, jobs=4)
    assert finished[0] == [("block_design.tcl", ("4",)), ("bitstream.tcl", ("4",))]
    assert (report.board, report.part, report.vivado, report.clock_ns) == ("Pynq-Z2", "xc7z020clg400-1", "2022.2", 10.0)
    assert report.timing.wns == 4.75 and report.files == (folder / "net.bit", folder / "net.hwh")
    assert {path.name: path.read_bytes() for path in report.files} == {
        name: finished[1][name] for name in ("net.bit", "net.hwh")
    }
    make(folder, resume=True)
    assert len(finished[0]) == 2
    (folder / "rtl" / "xnorflow_fifo.sv").write_text("// another\n")
    make(folder, resume=True)
    assert len(finished[0]) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("timing.rpt", (REPORTS / "timing_missed.rpt").read_bytes(), "overlay net for Pynq-Z2: setup slack -0.25 ns"),
        ("timing.rpt", b"", "timing.rpt: no slack"),
        ("net.bit", b"STAND-IN for tests", "net.bit: no header of a .bit file"),
        ("net.bit", bit_file(b"xczu3eg-sbva484-1-e"), "net.bit: is for xczu3eg-sbva484-1-e; allowed: one for xc7z020"),
        ("net.hwh", HANDOFF.replace("odma0", "dma").encode(), "net.hwh: no cell odma0; allowed: cells idma0, "),
        ("net.hwh", None, "net.hwh is missing; allowed: what bitstream.tcl writes"),
    ],
)  # fmt: skip
def test_what_is_not_kept(name, content, message, folder, vendor, finished):
    for end in ("bit", "hwh"):
        (folder / f"net.{end}").write_text("earlier")
    if content is None:
        del finished[1][name]
    else:
        finished[1][name] = content
    with pytest.raises(SynthesizeError, match=message):
        make(folder)
    assert {(folder / f"net.{end}").read_text() for end in ("bit", "hwh")} == {"earlier"}


def test_a_disk_that_fills_up_at_the_last(folder, vendor, finished, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match=r"overlay net for Pynq-Z2: no space left on the disk of .*vivado_overlay"):
        make(folder)
    assert not list(folder.glob("*net.bit")) and not list(folder.glob(".*net.*"))


def test_neither_vitis_nor_finn_hlslib_is_wanted(folder, vendor, finished, monkeypatch):
    shutil.rmtree(vendor.folder.parent / "deps")
    (vendor.root / "bin" / "vitis_hls").unlink()
    for name in ("XILINX_HLS", "FINN_DEPS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("STANDIN_VERSION", "2023.1")
    assert make(folder).vivado == "2023.1"
    monkeypatch.delenv("XILINX_VIVADO")
    with pytest.raises(
        ToolError, match=r"Vivado: XILINX_VIVADO is not set; allowed: Vivado 2022.2 or later; run `sour"
    ):
        make(folder)
