"""The wheel that boards install: the driver alone, and it works."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "hw" / "board_side"
CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from xnorflow.deploy.accelerator import Accelerator
import xnorflow.deploy.accelerator as module
from xnorflow.artifact.errors import DeployError
assert module.__file__.startswith(sys.argv[1]), module.__file__
try:
    Accelerator(sys.argv[2])
except DeployError as reason:
    print(reason)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(SOURCE)], check=True, timeout=120)
    (found,) = folder.glob("xnorflow_board-*.whl")
    return found


def test_what_is_in_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.split("/")[1] for name in names if name.startswith("xnorflow/")}
    assert packages == {"artifact", "deploy"}
    assert "xnorflow/deploy/accelerator.py" in names and "xnorflow/deploy/LICENSE" in names
    assert not [name for name in names if "__pycache__" in name]


def test_it_works_alone(wheel, deployed, tmp_path):
    """Where neither pynq nor the workstation's package is installed: -I leaves PYTHONPATH out, -S site-packages."""
    import numpy

    zipfile.ZipFile(wheel).extractall(tmp_path / "lib")
    (tmp_path / "lib" / "numpy").symlink_to(Path(numpy.__file__).parent)
    for libraries in Path(numpy.__file__).parents[1].glob("numpy.libs"):
        (tmp_path / "lib" / "numpy.libs").symlink_to(libraries)
    command = [sys.executable, "-I", "-S", "-c", CODE, str(tmp_path / "lib"), str(deployed / "deploy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("package pynq: not installed; allowed: a PYNQ image on a Pynq-Z2"), done.stderr


def test_its_version_is_the_projects(wheel):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]["version"] == version
    assert wheel.name.startswith(f"xnorflow_board-{version}-")
