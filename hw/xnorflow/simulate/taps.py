"""What every stream inside a design carries: the design with a tap on each, in Verilator or as C++."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import pack
from xnorflow.generate.stitch import render_top
from xnorflow.simulate.cosim import modules_of
from xnorflow.simulate.csim import CSimulation, compile_functions
from xnorflow.simulate.csim_stage import top_function
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

__all__ = ["StreamTrace", "run_tapped", "run_tapped_c", "trace_streams"]

IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

TAP = Path(__file__).parent / "xnorflow_tap.sv"


def run_tapped(build: Path, inputs: IntArray, progress: Progress) -> dict[str, ByteArray]:
    """Stream frames through a generated design without stalls and return what each of its streams carried.

    Args:
        build: build folder with ``design.json``.
        inputs: int64 (frames, elements) as the input port takes them.
        progress: told of the compilation.

    Returns:
        For each ``<node>.out<number>`` uint8 (beats, bytes), little-endian: all that came, even if it got stuck,
        and beats of the last frame once more.

    Raises:
        InputModelError: there is no design.
        SimulateError: the design cannot start.
        ToolError: Verilator or the compiler is missing.
    """
    design = Design.load(build / "design.json")
    # Beats that no result needs, at the border of a map, come before those of one more frame.
    inputs = np.concatenate([inputs, inputs[-1:]])
    with _tapped(build, design, progress) as (model, folder):
        # A design that gets stuck is no error here: its streams show where.
        with contextlib.suppress(SimulateError):
            _stream(model, design, inputs)
        return {key: _read(folder / f"{key}.txt", bits // 8) for key, bits in _streams(design).items()}


@dataclass(frozen=True)
class StreamTrace:
    """A stream in every cycle, as a clocked reader sees it at the cycle's end; cycle 0 is the first one after reset.

    Args:
        bits: width of the data.
        data: one integer a cycle; without meaning where valid is low.
        valid: bool (cycles,).
        ready: bool (cycles,).
    """

    bits: int
    data: tuple[int, ...]
    valid: BoolArray
    ready: BoolArray

    @property
    def transfers(self) -> IntArray:
        """Cycles in which a beat was transferred."""
        return np.flatnonzero(self.valid & self.ready)


def trace_streams(
    build: Path, inputs: IntArray, progress: Progress, *, stall_probability: float = 0.0, seed: int = 1
) -> dict[str, StreamTrace]:
    """Stream frames through a generated design and return each of its streams in every cycle.

    Args:
        build: build folder with ``design.json``, all of it RTL.
        inputs: int64 (frames, elements) as the input port takes them; a few, since all cycles are kept.
        progress: told of the compilation.
        stall_probability: how likely each side pauses for a cycle, in [0, 1).
        seed: of the stalls.

    Returns:
        ``in0``, and ``<node>.out<number>`` for each node, to what it was like until the last result was taken.

    Raises:
        InputModelError: there is no design, or layers of it are C++.
        SimulateError: the design cannot start, or gets stuck.
        ToolError: Verilator or the compiler is missing.
    """
    design = Design.load_rtl(build / "design.json")
    with _tapped(build, design, progress, every_cycle=True) as (model, folder):
        _stream(model, design, inputs, stall_probability, seed)
        streams = {"in0": design.input.tdata_bits, **_streams(design)}
        return {key: _read_trace(folder / f"{key}.txt", bits) for key, bits in streams.items()}


def _streams(design: Design) -> dict[str, int]:
    """Return the bits of a beat of each stream that nodes give."""
    return {
        f"{node.name}.out{index}": bits for node in design.nodes for index, bits in enumerate(node.output_bits)
    }  # fmt: skip


@contextlib.contextmanager
def _tapped(
    build: Path, design: Design, progress: Progress, *, every_cycle: bool = False
) -> Iterator[tuple[StreamModel, Path]]:
    """Yield the design with taps, and the folder that they write to."""
    with tempfile.TemporaryDirectory(prefix="xnorflow_taps_") as name:
        folder = Path(name)
        for memory in (build / design.rtl_dir).glob("*.mem"):
            shutil.copyfile(memory, folder / memory.name)
        top = folder / f"{design.top}.sv"
        top.write_text(render_top(design, taps=True, every_cycle=every_cycle), encoding="utf-8")
        known = modules_of(build, design)
        modules = [source for source in known.sources if source.name != top.name]
        library = compile_design(
            design.top, [*modules, TAP, top], build / "obj",
            ports=PortNames.axi(design.input.name, design.output.name), objects=known.objects, progress=progress,
        )  # fmt: skip
        with StreamModel(library, folder) as model:
            yield model, folder


def _stream(model: StreamModel, design: Design, inputs: IntArray, stall: float = 0.0, seed: int = 1) -> None:
    model.run(
        pack(inputs, design.input), len(inputs) * design.output.beats, frame_in=design.input.beats,
        frame_out=design.output.beats, stall_probability=stall, seed=seed,
        timeout_cycles=10_000 + 20 * design.cycles_per_frame,
    )  # fmt: skip


def run_tapped_c(build: Path, inputs: IntArray, streams: dict[str, int], progress: Progress) -> dict[str, ByteArray]:
    """Run frames through an HLS design and return what its streams carried.

    Args:
        build: build folder with ``hls_design.json``.
        inputs: int64 (frames, elements) as the input port takes them.
        streams: for each ``<node>.out<number>`` the bits of a beat; the last one goes out.
        progress: told of the compilation.

    Returns:
        For each of them uint8 (beats, bytes), little-endian: all that came, even if a layer wanted more.

    Raises:
        InputModelError: there is no HLS design.
        SimulateError: the C++ does not compile.
        ToolError: the compiler or AMD's headers are missing.
    """
    design = HlsDesign.load(build / HLS_DESIGN_FILE)
    function, hls = top_function(design), build / design.hls_dir
    with progress.task("Compile C++", None):
        library = compile_functions([function], hls, build / "obj", widest=design.widest, taps=True)
    simulation = CSimulation(library)
    # A layer that wants more beats than came is no error here: the streams show where.
    with contextlib.suppress(SimulateError):
        simulation.run(function, [pack(inputs, design.input)])
    last = next(reversed(streams))
    named = {key: design.output.name if key == last else key.replace(".", "_") for key in streams}
    return {key: simulation.taken(named[key], bits) for key, bits in streams.items()}


def _read(path: Path, width: int) -> ByteArray:
    words = path.read_text(encoding="ascii").split()
    beats = b"".join(int(word, 16).to_bytes(width, "little") for word in words)
    return np.frombuffer(beats, np.uint8).reshape(-1, width)


def _read_trace(path: Path, bits: int) -> StreamTrace:
    lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    flags = np.array([[flag == "1" for flag in flags] for _, flags in lines], np.bool_).reshape(-1, 2)
    return StreamTrace(bits, tuple(int(word, 16) for word, _ in lines), flags[:, 0], flags[:, 1])
