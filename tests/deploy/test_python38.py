"""The board's side runs on the Python and numpy of older PYNQ images."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import xnorflow.artifact
import xnorflow.deploy

FILES = sorted(
    path for package in (xnorflow.artifact, xnorflow.deploy) for path in Path(package.__path__[0]).glob("*.py")
)


def needs_newer(*files):
    """What vermin says against Python 3.8; empty: nothing."""
    command = [
        sys.executable,
        "-c",
        "from vermin import main; main()",
        "-t=3.8-",
        "--no-tips",
        "-vvv",
        *map(str, files),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_nothing_newer_than_python_3_8():
    assert len(FILES) > 15
    assert needs_newer(*FILES) == ""


def test_newer_things_would_be_found(tmp_path):
    (tmp_path / "newer.py").write_text("import math\n\nprint(math.lcm(2, 3))\n")
    assert "3.9" in needs_newer(tmp_path / "newer.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_numpy_typing_is_not_imported(path):
    """numpy before 1.20 has no numpy.typing: it may stand under TYPE_CHECKING only."""
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import)]
    assert "numpy.typing" not in {name.name for node in top for name in node.names}
