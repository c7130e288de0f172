"""What every stream inside a design carries: the design with a tap on each, in Verilator or as C++."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
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

__all__ = ["run_tapped", "run_tapped_c"]

IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]

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
    with tempfile.TemporaryDirectory(prefix="xnorflow_taps_") as name:
        folder = Path(name)
        for memory in (build / design.rtl_dir).glob("*.mem"):
            shutil.copyfile(memory, folder / memory.name)
        top = folder / f"{design.top}.sv"
        top.write_text(render_top(design, taps=True), encoding="utf-8")
        known = modules_of(build, design)
        modules = [source for source in known.sources if source.name != top.name]
        library = compile_design(
            design.top, [*modules, TAP, top], build / "obj",
            ports=PortNames.axi(design.input.name, design.output.name), objects=known.objects, progress=progress,
        )  # fmt: skip
        # Beats that no result needs, at the border of a map, come before those of one more frame.
        inputs = np.concatenate([inputs, inputs[-1:]])
        # A design that gets stuck is no error here: its streams show where.
        with StreamModel(library, folder) as model, contextlib.suppress(SimulateError):
            model.run(
                pack(inputs, design.input), len(inputs) * design.output.beats, frame_in=design.input.beats,
                frame_out=design.output.beats, timeout_cycles=10_000 + 20 * design.cycles_per_frame,
            )  # fmt: skip
        return {
            f"{node.name}.out{index}": _read(folder / f"{node.name}.out{index}.txt", bits // 8)
            for node in design.nodes
            for index, bits in enumerate(node.output_bits)
        }


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
