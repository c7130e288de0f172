"""What the sources of a package come to, as synthesis reads them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from xnorflow.artifact.progress import SilentProgress
from xnorflow.synthesize.yosys import copy_cells, find_yosys

CORE = "xnorflow_small"


def order(package: Path) -> list[str]:
    return (package / "hdl" / f"{CORE}.f").read_text().split()


def elaborate(package: Path, folder: Path, *macros: str) -> tuple[dict[str, tuple[str, int]], int]:
    """Read the sources as synthesis does; returns direction and width of the top's ports, and how many LUT6_2."""
    shutil.copytree(package / "hdl", folder)
    copy_cells(folder)
    defines = " ".join(f"-D {macro}" for macro in ("SYNTHESIS", *macros))
    script = (
        f"read_slang -j 1 --ignore-assertions {defines} --top {CORE} xilinx_cells.sv {' '.join(order(package))}; "
        f"tee -q -o cells.txt select -count t:LUT6_2; select {CORE}; write_json -selected top.json"
    )
    yosys = find_yosys(folder, SilentProgress())
    subprocess.run([*yosys.command, "-q", "-p", script], cwd=folder, check=True, capture_output=True)
    ports = json.loads((folder / "top.json").read_text())["modules"][CORE]["ports"]
    directions = {"input": "in", "output": "out"}
    return {name: (directions[port["direction"]], len(port["bits"])) for name, port in ports.items()}, int(
        (folder / "cells.txt").read_text().split()[0]
    )
