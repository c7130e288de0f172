"""Out of context: what the scripts ask Vivado for, and what becomes of its reports and failures. No Vivado runs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.boards.catalog import board_names, load_board
from xnorflow.simulate.verilator import lint_design
from xnorflow.synthesize import vivado as stage
from xnorflow.synthesize.vivado import VivadoSettings, place_out_of_context, write_ooc_scripts

REPORTS, GOLDEN = Path(__file__).parent / "vivado_reports", Path(__file__).parent / "golden"
REPORT = "report/ooc_synth_and_timing.json"


def place(build: Path, **settings):
    return place_out_of_context(build, VivadoSettings(out_of_context=True, **settings), SilentProgress())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def old_report(build):
    """A report of an earlier run; returns whether it is as it was."""
    path = build / REPORT
    path.write_text("earlier")
    return lambda: path.read_text() == "earlier"


@pytest.fixture
def routed(monkeypatch):
    """Pretend, in this process, that Vivado ran and left the reports of a folder; returns the scripts that it ran."""
    ran, reports = [], {"utilization": "xc7_utilization", "timing": "timing_met", "power": "power"}

    def run(vivado, script, log, folder, where):
        ran.append(script)
        if script == "route.tcl":
            for name, report in reports.items():
                shutil.copyfile(REPORTS / f"{report}.rpt", folder / f"ooc_{name}.rpt")
            clock = (folder / "clock.xdc").read_text().split("-period ")[1].split()[0]
            (folder / "ooc_metadata.txt").write_text(f"clk_period_ns={clock}\nvivado_version={vivado.version}\n")
        return 1.5

    monkeypatch.setattr(stage, "run_script", run)
    return ran, reports


@pytest.mark.parametrize("name", ["synthesize.tcl", "route.tcl", "clock.xdc"])
def test_the_scripts_are_as_reviewed(name, small_network, tmp_path, request):
    write_ooc_scripts(small_network, Design.load(small_network / "design.json"), 10.0, tmp_path)
    text, golden = (tmp_path / name).read_text(), GOLDEN / f"ooc_{name}"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text(), "look at the difference; if it is meant: pytest --update-golden"


def test_what_vivado_is_asked_for(build, vendor, old_report):
    """All files are there, the top and its clock too, for the right part; the stand-in makes nothing and says so."""
    with pytest.raises(SynthesizeError, match=r"xc7z020clg400-1: Vivado ended with code 3; the log ends: .*STAND-IN"):
        place(build)
    (record,) = vendor.records()
    assert (record["code"], record["part"], record["clocks"]) == (3, "xc7z020clg400-1", {"ap_clk": 10.0})
    design = Design.load(build / "design.json")
    memories = sorted(path.name for path in (build / "rtl").glob("*.mem"))
    assert record["files"] == [Path(source).name for source in design.sources] + memories and len(memories) == 7
    synthesis = ["synth_design", "-top", "xnorflow_top", "-part", "xc7z020clg400-1", "-mode", "out_of_context",
                 "-verilog_define", "XNORFLOW_LUT6=1"]  # fmt: skip
    assert record["not_done"] == [synthesis, ["write_checkpoint", "-force", "xnorflow_top_synth.dcp"]]
    assert old_report() and not list((build / "obj").rglob("*.dcp"))


def test_what_is_asked_for_behind_synthesis(build, vendor, small_network, tmp_path, monkeypatch):
    folder = tmp_path / "route"
    folder.mkdir()
    write_ooc_scripts(small_network, Design.load(small_network / "design.json"), 5.0, folder)
    monkeypatch.chdir(folder)
    tool = stage.Vivado(vendor.root, vendor.root / "bin" / "vivado", "2022.2")
    with pytest.raises(SynthesizeError, match="Vivado ended with code 3"):
        stage.run_script(tool, "route.tcl", tmp_path / "log", folder, "x")
    (record,) = vendor.records()
    assert [command[0] for command in record["not_done"]] == [
        "open_checkpoint", "opt_design", "place_design", "phys_opt_design", "route_design", "write_checkpoint",
        "report_utilization", "report_timing_summary", "report_power", "report_utilization",
    ]  # fmt: skip
    assert record["not_done"][0][1] == "xnorflow_top_synth.dcp"
    assert (folder / "ooc_metadata.txt").read_text().splitlines()[0] == "clk_period_ns=5.0"
    assert sorted(path.name for path in folder.glob("*.rpt")) == []


def test_the_files_are_a_whole_design(small_network, tmp_path):
    """Verilator reads what Vivado gets, with the macro that Vivado gets."""
    write_ooc_scripts(small_network, Design.load(small_network / "design.json"), 10.0, tmp_path)
    script = (tmp_path / "synthesize.tcl").read_text()
    sources = [tmp_path / line.split()[-1] for line in script.splitlines() if line.startswith("read_verilog")]
    assert lint_design("xnorflow_top", sources, defines=["XNORFLOW_LUT6"]) == []
    assert lint_design("xnorflow_top", sources[1:], defines=["XNORFLOW_LUT6"]) != []


@pytest.mark.parametrize("board", board_names())
def test_every_board_has_its_part(board, build, vendor):
    chosen = load_board(board)
    replace(Design.load(build / "design.json"), board=board, part=chosen.part).save(build / "design.json")
    with pytest.raises(SynthesizeError, match="code 3"):
        place(build)
    assert vendor.records()[0]["part"] == chosen.part


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("read_verilog -sv fc1_mvau.sv", "read_verilog -sv fc1_mvaux.sv", "no file fc1_mvaux.sv"),
        ("read_mem fc1_mvau_start.mem", "read_mem fc1_mvau.sv", "fc1_mvau.sv is no memory file"),
        ("-part xc7z020clg400-1 -mode", "-part xc7z020clg484-1 -mode", "part xc7z020clg484-1 is none"),
        ("-top xnorflow_top", "-top xnorflow_tip", "no module xnorflow_tip was read"),
        ("synth_design", "synthesize_design", "unknown command: synthesize_design"),
        ("synth_design -top", "exec touch made; synth_design -top", "unknown command: exec"),
        ("read_xdc -mode out_of_context clock.xdc", "", "no clock"),
        ("clock.xdc\n", "other.xdc\n", "no file other.xdc"),
    ],
)
def test_the_stand_in_sees_what_is_wrong(old, new, found, build, vendor, monkeypatch, small_network):
    """Else it would be of no use that it finds nothing in the scripts as they are."""
    render = stage._render

    def changed(inputs):
        texts = render(inputs)
        assert old in texts["synthesize.tcl"]
        return {**texts, "synthesize.tcl": texts["synthesize.tcl"].replace(old, new)}

    monkeypatch.setattr(stage, "_render", changed)
    with pytest.raises(SynthesizeError, match=f"Vivado ended with code 1: .*{found}"):
        place(build)
    assert vendor.records()[0]["code"] == 1 and not list(build.rglob("made"))


def test_the_stand_in_sees_a_clock_that_is_no_port(build, vendor, monkeypatch):
    render = stage._render
    monkeypatch.setattr(
        stage, "_render", lambda inputs: {**render(inputs), "clock.xdc": "create_clock -period 5 [get_ports clk]\n"}
    )
    with pytest.raises(SynthesizeError, match=r"no input clk of one bit: .*'ap_clk'"):
        place(build)


def test_reports_become_finns_file(build, vendor, routed):
    report = place(build, frequency_mhz=100)
    content, design = json.loads((build / REPORT).read_text()), Design.load(build / "design.json")
    assert list(routed[0]) == ["synthesize.tcl", "route.tcl"]
    assert content["path"] == report.path == "routed out of context, Vivado 2022.2, xc7z020clg400-1"
    assert (content["LUT"], content["FF"], content["WNS"], content["WHS"]) == (1602, 1385, 4.75, 0.034)
    assert (content["design"], content["board"], content["met"]) == ("xnorflow_top", "Pynq-Z2", True)
    assert content["estimated_throughput_fps"] == content["fmax_mhz"] * 1e6 / design.cycles_per_frame
    assert content["vivado_proj_folder"] == str(build / "obj" / "vivado_ooc")


def test_timing_that_is_not_met_leaves_the_earlier_report(build, vendor, routed, old_report):
    routed[1]["timing"] = "timing_missed"
    with pytest.raises(
        SynthesizeError, match=r"setup slack -0.25 ns at 10 ns, from i_fc0.*: timing not met; allowed: "
    ):
        place(build)
    assert old_report() and (build / "obj" / "vivado_ooc" / "ooc_timing.rpt").is_file()


def test_an_interrupted_run_goes_on(build, vendor, routed, monkeypatch):
    ran, _ = routed
    run = stage.run_script

    def interrupted(vivado, script, *rest):
        if script == "route.tcl":
            raise KeyboardInterrupt
        return run(vivado, script, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "run_script", interrupted)
        with pytest.raises(KeyboardInterrupt):
            place(build)
    (build / "obj" / "vivado_ooc" / "xnorflow_top_synth.dcp").write_text("the first script's")
    place(build, resume=True)
    assert ran == ["synthesize.tcl", "route.tcl"]
    assert (build / "obj" / "vivado_ooc" / "xnorflow_top_synth.dcp").is_file()
    place(build, resume=True)
    assert len(ran) == 2  # nothing left to do but to read the reports
    place(build)
    assert len(ran) == 4 and not (build / "obj" / "vivado_ooc" / "xnorflow_top_synth.dcp").exists()


@pytest.mark.parametrize("change", ["source", "clock", "record"])
def test_other_work_is_not_gone_on_with(change, build, vendor, routed):
    place(build)
    if change == "source":
        edit(build / "rtl" / "fc1_mvau.sv", "endmodule", "// changed\nendmodule")
    elif change == "record":
        (build / "obj" / "vivado_ooc" / "steps.json").write_text("{")
    place(build, resume=True, frequency_mhz=50 if change == "clock" else None)
    assert len(routed[0]) == 4


def test_without_a_source_nothing_starts(build, vendor, routed):
    (build / "rtl" / "fc1_mvau.sv").unlink()
    with pytest.raises(SynthesizeError, match=r"source rtl/fc1_mvau.sv is missing; generate the design again"):
        place(build)
    assert routed[0] == []
