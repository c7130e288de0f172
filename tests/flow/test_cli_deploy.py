"""``xnorflow deploy``: what it writes, and what it refuses in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.progress import SilentProgress
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.flow import vendor
from xnorflow.flow.deploy import write_folder, write_virtual_overlay
from xnorflow.flow.folders import Folders
from xnorflow.simulate.ports import SocPorts
from xnorflow.simulate.verilator import compile_design
from xnorflow.simulate.virtual_board import VirtualBoard
from xnorflow.synthesize.bitstream import BitstreamReport
from xnorflow.synthesize.vivado_report import Timing


@pytest.fixture(scope="module")
def design(tmp_path_factory, perceptron):
    """A build as far as its RTL, with golden frames."""
    from xnorflow.flow.cli import main

    folder = tmp_path_factory.mktemp("design")
    model = perceptron(folder / "net.onnx", (16, 8, 4))
    options = ("--board", "ZCU104", "--frames", "6", "--until", "generate", "--target-cycles", "20", "--quiet")
    assert main(["build", str(model), "--output", str(folder / "out"), *options]) == 0
    return folder / "out"


@pytest.fixture
def build(design, tmp_path) -> Path:
    return Path(shutil.copytree(design, tmp_path / "net"))


def test_a_folder_that_is_tried_on_a_virtual_board(cli, build, left_behind):
    done = cli("deploy", build)
    assert (done.code, done.err) == (0, "")
    assert "6 golden frames, words of 128 bits" in done.out
    assert "6 golden frames equal, " in done.out and "virtual board, simulated: cycles x assumed" in done.out
    assert done.out.splitlines()[-1] == str(build / "deploy")
    names = {path.name for path in (build / "deploy").iterdir()}
    overlay = {"net.bit", "net.hwh", "virtual.json"}
    assert names == {"accelerator.json", "host.npz", "golden.npz", "settings.json", "rtl", "vivado", "obj", *overlay}
    assert not left_behind(build)
    assert cli("manifest", build).code == 0
    (build / "deploy" / "rtl" / "xnorflow_shell.v").write_text("// mine\n", encoding="utf-8")
    assert "deploy/rtl/xnorflow_shell.v was changed" in cli("manifest", build).error_line()


def test_a_real_bitstream_is_not_replaced(build):
    """By a virtual one; an earlier virtual one is."""
    folder, library = build / "deploy", build / "deploy" / "obj" / "library.so"
    design = Design.load_rtl(build / "design.json")
    write_folder(Folders.find(build), design, folder, 4, 64, SilentProgress())
    library.parent.mkdir()
    library.write_bytes(b"")
    bit = folder / "net.bit"
    write_virtual_overlay(folder, library)
    virtual = bit.read_bytes()
    bit.write_bytes(virtual + b"older")
    write_virtual_overlay(folder, library)
    assert bit.read_bytes() == virtual
    bit.write_bytes(bytes.fromhex("ffffffffaa995566"))
    write_virtual_overlay(folder, library)
    assert bit.read_bytes() == bytes.fromhex("ffffffffaa995566")


def test_nothing_to_deploy(cli, build, tmp_path):
    assert "option --data-bits: 48; allowed: 32, 64, 128" in cli("deploy", build, "--data-bits", "48").error_line()
    (build / "rtl" / "xnorflow_fold_steps.sv").unlink()
    line = cli("deploy", build, "--no-test").error_line()
    assert "xnorflow_fold_steps.sv is missing; build again" in line and not (build / "deploy").exists()
    (build / "design.json").unlink()
    done = cli("deploy", build)
    assert done.code == 2 and "run `xnorflow build` first" in done.error_line()
    assert cli("deploy", tmp_path / "none").code == 2


def test_a_bitstream_stays_where_it_still_belongs(cli, build):
    assert cli("deploy", build, "--no-test").code == 0
    for end in ("bit", "hwh"):
        (build / "deploy" / f"net.{end}").write_text(end)
    assert cli("deploy", build, "--no-test", "--frames", "3").code == 0
    assert {path.name: path.read_text() for path in (build / "deploy").glob("net.*")} == {
        "net.bit": "bit", "net.hwh": "hwh"
    }  # fmt: skip
    assert "net.hwh was of another design" in cli("deploy", build, "--no-test", "--data-bits", "64").out
    assert not list((build / "deploy").glob("net.*"))


def test_vivado_takes_what_is_deployed(cli, build, monkeypatch):
    """At the clock that is asked for, which then is the description's too; with as many golden frames as before."""
    given = []

    def run(folder, logs, settings, progress):
        given.append((folder, logs, settings.frequency_mhz, settings.jobs))
        files = tuple(folder / f"net.{end}" for end in ("bit", "hwh"))
        for path in files:
            path.write_text("stand-in")
        return BitstreamReport("ZCU104", "xczu7ev-ffvc1156-2-e", 20.0, "2024.2", Timing(0.5, 0.1, True, None), files)

    monkeypatch.setattr(vendor, "build_overlay", run)
    assert cli("deploy", build, "--no-test", "--frames", "3", "--data-bits", "64").code == 0
    done = cli("synthesize", build, "--target", "vivado", "--frequency", "50", "--jobs", "3")
    assert (done.code, done.err) == (0, "") and given == [(build / "deploy", build / "obj", 50, 3)]
    assert "50 MHz" in done.out and "routed, Vivado 2024.2, whole chip" in done.out
    assert done.out.splitlines()[-2:] == [str(build / "deploy" / name) for name in ("net.bit", "net.hwh")]
    description = json.loads((build / "deploy" / "accelerator.json").read_text())
    assert (description["clock_ns"], description["data_bits"]) == (20.0, 64)
    assert "PL0_REF_CTRL__FREQMHZ 50 " in (build / "deploy" / "vivado" / "block_design.tcl").read_text()
    assert cli("manifest", build).code == 0
    assert json.loads((build / "manifest.json").read_text())["tools"]["vivado"] == "2024.2"
    assert "3 golden frames" in cli("deploy", build, "--no-test", "--frames", "3").out
    (build / "hls_design.json").write_text("{}")
    assert cli("synthesize", build, "--target", "vivado").error_line() == (
        "error: option --shell xnorflow: the design is C++ for HLS; allowed: a design in RTL; add --shell finn, or "
        "build with --backend rtl"
    )


