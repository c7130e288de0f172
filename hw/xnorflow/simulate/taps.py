"""What every stream inside a design carries: the design with a tap on each, in Verilator."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import pack
from xnorflow.generate.stitch import render_top
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

__all__ = ["run_tapped"]

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
        modules = [build / source for source in design.sources if Path(source).name != top.name]
        library = compile_design(
            design.top, [*modules, TAP, top], build / "obj",
            ports=PortNames.axi(design.input.name, design.output.name), progress=progress,
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


def _read(path: Path, width: int) -> ByteArray:
    words = path.read_text(encoding="ascii").split()
    beats = b"".join(int(word, 16).to_bytes(width, "little") for word in words)
    return np.frombuffer(beats, np.uint8).reshape(-1, width)
