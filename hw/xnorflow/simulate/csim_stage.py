"""C simulation of a generated HLS design: whole test sets through the network's C++, compared output by output."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.compiler import find_compiler
from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.files import write_json
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.simulate.csim import CFunction, CPort, CSimulation, compile_functions
from xnorflow.simulate.report import Mismatch, first_mismatch

__all__ = ["CSIM_LABEL", "CSimReport", "simulate_c", "top_function"]

IntArray = npt.NDArray[np.int64]
CSIM_LABEL = "C++ by g++, no cycles"


@dataclass(frozen=True)
class CSimReport:
    """What a C simulation came to (``report/csim.json``).

    Args:
        path: how the figures were found.
        design: name of the function.
        frames: compared.
        mismatches: frames that differ.
        first_mismatch: the first of them.
        compiler: first line of what its ``--version`` prints.
        build_seconds: wall time of the compiler, small where the library was in the cache.
        simulate_seconds: wall time of all frames.
    """

    path: str
    design: str
    frames: int
    mismatches: int
    first_mismatch: Mismatch | None
    compiler: str
    build_seconds: float
    simulate_seconds: float

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, asdict(self))


def simulate_c(
    build: Path, inputs: IntArray, expected: IntArray, progress: Progress, *, frames: int | None = None
) -> CSimReport:
    """Run frames through an HLS design and compare every output with the reference.

    Args:
        build: build folder with ``hls_design.json``; ``report/csim.json`` is written below it.
        inputs: int64 (frames, elements) as the input stream takes them.
        expected: int64 (frames, elements) as the output stream must give them.
        progress: told of the compiler and of the frames.
        frames: from the first one on; None: all.

    Raises:
        InputModelError: there is no HLS design.
        SimulateError: an output differs, the C++ does not compile, or a layer loses beats.
        ToolError: the compiler or AMD's headers are missing.
    """
    design = HlsDesign.load(build / HLS_DESIGN_FILE)
    inputs, expected = inputs[:frames], expected[:frames]
    function = top_function(design)
    start = time.perf_counter()
    with progress.task("Compile C++", None):
        library = compile_functions([function], build / design.hls_dir, build / "obj", widest=design.widest)
    built = time.perf_counter()
    with progress.task("Simulate C++", len(inputs)) as advance:
        done = 0

        def on_chunk(count: int) -> None:
            nonlocal done
            advance(count - done, "")
            done = count

        (beats,) = CSimulation(library).run(function, [pack(inputs, design.input)], on_chunk)
    wrong = first_mismatch(unpack(beats, design.output), expected, "in C++")
    report = CSimReport(
        CSIM_LABEL, design.top, len(inputs), wrong.frames if wrong else 0, wrong, find_compiler().version,
        round(built - start, 6), round(time.perf_counter() - built, 6),
    )  # fmt: skip
    report.save(build / "report" / "csim.json")
    if wrong is not None:
        raise SimulateError(
            f"design {design.top}",
            f"{wrong.frames} frames differ {wrong.phase}; first frame {wrong.frame}, output element {wrong.element}: "
            f"expected {wrong.expected}, found {wrong.found}",
            "no difference", "see report/csim.json",
        )  # fmt: skip
    return report


def top_function(design: HlsDesign) -> CFunction:
    """Return the whole network as a function."""
    return CFunction(design.top, design.top, "top.cpp", (_port(design.input),), (_port(design.output),))


def _port(spec: StreamSpec) -> CPort:
    return CPort(spec.per_beat * spec.bits, spec.beats)
