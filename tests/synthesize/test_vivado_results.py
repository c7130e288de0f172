"""What becomes of what FINN wrote, and of its failures; its steps are replaced by what they leave."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from qonnx.transformation.base import Transformation

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, InputModelError, OutputError, SynthesizeError, ToolError
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import SilentProgress
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.synthesize import vivado_bitstream as stage
from xnorflow.synthesize.vivado import VivadoSettings
from xnorflow.synthesize.vivado_bitstream import build_bitstream

sys.path.insert(0, str(Path(__file__).parent))

from bit_files import bit_file

REPORTS = Path(__file__).parent / "vivado_reports"
RESULTS = ("bitfile/finn-accel.bit", "bitfile/finn-accel.hwh", "report/post_synth_report.xml",
           "report/post_synth_resources.json", "report/post_route_timing.rpt")  # fmt: skip


def make(build: Path, **settings):
    return build_bitstream(build, VivadoSettings(jobs=1, **settings), SilentProgress())


@pytest.fixture
def finished(monkeypatch):
    """Pretend, in this process, that FINN's steps ran and wrote what they write; returns what they write."""
    contents = {name: name.encode() for name in RESULTS}
    contents["bitfile/finn-accel.bit"] = bit_file(b"7z020clg400")
    contents["report/post_route_timing.rpt"] = (REPORTS / "timing_met.rpt").read_bytes()

    def write(model, job):
        for name, content in contents.items():
            (job.output / name).parent.mkdir(parents=True, exist_ok=True)
            (job.output / name).write_bytes(content)
        return model

    monkeypatch.setattr(stage, "_STEPS", {"bitstream": write})
    return contents


def test_what_finn_wrote_is_kept(build, vendor, finished):
    report = make(build)
    assert (report.board, report.part, report.vivado) == ("Pynq-Z2", "xc7z020clg400-1", "2022.2")
    assert (report.timing.wns, report.clock_ns, report.files) == (4.75, 10.0, tuple(build / name for name in RESULTS))
    assert {name: (build / name).read_bytes() for name in RESULTS} == finished


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("report/post_route_timing.rpt", "timing_missed", "bitstream for Pynq-Z2: setup slack -0.25 ns at 10 ns"),
        ("bitfile/finn-accel.bit", b"STAND-IN for tests", "finn-accel.bit: no header of a .bit file; allowed: "),
        ("bitfile/finn-accel.bit", b"xczu3eg-sbva484-1-e", "finn-accel.bit: is for xczu3eg-sbva484-1-e; allowed: "),
        ("bitfile/finn-accel.hwh", None, "step bitstream: bitfile/finn-accel.hwh is missing; allowed: all"),
    ],
)  # fmt: skip
def test_what_is_not_kept(name, content, message, build, vendor, finished):
    for earlier in RESULTS:
        (build / earlier).parent.mkdir(exist_ok=True)
        (build / earlier).write_text("earlier")
    if content is None:
        del finished[name]
    elif content == "timing_missed":
        finished[name] = (REPORTS / "timing_missed.rpt").read_bytes()
    else:
        finished[name] = bit_file(content) if content.startswith(b"xc") else content
    with pytest.raises(SynthesizeError, match=message):
        make(build)
    assert {(build / earlier).read_text() for earlier in RESULTS} == {"earlier"}


UTILIZATION = """<?xml version="1.0"?>
<RptDoc><section title="Utilization by Hierarchy"><table>
<tablerow><tableheader contents="Instance"/><tableheader contents="Module"/><tableheader contents="Total LUTs"/>
<tableheader contents="Logic LUTs"/><tableheader contents="LUTRAMs"/><tableheader contents="SRLs"/>
<tableheader contents="FFs"/><tableheader contents="RAMB36"/><tableheader contents="RAMB18"/>
<tableheader contents="DSP Blocks"/></tablerow>
<tablerow><tablecell contents="top_wrapper"/><tablecell contents="(top)"/><tablecell contents=" 5000 "/>
<tablecell contents="4800"/><tablecell contents="200"/><tablecell contents="10"/><tablecell contents="7000"/>
<tablecell contents="6"/><tablecell contents="3"/><tablecell contents="1"/></tablerow>
<tablerow><tablecell contents="  fc0_mvau"/><tablecell contents="fc0_mvau_cell"/><tablecell contents="900"/>
<tablecell contents="880"/><tablecell contents="20"/><tablecell contents="0"/><tablecell contents="600"/>
<tablecell contents="2"/><tablecell contents="1"/><tablecell contents="0"/></tablerow>
</table></section></RptDoc>
"""


