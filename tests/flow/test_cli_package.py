"""``xnorflow package``: what it writes where, its README, and what it refuses in one line without leaving a piece."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from xnorflow.flow import cli_package
from xnorflow.package import config


@pytest.fixture(scope="module")
def design(tmp_path_factory, perceptron):
    """A build as far as its RTL, with golden frames."""
    from xnorflow.flow.cli import main

    folder = tmp_path_factory.mktemp("design")
    model = perceptron(folder / "net.onnx", (16, 8, 4))
    options = ("--board", "Pynq-Z2", "--frames", "6", "--until", "generate", "--target-cycles", "20", "--quiet")
    assert main(["build", str(model), "--output", str(folder / "out"), *options]) == 0
    return folder / "out"


@pytest.fixture
def build(design, tmp_path) -> Path:
    return Path(shutil.copytree(design, tmp_path / "My Net-2"))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_choices_are_those_of_the_settings():
    assert [one.value for one in cli_package.Cells] == [one.value for one in config.Cells]


def test_a_package(cli, build, left_behind):
    done = cli("package", build)
    assert (done.code, done.err) == (0, "")
    assert "xnorflow:accelerator:xnorflow_my_net_2:1.0" in done.out
    assert done.out.splitlines()[-1] == str(build / "ip")
    assert {path.name for path in (build / "ip").iterdir()} == {
        "README.md",
        "component.xml",
        "hdl",
        "sim",
        "sw",
        "xgui",
    }
    assert not left_behind(build)
    first = {name: (build / "ip" / name).read_bytes() for name in files(build / "ip")}
    assert cli("package", build).code == 0
    assert {name: (build / "ip" / name).read_bytes() for name in files(build / "ip")} == first
    program = build / "program"
    subprocess.run(["gcc", "-std=c99", "-o", program, build / "ip/sw/xnorflow_my_net_2_test.c"], check=True)
    assert subprocess.run([program], capture_output=True, text=True).stdout == "PASS: 4 frames\n"


def test_the_options(cli, build, tmp_path):
    options = (
        "--name",
        "net",
        "--vendor",
        "lab.example",
        "--library",
        "nets",
        "--version",
        "3.1",
        "--cells",
        "portable",
    )
    done = cli("package", build, *options, "--frames", 2, "--tlast-frames", 2, "--output", tmp_path / "core", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert not (build / "ip").exists()
    component = (tmp_path / "core" / "component.xml").read_text()
    for tag, value in (("vendor", "lab.example"), ("library", "nets"), ("name", "xnorflow_net"), ("version", "3.1")):
        assert f"<spirit:{tag}>{value}</spirit:{tag}>" in component
    assert "XNORFLOW_NET_VECTORS 2\n" in (tmp_path / "core/sw/xnorflow_net_vectors.h").read_text()
    assert "XNORFLOW_NET_FRAMES_PER_TLAST 2\n" in (tmp_path / "core/sw/xnorflow_net.h").read_text()


def test_the_readme_says_how_each_figure_was_found(cli, build):
    interval = json.loads((build / "design.json").read_text())["cycles_per_frame"]
    assert cli("package", build).code == 0
    readme = (build / "ip" / "README.md").read_text()
    assert f"| interval | {interval:,} cycles a frame | cycle model" in readme
    assert "cycles x assumed 10 ns clock" in readme and "yosys" not in readme.split("## See it work")[0]
    total = {"LUT": 1234, "FF": 567, "LUTRAM": 8, "BRAM36": 1.5, "DSP": 0}
    report = {"board": "Pynq-Z2", "family": "xc7", "total": total}
    (build / "report" / "yosys_synth_xc7.json").write_text(json.dumps(report))
    (build / "report" / "simulation.json").write_text(json.dumps({"mismatches": 0, "frames": 6}))
    assert cli("package", build).code == 0
    readme = (build / "ip" / "README.md").read_text()
    assert (
        "| LUT | 1,234 | yosys, mapped cells, xc7, with Xilinx cells, without TLAST's counter |" in readme
        and "| BRAM36 | 1.5 |" in readme
    )
    assert "| differing results | 0 of 6 frames | RTL in Verilator" in readme


def test_a_new_design_takes_the_old_package_away(cli, build, tmp_path, perceptron):
    assert cli("package", build).code == 0
    model = perceptron(tmp_path / "net.onnx", (16, 6, 4), seed=2)
    assert cli("build", model, "--output", build, "--board", "Pynq-Z2", "--frames", 4, "--until", "generate").code == 0
    assert (build / "design.json").is_file() and not (build / "ip").exists()


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--name", "9a", "'9a'; allowed: a lower-case letter, then lower-case letters, digits and '_', 48 at most"),
        ("--vendor", "a,b", "'a,b'; allowed: a letter, then letters, digits, '.', '-' and '_', 64 at most"),
        ("--library", "", "''; allowed: a letter, then letters"),
        ("--version", "1", "'1'; allowed: two numbers with a dot between, e.g. 1.0"),
        ("--frames", "0", "0; allowed: greater than or equal to 1"),
        ("--tlast-frames", "0", "0; allowed: greater than or equal to 1"),
        ("--cells", "ecp5", "'ecp5' is not one of 'xilinx', 'portable'"),
        ("--axi", "full", "No such option: --axi"),
    ],
)
def test_an_option_out_of_range(cli, build, left_behind, option, value, allowed):
    before = files(build)
    done = cli("package", build, option, value)
    assert done.code == 2 and allowed in done.error_line() and option in done.error_line()
    assert files(build) == before and not left_behind(build)


def test_no_design(cli, build, tmp_path, left_behind):
    (build / "design.json").unlink()
    done = cli("package", build)
    assert done.code == 2
    assert "design.json: missing or not a design description" in done.error_line()
    assert "run `xnorflow build` first" in done.error_line()
    nowhere = cli("package", tmp_path / "nowhere")
    assert nowhere.code == 2 and "no such folder; allowed: runs/<name>" in nowhere.error_line()
    assert not (build / "ip").exists() and not left_behind(tmp_path)


def test_a_design_in_c(cli, build, left_behind):
    (build / "design.json").rename(build / "hls_design.json")
    done = cli("package", build)
    assert done.code == 2
    assert "is C++ for HLS; allowed: a design in RTL; let Vitis HLS export its own IP" in done.error_line()
    assert not (build / "ip").exists() and not left_behind(build)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("golden.npz", "golden vectors {build}/golden.npz: missing or unreadable"),
        ("host.npz", "build {build}: host.npz is missing; run `xnorflow build` first"),
        ("rtl/fc1_mvau_start.mem", "design xnorflow_top: memory file fc1_mvau_start.mem is missing"),
        ("rtl/xnorflow_top.sv", "design xnorflow_top: source xnorflow_top.sv is missing"),
    ],
)
def test_a_build_that_lacks_a_file(cli, build, left_behind, name, message):
    (build / name).unlink()
    done = cli("package", build)
    assert done.code == 2 and message.format(build=build) in done.error_line()
    assert not (build / "ip").exists() and not left_behind(build)


def test_a_folder_that_cannot_be_written(cli, build, tmp_path, left_behind):
    """A path below a regular file: root, who may write anywhere, cannot either."""
    (tmp_path / "file").write_text("mine")
    done = cli("package", build, "--output", tmp_path / "file" / "core")
    assert done.code == 2
    assert "allowed: a folder you may write to; choose another folder" in done.error_line()
    assert not left_behind(tmp_path)


def test_a_folder_with_other_files_stays(cli, build, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("all of it")
    done = cli("package", build, "--output", tmp_path / "mine")
    assert done.code == 2 and "mine: holds other files; allowed: a folder that is new, empty or" in done.error_line()
    assert files(tmp_path / "mine") == {"thesis.tex"}


def test_an_interrupted_package_leaves_the_old_one(cli, build, monkeypatch, left_behind):
    assert cli("package", build).code == 0
    before = (build / "ip" / "README.md").read_bytes()
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli("package", build, "--vendor", "other").code == 130
    monkeypatch.undo()
    assert (build / "ip" / "README.md").read_bytes() == before and not left_behind(build)
