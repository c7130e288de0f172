"""The moved folder alone is what a user has: it simulates, and its description says what its RTL is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.errors import GenerateError, OutputError
from xnorflow.artifact.host import HostCodec
from xnorflow.package.config import PackageSettings
from xnorflow.package.stage import write_package
from xnorflow.simulate.tools import find_verilator
from xnorflow.simulate.verilator import lint_design
from xnorflow.synthesize.yosys import copy_cells

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))
sys.path.insert(0, str(Path(__file__).parent))

from built_network import build_network
from elaboration import elaborate, order
from folder_contents import contents
from map_files import trunk_in

CORE = "xnorflow_small"
MODULE = re.compile(r"^\s*module\s+(\w+)", re.MULTILINE)


def make_testbench(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Compile and run as the package's README says; ``more`` goes to Verilator."""
    verilator = find_verilator()
    command = ["make", "-C", "sim", f"VERILATOR={' '.join([verilator.program, *more])}", "OPT=-O0"]
    environment = {**os.environ, "VERILATOR_ROOT": str(verilator.root)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run_testbench(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"./verilated/V{CORE}_tb"], cwd=folder / "sim" / "work", capture_output=True, text=True, check=False
    )


def test_the_testbench(package, tmp_path, design):
    """It passes; a changed result, a changed weight and a lost memory file are found."""
    folder = Path(shutil.copytree(package, tmp_path / "elsewhere"))
    done = make_testbench(folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "PASS: 5 frames without pauses, 5 with pauses" in done.stdout
    assert f"latency {design.latency_cycles} cycles" in done.stdout
    assert f"frame 4 ends {design.cycles_per_frame} cycles after the one before" in done.stdout

    work = folder / "sim" / "work"
    results = (work / f"{CORE}_out.mem").read_text()
    changed = results.splitlines()
    changed[6] = f"{int(changed[6], 16) ^ 1:0{len(changed[6])}x}"
    (work / f"{CORE}_out.mem").write_text("\n".join(changed))
    found = run_testbench(folder)
    assert found.returncode != 0 and f"FAIL: frame 1, beat 2: {changed[6]} expected" in found.stdout + found.stderr
    (work / f"{CORE}_out.mem").write_text(results)
    assert run_testbench(folder).returncode == 0

    start = work / f"{CORE}_fc1_mvau_start.mem"
    original = start.read_text()
    start.write_text("".join(f"{0:0{len(word)}x}\n" for word in original.split()))
    assert run_testbench(folder).returncode != 0
    start.unlink()
    assert run_testbench(folder).returncode != 0


@pytest.mark.full
def test_a_network_of_maps(tmp_path, golden):
    """Windows, a pool, tables in numbered files, channels last on the wire: in RTL and in C."""
    chain = trunk_in(shape=(3, 8, 8), seed=5).block(sides=1)
    folder = tmp_path / "net"
    folder.mkdir()
    build_network(chain.head().save(folder / "given.onnx"), folder, 400, 4)
    codec, vectors = HostCodec.load(folder / "host.npz"), golden(folder, 4)
    write_package(folder, tmp_path / "ip", codec, vectors, PackageSettings(name="maps"))
    done = make_testbench(tmp_path / "ip")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "PASS: 4 frames without pauses, 4 with pauses" in done.stdout
    program = tmp_path / "program"
    subprocess.run(["gcc", "-std=c99", "-o", program, tmp_path / "ip/sw/xnorflow_maps_test.c"], check=True)
    assert subprocess.run([program], capture_output=True, text=True, check=False).stdout == "PASS: 4 frames\n"


@pytest.mark.full
def test_the_bodies_for_xilinx_chips(package, tmp_path):
    """What synthesis takes gives the same results, from the memory files that only it reads."""
    folder = Path(shutil.copytree(package, tmp_path / "elsewhere"))
    copy_cells(folder)
    done = make_testbench(folder, "+define+XNORFLOW_LUT6", "-v", str(folder / "xilinx_cells.sv"))
    assert done.returncode == 0 and "PASS: 5 frames" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]


