"""``xnorflow board``: what it prepares, what it runs, and what it refuses."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from xnorflow.flow import board, board_environment
from xnorflow.flow.cli import main


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The command lines that processes were to become, with a Python of pynq's that there is none of."""
    commands = []
    monkeypatch.setattr(board, "board_python", lambda: tmp_path / "python")
    monkeypatch.setattr(board.os, "execve", lambda python, command, variables: commands.append(command[1:]))
    return commands


@pytest.fixture
def build(deployed, tmp_path):
    return shutil.copytree(deployed, tmp_path / "net", ignore=shutil.ignore_patterns("virtual_board", "deploy"))


def test_start_and_run(started, build):
    """For another board than the design's, in a folder of its own that is kept while the design is the same."""
    assert main(["board", "start", "--design", str(build), "--board", "zcu104", "--quiet"]) == 0
    folder = build / "virtual_board" / "ZCU104"
    common = ["--design", str(folder), "--board", "ZCU104"]
    assert started == [["-m", "xnorflow.virtual_board.server", *common, "--port", "7967"]]
    description = json.loads((folder / "accelerator.json").read_text())
    assert (description["board"], description["part"], description["data_bits"]) == (
        "ZCU104",
        "xczu7ev-ffvc1156-2-e",
        128,
    )
    before = (folder / "net.bit").stat().st_mtime_ns
    arguments = ["--design", str(build), "--board", "ZCU104", "script.py", "--design", "x", "-m"]
    assert main(["board", "run", *arguments]) == 0
    assert started[1:] == [["-m", "xnorflow.virtual_board.run", *common, "script.py", "--design", "x", "-m"]]
    assert (folder / "net.bit").stat().st_mtime_ns == before
    (folder / "rtl" / "xnorflow_top.sv").write_text("")
    assert main(["board", "run", "--quiet", *arguments]) == 0
    assert (folder / "net.bit").stat().st_mtime_ns != before
    assert (folder / "rtl" / "xnorflow_top.sv").stat().st_size > 0


def test_a_deployed_folder_is_taken_as_it_is(started, deployed):
    folder = deployed / "deploy"
    assert main(["board", "run", "--design", str(folder), "-m", "module", "-x"]) == 0
    assert started == [
        ["-m", "xnorflow.virtual_board.run", "--design", str(folder), "--board", "Pynq-Z2", "-m", "module", "-x"]
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "zcu105"], "board 'zcu105': unknown; allowed: AUP-ZU3, KV260"),
        (["--design", "nowhere"], "folder nowhere: no such folder; allowed: runs/<name>"),
    ],
)
def test_refusals(started, deployed, capsys, arguments, message):
    assert main(["board", "start", "--design", str(deployed), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not started


def test_no_environment(deployed, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_BOARD_VENV", str(tmp_path))
    assert main(["board", "start", "--design", str(deployed)]) == 2
    assert capsys.readouterr().err == (
        f"error: environment {tmp_path}: no Python there; allowed: an environment with pynq, apart from this one; "
        "run `make board-env`, or let XNORFLOW_BOARD_VENV name one\n"
    )


def test_an_environment_without_pynq(deployed, capsys, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv("XNORFLOW_BOARD_VENV", str(tmp_path))
    assert main(["board", "run", "--design", str(deployed), "x.py"]) == 2
    assert "cannot import pynq: ModuleNotFoundError" in capsys.readouterr().err


def test_only_xnorflow_is_on_the_path(monkeypatch, tmp_path):
    """Where it lies among other packages, as in a wheel's installation, by a link."""
    packages = tmp_path / "packages"
    (packages / "numpy").mkdir(parents=True)
    (packages / "xnorflow").mkdir()
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        board_environment.xnorflow, "__path__", [str(packages / "xnorflow"), str(tmp_path / "hw" / "xnorflow")]
    )
    for _ in range(2):
        linked, plain = board_environment.board_variables()["PYTHONPATH"].split(os.pathsep)
    assert [entry.name for entry in os.scandir(linked)] == ["xnorflow"]
    assert (Path(linked) / "xnorflow").samefile(packages / "xnorflow")
    assert plain == str(tmp_path / "hw")
