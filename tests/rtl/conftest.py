"""A bench for modules of the RTL library: built once a parameter set, driven through xnorflow.simulate."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import xnorflow.simulate
from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.simulate.model import StreamModel, StreamRun
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design
from xnorflow.synthesize.yosys import CELLS, find_yosys

sys.path.insert(0, str(Path(__file__).parent))  # halves, proofs

RTL = Path(xnorflow.simulate.__file__).parents[1] / "rtl"


class Bench:
    """Builds, opens, lints and drives modules of the library.

    Args:
        work_dir: takes the libraries.
    """

    folder = RTL
    sources = tuple(sorted(RTL.glob("xnorflow_*.sv")))

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir

    def open(self, module: str, rtl_dir: Path | None = None, synthesis: bool = False, **parameters: int) -> StreamModel:
        """Return a model of ``xnorflow_<module>``; ``synthesis``: with the bodies that synthesis takes."""
        library = compile_design(
            f"xnorflow_{module}",
            self.sources,
            self.work_dir,
            ports=PortNames.library(),
            parameters=parameters,
            defines=["SYNTHESIS"] * synthesis,
        )
        return StreamModel(library, rtl_dir)

    def lint(self, module: str, synthesis: bool = False, **parameters: int | str) -> list[str]:
        """Return what Verilator's -Wall says."""
        defines = ["SYNTHESIS"] * synthesis
        return lint_design(f"xnorflow_{module}", self.sources, parameters, defines=defines)

    @staticmethod
    def stream(
        model: StreamModel,
        values: np.ndarray,
        source: StreamSpec,
        sink: StreamSpec,
        stall: float | tuple[float, float] = 0.0,
        seed: int = 1,
    ) -> tuple[np.ndarray, StreamRun]:
        """Send frames (frames, elements) through a model; return as many frames of results, and the run."""
        run = model.run(
            pack(values, source),
            len(values) * sink.beats,
            frame_in=source.beats,
            frame_out=sink.beats,
            stall_probability=stall,
            seed=seed,
            timeout_cycles=1000,
        )
        return unpack(run.beats, sink), run


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("rtl"))


@pytest.fixture(scope="module")
def yosys(bench, tmp_path_factory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Return a function that runs a yosys script in a folder with the library.

    ``run.folder`` is that folder, ``run.sources`` the names of the library's files, cells of the chip first.
    """
    folder = tmp_path_factory.mktemp("yosys")
    found = find_yosys(folder, SilentProgress())
    library = (bench.folder / CELLS, *bench.sources)
    for source in library:
        shutil.copy(source, folder)

    def run(script: str) -> subprocess.CompletedProcess[str]:
        command = (*found.command, "-q", "-p", script)
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    run.folder = folder
    run.sources = " ".join(source.name for source in library)
    return run