def test_a_package_of_the_overlay(cli, build):
    refused = cli("deploy", build, "--no-test", "--package", "My Net").error_line()
    assert "option --package: 'My Net'; allowed: lower-case" in refused and not (build / "deploy").exists()
    line = cli("deploy", build, "--no-test", "--package", "my-net").error_line()
    assert "net.bit: missing; allowed: a .bit and the .hwh" in line and not (build / "package").exists()
    part = b"xczu7ev-ffvc1156-2-e\0"
    head = bytes.fromhex("00090ff00ff00ff00ff0000001") + b"a\0\2n\0b" + len(part).to_bytes(2, "big") + part
    (build / "deploy" / "net.bit").write_bytes(head)
    (build / "deploy" / "net.hwh").write_text('<MODULE INSTANCE="idma0"/><MODULE INSTANCE="odma0"/>')
    done = cli("deploy", build, "--no-test", "--package", "my-net")
    assert (done.code, done.err) == (0, "") and "my-net, no labeled images" in done.out
    assert done.out.splitlines()[-1] == str(build / "package")
    assert (build / "package" / "my_net" / "overlays" / "net" / "net.bit").read_bytes() == head
    assert cli("manifest", build).code == 0


@pytest.mark.full
def test_what_vivado_reads_computes_golden_frames(cli, build, tmp_path):
    """The sources as block_design.tcl prepares them, simulated from a folder without memory files."""
    pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    assert cli("deploy", build, "--no-test").code == 0
    folder, work = build / "deploy", tmp_path / "vivado"
    (work / "records").mkdir(parents=True)
    standin = Path(__file__).parents[1] / "synthesize" / "standins" / "vivado.py"
    variables = {**os.environ, "STANDIN_RECORD": str(work / "records"), "STANDIN_GO_ON": "1"}
    script = ("-mode", "batch", "-source", folder / "vivado" / "block_design.tcl")
    subprocess.run([sys.executable, standin, *script], cwd=work, env=variables, check=True)
    names = (folder / "rtl" / "xnorflow_shell.f").read_text().split()
    sources = [*(work / "sources" / name for name in names[:-1]), folder / "rtl" / names[-1]]
    library = compile_design("xnorflow_shell", sources, work / "obj", ports=SocPorts())
    with Accelerator(folder, VirtualBoard(library, work / "records")) as accelerator:
        assert accelerator.self_test() == 6
