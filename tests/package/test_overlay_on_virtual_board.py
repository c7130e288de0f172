"""The package of an overlay beside pynq, on a virtual board: bitstream by name, the notebook's cells as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("xnorflow.virtual_board", reason="no virtual board")

REPOSITORY = Path(__file__).parents[2]
CELLS = """
import json, sys
import matplotlib
matplotlib.use("Agg")
from pynq import Overlay

overlay = Overlay("net.bit")
print("found", overlay.bitfile_name, sorted(overlay.ip_dict))
overlay.free()
names = {}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
"""


@pytest.fixture
def pynq_folder() -> Path:
    """The programs of an environment with pynq 4.0.0."""
    found = Path(os.environ.get("XNORFLOW_BOARD_VENV") or REPOSITORY / ".venv-board") / "bin"
    if not (found / "pynq-get-notebooks").is_file():
        pytest.skip(f"no pynq in {found} (`make board-env`), and XNORFLOW_BOARD_VENV names no other environment")
    return found


@pytest.mark.full
def test_the_notebook_runs_unchanged(deployed, tmp_path, pynq_folder):
    """Delivered by pynq itself, which detects the virtual board as its device, and run cell by cell."""
    from xnorflow.deploy.overlay import GoldenFrames
    from xnorflow.package.overlay import LabeledImages, PackageName, write_overlay_package

    folder = deployed / "deploy"
    images = GoldenFrames.load(folder).images
    labeled = LabeledImages(images, np.zeros(len(images), np.int64))
    assert write_overlay_package(folder, tmp_path / "out", PackageName("my-overlays"), labeled) is True
    pip, offline = (sys.executable, "-m", "pip"), ("-q", "--no-deps", "--no-index")
    sources, wheels = (tmp_path / "out", REPOSITORY / "hw" / "board_side"), tmp_path / "wheels"
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", wheels, *sources], check=True)
    subprocess.run([*pip, "install", *offline, "--target", tmp_path / "site", *wheels.glob("*.whl")], check=True)
    roots = [*(REPOSITORY / root for root in ("export", "training", "hw")), tmp_path / "site"]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}

    def run(*command: object) -> str:
        board = (pynq_folder / "python", "-m", "xnorflow.virtual_board.run", "--design", folder)
        done = subprocess.run(
            [*board, *command], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run(pynq_folder / "pynq-get-notebooks", "--from-package", "my-overlays", "all")
    (tmp_path / "cells.py").write_text(CELLS)
    shown = run(tmp_path / "cells.py", tmp_path / "pynq-notebooks" / "net" / "net.ipynb")
    assert f"found {tmp_path}/site/my_overlays/overlays/net/net.bit ['StreamingDataflowPartition_1', 'idma0'" in shown
    assert "30 golden frames equal" in shown and "labeled '0'" in shown
    assert "% of 30 images (virtual board, simulated)" in shown
    assert "frames/s (virtual board, simulated: cycles x assumed 10 ns, DMA included)" in shown
