"""A bench for modules of the RTL library: built once a parameter set, driven through xnorflow.simulate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import xnorflow.simulate
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.simulate.model import StreamModel, StreamRun
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design

sys.path.insert(0, str(Path(__file__).parent))  # halves

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
        self._define = work_dir / "define_synthesis.sv"
        self._define.write_text("`define SYNTHESIS\n", encoding="utf-8")

    def _sources(self, synthesis: bool) -> Sequence[Path]:
        return (self._define, *self.sources) if synthesis else self.sources

    def open(self, module: str, rtl_dir: Path | None = None, synthesis: bool = False, **parameters: int) -> StreamModel:
        """Return a model of ``xnorflow_<module>``; ``synthesis``: with the bodies that synthesis takes."""
        library = compile_design(
            f"xnorflow_{module}",
            self._sources(synthesis),
            self.work_dir,
            ports=PortNames.library(),
            parameters=parameters,
        )
        return StreamModel(library, rtl_dir)

    def lint(self, module: str, synthesis: bool = False, **parameters: int | str) -> list[str]:
        """Return what Verilator's -Wall says."""
        return lint_design(f"xnorflow_{module}", self._sources(synthesis), parameters)

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