def test_every_memory_file_that_is_named_is_there(package):
    """Those of bodies that simulation leaves out, too."""
    instances = r'(?:\.\w*Files?|readmemh)\s*\("([^"\n%]+)"'
    named = {name for path in (package / "hdl").glob("*.sv") for name in re.findall(instances, path.read_text())}
    present = {path.name for path in (package / "hdl").glob("*.mem")}
    assert len(named) >= 4 and named == present


def test_every_name_starts_with_the_core(package):
    """So two cores can stand in one project."""
    for path in (package / "hdl").iterdir():
        assert path.stem == CORE or path.stem.startswith(f"{CORE}_")
        for module in MODULE.findall(path.read_text()):
            assert path.stem == module
    for path in (package / "sim").glob("*.*"):
        assert path.name.startswith(CORE)


def test_two_cores_share_no_name(write, tmp_path, package):
    other = write(tmp_path / "other", name="other")
    for folder in ("hdl", "sim"):
        names = [{path.name for path in (one / folder).iterdir()} - {"Makefile"} for one in (package, other)]
        assert not names[0] & names[1]


def test_equal_inputs_give_equal_bytes(write, tmp_path, package):
    assert contents(write(tmp_path / "again")) == contents(package)


def test_the_list_of_sources_is_complete(package):
    listed = order(package)
    assert len(set(listed)) == len(listed)
    assert {path.name for path in (package / "hdl").iterdir()} == {
        *listed, f"{CORE}.f", *(path.name for path in (package / "hdl").glob("*.mem"))
    }  # fmt: skip


def test_the_wrapper_is_verilog_2001_and_clean(package):
    """Verilator lints all of it; the Verilog top with the keywords of 2001 alone."""
    sources = [package / "hdl" / name for name in order(package)]
    assert sources[-1].name == f"{CORE}.v"
    assert lint_design(CORE, sources) == []
    verilator = find_verilator()
    done = subprocess.run(
        [verilator.program, "--lint-only", "-Wall", "+1364-2001ext+v", "--top-module", CORE, *map(str, sources)],
        env={"VERILATOR_ROOT": str(verilator.root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_synthesis_takes_the_vendors_cells_unless_told_not_to(elaborated, package, write, tmp_path):
    assert elaborated[1] > 0
    assert elaborate(package, tmp_path / "macro", "XNORFLOW_PORTABLE")[1] == 0
    portable = write(tmp_path / "portable", cells="portable")
    assert elaborate(portable, tmp_path / "cells")[1] == 0
    assert "LUT6_2 and CARRY4 of Xilinx" not in (portable / "hdl" / f"{CORE}_fc1_mvau.sv").read_text()


def test_tlast_for_several_frames(write, tmp_path, design):
    wrapper = (write(tmp_path / "ip", tlast_frames=3) / "hdl" / f"{CORE}.v").read_text()
    assert f"'d{3 * design.output.beats - 1};" in wrapper and "every 3 frames" in wrapper


def test_a_missing_file_is_named(build, codec, vectors, tmp_path):
    folder = Path(shutil.copytree(build, tmp_path / "build"))
    for name, kind in (("fc1_mvau_start.mem", "memory file"), ("fc1_mvau.sv", "source")):
        (folder / "rtl" / name).unlink()
        with pytest.raises(
            GenerateError, match=rf"^design xnorflow_top: {kind} {name} is missing; generate the design"
        ):
            write_package(folder, tmp_path / "ip", codec, vectors, PackageSettings(name="small"))
    assert not (tmp_path / "ip").exists() and sorted(path.name for path in tmp_path.iterdir()) == ["build"]


def test_a_folder_of_something_else_is_left_alone(write, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("all")
    with pytest.raises(OutputError, match=r"mine: holds other files; allowed: a folder that is new, empty or of an"):
        write(tmp_path / "mine")
    with pytest.raises(OutputError, match=r"thesis\.tex: is a file; allowed: a folder"):
        write(tmp_path / "mine" / "thesis.tex")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
