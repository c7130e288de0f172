"""``xnorflow deploy``: what it writes, and what it refuses in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


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
    assert names == {"accelerator.json", "host.npz", "golden.npz", "rtl", "obj"}
    assert not left_behind(build)
    assert cli("manifest", build).code == 0
    (build / "deploy" / "rtl" / "xnorflow_shell.v").write_text("// mine\n", encoding="utf-8")
    assert "deploy/rtl/xnorflow_shell.v was changed" in cli("manifest", build).error_line()


def test_nothing_to_deploy(cli, build, tmp_path):
    assert "option --data-bits: 48; allowed: 32, 64, 128" in cli("deploy", build, "--data-bits", "48").error_line()
    (build / "rtl" / "xnorflow_fold_steps.sv").unlink()
    line = cli("deploy", build, "--no-test").error_line()
    assert "xnorflow_fold_steps.sv is missing; build again" in line and not (build / "deploy").exists()
    (build / "design.json").unlink()
    done = cli("deploy", build)
    assert done.code == 2 and "run `xnorflow build` first" in done.error_line()
    assert cli("deploy", tmp_path / "none").code == 2
