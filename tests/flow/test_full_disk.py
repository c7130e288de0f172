"""A disk that fills up: one line that names the folder, exit code 2, and everything finished before is as it was."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.processes import NO_MESSAGE

FULL = OSError(errno.ENOSPC, "No space left on device")
MESSAGE = "error: output folder {}: no space left on its disk, or on that of "


@pytest.fixture
def model(tmp_path, perceptron) -> Path:
    return perceptron(tmp_path / "net.onnx", (16, 8, 4))


def hashes(folder):
    files = {path for path in folder.rglob("*") if path.is_file() and path.name not in ("build.log", "stages.json")}
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def fail(*arguments, **options):
    raise FULL


def fail_printing(*arguments, **options):
    """Fail in a library's code, which wraps what it caught."""
    try:
        raise FULL
    except OSError as reason:
        raise RuntimeError("writing failed") from reason


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("numpy.savez_compressed", fail),
        ("shutil.copyfile", fail),
        ("xnorflow.lower.stage.write_integer_onnx", fail_printing),
    ],
)
def test_earlier_results_stay(cli, model, tmp_path, monkeypatch, left_behind, place, failure):
    built = tmp_path / "built"
    options = ("--board", "Pynq-Z2", "--output", built, "--until", "generate")
    assert cli("build", model, *options, "--frames", "8").code == 0
    before = hashes(built)
    with monkeypatch.context() as patched:
        patched.setattr(place, failure)
        outcome = cli("build", model, *options, "--frames", "9", "--target-cycles", "100")
    assert outcome.code == 2 and outcome.error_line().startswith(MESSAGE.format(built))
    after = hashes(built)
    if place != "numpy.savez_compressed":  # the frames, which are written first, were finished
        assert after.pop("golden.npz") != before.pop("golden.npz")
        assert after.pop("manifest.json") != before.pop("manifest.json")
    assert after == before
    assert not left_behind(tmp_path)


BUILD = """
import sys
from xnorflow.flow.cli import main
options = ["--board", "Pynq-Z2", "--output", "disk/out", "--frames", "64", "--target-cycles", "100", "--quiet"]
sys.exit(main(["build", "net.onnx", *options]))
"""
IN_LITTLE_ROOM = """
mount -t tmpfs -o size=4m none disk || exit 99
cp -a before disk/out
free=$(df --output=avail -k disk | tail -n 1)
head -c $(( (free - $1) * 1024 )) /dev/zero > disk/filling
shift
"$@"
code=$?
cp -a disk/out after
exit $code
"""


@pytest.mark.full
@pytest.mark.parametrize("kilobytes", [0, 4, 20, 60, 120, 200, 320, 440])
def test_a_disk_that_is_really_full(cli, model, tmp_path, monkeypatch, kilobytes):
    """From one without room for the frames to one that is full of what Verilator, g++ or yosys write."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("needs a mount of its own, which is for root")
    (tmp_path / "disk").mkdir()
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "disk" / "cache"))
    options = ("--board", "Pynq-Z2", "--output", tmp_path / "before", "--frames", "8", "--until", "generate")
    assert cli("build", model, *options).code == 0
    command = ["unshare", "-m", "sh", "-c", IN_LITTLE_ROOM, "sh", str(kilobytes), sys.executable, "-c", BUILD]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(MESSAGE.format("disk/out")) or NO_MESSAGE in done.stderr
    after = tmp_path / "after"
    assert not [path for path in after.rglob("*") if path.name.startswith((".staged", ".lock"))]
    GoldenVectors.load(after / "golden.npz")
    design = Design.load(after / "design.json")
    if design == Design.load(tmp_path / "before" / "design.json"):
        assert hashes(after / "rtl") == hashes(tmp_path / "before" / "rtl")
    assert all((after / source).is_file() for source in design.sources)