def test_finns_own_step_leaves_what_is_kept(build, vendor, monkeypatch, tmp_path):
    """All but ZynqBuild itself is FINN's: names of files, and its reading of the hierarchical utilization."""
    prepare_finn()
    from finn.builder import build_dataflow_steps

    class Made(Transformation):
        """Leaves what a project of ZynqBuild leaves."""

        def __init__(self, *arguments, **options):
            super().__init__()
            assert arguments[0] == "Pynq-Z2" and arguments[1] == 10.0

        def apply(self, model):
            routed = tmp_path / "finn_zynq_link.runs" / "impl_1" / "top_wrapper_timing_summary_routed.rpt"
            routed.parent.mkdir(parents=True)
            shutil.copyfile(REPORTS / "timing_met.rpt", routed)
            (tmp_path / "resizer.bit").write_bytes(bit_file(b"7z020clg400"))
            (tmp_path / "resizer.hwh").write_text("<EDKSYSTEM/>")
            (tmp_path / "synth_report.xml").write_text(UTILIZATION)
            for key, name in (
                ("bitfile", "resizer.bit"), ("hw_handoff", "resizer.hwh"), ("vivado_synth_rpt", "synth_report.xml"),
                ("vivado_pynq_proj", ""),
            ):  # fmt: skip
                model.set_metadata_prop(key, str(tmp_path / name))
            return model, False

    monkeypatch.setattr(build_dataflow_steps, "ZynqBuild", Made)
    monkeypatch.setattr(stage, "_STEPS", {"bitstream": stage._synthesize})
    files = make(build).files
    assert files == tuple(build / name for name in RESULTS) and all(path.is_file() for path in files)
    resources = json.loads((build / "report" / "post_synth_resources.json").read_text())
    assert resources["(top)"] == {"LUT": 5000, "SRL": 10, "FF": 7000, "BRAM_36K": 6, "BRAM_18K": 3, "DSP": 1}
    assert (resources["fc0_mvau"]["LUT"], resources["fc0_mvau"]["BRAM_18K"]) == (900, 1)


def test_a_disk_that_fills_up_at_the_last(build, vendor, finished, monkeypatch):
    for earlier in RESULTS:
        (build / earlier).parent.mkdir(exist_ok=True)
        (build / earlier).write_text("earlier")
    copied, copy = [], shutil.copyfile

    def full(source, target):
        copied.append(target)
        if len(copied) == 3:
            raise OSError(28, "No space left on device", str(target))
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match=rf"bitstream for Pynq-Z2: no space left on the disk of {build}; allowed: "):
        make(build)
    assert {(build / earlier).read_text() for earlier in RESULTS} == {"earlier"}
    assert not [path for name in ("bitfile", "report") for path in (build / name).glob(".*")]


def test_board_files_that_are_missing(build, vendor, monkeypatch):
    def finn(model, job):
        project = job.folder / "bitstream" / "vivado_zynq_proj_x"
        project.mkdir()
        (project / "vivado.log").write_text(
            "ERROR: [Board 49-71] The board_part definition was not found for tul.com.tw:pynq-z2:part0:1.0. The "
            "project's"
        )
        raise RuntimeError("Synthesis failed, no bitfile found")

    monkeypatch.setattr(stage, "_STEPS", {"bitstream": finn})
    with pytest.raises(
        ToolError, match=r"Vivado's board files: tul.com.tw:pynq-z2:part0:1.0 is not among them; allowed"
    ):
        make(build)


def test_finn_fails_without_a_log(build, vendor, monkeypatch):
    def finn(model, job):
        raise RuntimeError("no\nsuch thing")

    monkeypatch.setattr(stage, "_STEPS", {"hls_ip": finn})
    with pytest.raises(
        SynthesizeError, match=r"step hls_ip: FINN failed \(RuntimeError: no such thing\); see .*--debug"
    ):
        make(build)


def test_finn_fills_the_disk(build, vendor, monkeypatch):
    def finn(model, job):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage, "_STEPS", {"hls_ip": finn})
    with pytest.raises(OutputError, match=r"step hls_ip: no space left on the disk of .*vivado_finn/hls_ip; allowed: "):
        make(build)


def test_what_is_refused_before_anything_starts(build, vendor, tmp_path, monkeypatch):
    replace(Design.load(build / "design.json"), board="ZCU102").save(build / "design.json")
    with pytest.raises(
        ConfigError, match="board 'ZCU102': FINN makes no bitstream for it; allowed: Pynq-Z1, Pynq-Z2, "
    ):
        make(build)
    replace(Design.load(build / "design.json"), board="Pynq-Z2").save(build / "design.json")
    spaced = Path(shutil.copytree(build, tmp_path / "my build"))
    with pytest.raises(
        OutputError, match=r"build folder .*/my build: a path with a space; allowed: a path without one"
    ):
        make(spaced)
    (vendor.folder.parent / "deps" / "finn-hlslib" / "dma.h").unlink()
    with pytest.raises(
        ToolError, match=r"finn-hlslib: no dma.h in .*deps/finn-hlslib; allowed: a checkout of it in the "
    ):
        make(build)
    (build / "intermediate_models" / "step_generate_estimate_reports.onnx").unlink()
    with pytest.raises(InputModelError, match=r"graph .*: missing; allowed: what `xnorflow build` leaves there; run"):
        make(build)
    assert vendor.records() == []


def test_cpp_has_no_way_out_of_context(build, vendor, refused):
    design = Design.load(build / "design.json")
    HlsDesign(
        "top", "hls", (), 1024, design.board, design.part, 10.0, design.input, design.output, (), design.artifact_sha256
    ).save(build / HLS_DESIGN_FILE)
    assert refused("synthesize", build, "--target", "vivado", "--out-of-context") == (
        "option --out-of-context: the design is C++ for HLS; allowed: a design in RTL; leave the option out, or build "
        "with "
        "--backend rtl"
    )
    assert json.loads((build / HLS_DESIGN_FILE).read_text())["top"] == "top"
