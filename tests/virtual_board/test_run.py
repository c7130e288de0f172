"""Scripts on a virtual board, as `xnorflow board run` and the demo start them."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.virtual_board.soc import Soc

PROGRAM = "import sys; from xnorflow.flow.cli import main; sys.exit(main())"


@pytest.fixture
def board_run(board_python):
    """Run `xnorflow board run` in a process of its own."""
    variables = {**os.environ, "XNORFLOW_BOARD_VENV": str(board_python.parents[1])}

    def run(design, *arguments):
        command = (sys.executable, "-c", PROGRAM, "board", "run", "--design", str(design), *map(str, arguments))
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    return run


def test_a_script_ends_as_it_wants(board_run, deployed, tmp_path):
    """Its output, its code, the folder that it is told, and what it is refused."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['XNORFLOW_DESIGN'])\nsys.exit(int(sys.argv[1]))\n"
    )
    done = board_run(deployed / "deploy", script, "3", "-q")
    assert (done.returncode, done.stdout) == (3, f"['3', '-q'] {deployed / 'deploy'}\n")
    done = board_run(deployed / "deploy", tmp_path / "none.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"script {tmp_path / 'none.py'}: no such file; allowed: a Python file; -m runs a module" in done.stderr


def test_a_second_process_on_the_board(board_python, own_pynq_z2, run_script):
    with Soc(own_pynq_z2):
        done = run_script(board_python, own_pynq_z2, "-m", "this", code=2)
    assert f"virtual board of {own_pynq_z2}: process {os.getpid()} is on it; allowed: one at a time" in done.stderr
    assert done.stdout == ""
    assert "Zen" in run_script(board_python, own_pynq_z2, "-m", "this").stdout


def test_the_demo(board_python, own_zcu104, run_script):
    """By xnorflow's own driver and by FINN's."""
    done = run_script(board_python, own_zcu104, "-m", "xnorflow.virtual_board.demo")
    assert "self-test: 20 golden frames equal" in done.stdout
    assert "frames/s (virtual board, simulated: cycles x assumed 10 ns, DMA included)" in done.stdout
    done = run_script(board_python, own_zcu104, "-m", "xnorflow.virtual_board.demo", "--finn")
    assert "finn-plus-driver: 20 golden frames equal" in done.stdout


WHOLE_SET = """
import os, sys
from pathlib import Path
import numpy as np
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.deploy.accelerator import Accelerator
vectors = GoldenVectors.load(Path(sys.argv[1]))
with Accelerator(os.environ["XNORFLOW_DESIGN"]) as accelerator:
    assert accelerator.path == "virtual board, simulated"
    np.savez(sys.argv[2], logits=accelerator.execute(vectors.inputs))
    print(accelerator.validate(vectors.inputs, vectors.labels))
"""


@pytest.mark.full
@pytest.mark.data
@pytest.mark.parametrize("name", ["ZCU104", "Pynq-Z2"])
def test_the_whole_test_set_is_that_of_the_integers(board_run, data_root, tmp_path_factory, tmp_path, name):
    """10,000 images of MNIST through pynq, DMA engines and network: every logit is that of integer.onnx."""
    from xnorflow.flow.cli import main
    from xnorflow.lower.integer_onnx import run_integer

    build, script = tmp_path_factory.getbasetemp() / "tfc", tmp_path / "whole_set.py"
    if not build.exists():
        options = (
            "--board",
            "Pynq-Z2",
            "--dataset",
            "mnist",
            "--data-root",
            str(data_root),
            "--until",
            "generate",
            "--quiet",
        )
        assert main(["build", "zoo:TFC_1W1A", "--output", str(build), *options]) == 0
    script.write_text(WHOLE_SET)
    done = board_run(build, "--board", name, script, build / "golden.npz", tmp_path / "found.npz")
    assert done.returncode == 0, done.stderr
    vectors, codec = GoldenVectors.load(build / "golden.npz"), HostCodec.load(build / "host.npz")
    expected = codec.decode(run_integer(build / "integer.onnx", codec.quantize(vectors.inputs), threads=1))
    found = np.load(tmp_path / "found.npz")["logits"]
    assert len(expected) == 10_000 and len(np.unique(expected, axis=0)) > 1000
    np.testing.assert_array_equal(found, expected)
    correct = int((expected.argmax(axis=1) == vectors.labels).sum())
    assert f"{correct / 100:.2f} % of 10,000 images (virtual board, simulated)" in done.stdout


@pytest.mark.full
def test_the_demo_of_all_three(board_python, deployed):
    """In process, by finn-plus-driver, and by a remote client, whose port is the one that pynq knows."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 7967)) == 0:
            pytest.skip("somebody listens at port 7967 of this machine")
    command = (sys.executable, "-c", PROGRAM, "board", "demo", "--design", str(deployed))
    variables = {**os.environ, "XNORFLOW_BOARD_VENV": str(board_python.parents[1])}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("==")] == [
        "== pynq, in process", "== finn-plus-driver, in process", "== pynq, remote client"
    ]  # fmt: skip
    assert done.stdout.count("self-test: 20 golden frames equal") == 2
    assert done.stdout.count("finn-plus-driver: 20 golden frames equal") == 1
