"""``xnorflow deploy``: a folder that a board's Python takes, and the same accelerator on a virtual board."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, DeployError, InputModelError
from xnorflow.artifact.files import make_folder, sha256_of, stage_directory, write_json
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.manifest import Manifest
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Family, load_board
from xnorflow.deploy.accelerator import Accelerator, Throughput
from xnorflow.deploy.finn_settings import write_finn_settings
from xnorflow.deploy.overlay import HOST, GoldenFrames, OverlayDescription
from xnorflow.deploy.pynq_board import CYCLES
from xnorflow.flow.build_manifest import note_folder
from xnorflow.flow.comparison import expect_golden
from xnorflow.flow.folders import Folders
from xnorflow.flow.overlay_package import package_overlay
from xnorflow.flow.progress import RichProgress, console_for
from xnorflow.flow.results import VIRTUAL_BOARD
from xnorflow.flow.session import working_in
from xnorflow.generate.shell import SHELL, shell_sources
from xnorflow.package.overlay import PackageName
from xnorflow.simulate.ports import SocPorts
from xnorflow.simulate.verilator import compile_design
from xnorflow.simulate.virtual_board import VirtualBoard
from xnorflow.synthesize.overlay_tcl import write_overlay_tcl
from xnorflow.synthesize.vivado_overlay import RTL, TCL
from xnorflow.virtual_board.bit import is_virtual
from xnorflow.virtual_board.overlay_files import write_overlay

__all__ = ["RTL", "asked_before", "deploy", "open_virtual", "write_folder"]

DATA_BITS = {Family.XC7: 64, Family.XCUP: 128}
"""Widest ports of the processors' systems to memory."""
CLASS_NAMES = {  # where labels are no names already
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
FRAMES = 20
"""Golden frames, where no other number is asked for."""


def deploy(
    directory: Path, output: Path | None, frames: int, data_bits: int | None, package: str | None, *, test: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Write the folder, let the golden frames go through it on a virtual board, and package it if that is wanted.

    Raises:
        UserError: there is no design in RTL, an option is out of its range, the folder cannot be written, a result
            differs, or there is no bitstream to package.
    """
    name = PackageName(package) if package is not None else None
    folders = Folders.find(directory)
    design = folders.load_rtl_design()
    bits = data_bits or DATA_BITS[load_board(design.board).family]
    if bits not in (32, 64, 128, 256, 512, 1024):
        raise ConfigError("option --data-bits", f"{bits}", "32, 64, 128, 256, 512 or 1024")
    target = output or folders.deployed
    with working_in(folders.root, quiet=quiet) as session:
        before = _bitstreams(target)
        with session.progress.task("deploy") as advance:
            count = write_folder(folders, design, target, frames, bits, session.progress)
            advance(0, f"{count} golden frames, words of {bits} bits")
        for path in before:
            if not path.is_file():
                session.progress.say(f"  {path.name} was of another design, clock or version of xnorflow: it is gone")
        if test:
            with session.progress.task("virtual board") as advance:
                library = compile_shell(target, session.progress)
                count, throughput = try_out(target, library)
                _note_throughput(folders, count, throughput)
                write_virtual_overlay(target, library)
                advance(0, f"{count} golden frames equal, {throughput}")
        note_folder(folders, "deploy", target)
        session.progress.say(str(target))
        if name is not None:
            session.progress.say(str(package_overlay(folders, target, name, session.progress)))


def asked_before(folder: Path, design: Design) -> tuple[int, int]:
    """Return the golden frames and the bits of a word of an earlier folder; where there is none, those by default."""
    try:
        return len(GoldenFrames.load(folder).images), OverlayDescription.load(folder).data_bits
    except DeployError:
        return FRAMES, DATA_BITS[load_board(design.board).family]


def _note_throughput(folders: Folders, golden: int, found: Throughput) -> None:
    """Keep for reports what the virtual board came to, with the design that it was."""
    make_folder(folders.report)
    write_json(
        folders.report / VIRTUAL_BOARD,
        {
            "path": found.path, "design_sha256": sha256_of(folders.design), "golden_frames": golden,
            "frames": found.frames, "cycles": found.cycles, "frames_per_second": found.frames_a_second,
        },
    )  # fmt: skip


def write_folder(
    folders: Folders, design: Design, target: Path, frames: int, data_bits: int, progress: Progress
) -> int:
    """Write description, host's part, golden frames, RTL of the shell and Vivado's scripts.

    An earlier folder is replaced; its bitstream is kept where RTL and scripts are the same as before, byte for byte.

    Returns:
        How many golden frames there are.
    """
    golden, expectation = expect_golden(folders, frames, progress)
    count = golden.logits.shape[1]
    description = OverlayDescription(
        folders.root.resolve().name, design.board, design.part, design.clock_ns, design.cycles_per_frame,
        design.latency_cycles, data_bits, design.input, design.output, _class_names(folders, count),
        design.artifact_sha256, _input_range(folders, golden.inputs),
    )  # fmt: skip
    with stage_directory(target) as work:
        description.save(work)
        shutil.copyfile(folders.build / HOST, work / HOST)
        GoldenFrames(golden.inputs, expectation.outputs.reshape(len(golden.inputs), -1)).save(work)
        write_finn_settings(description, HostCodec.load(work / HOST), work)
        (work / RTL).mkdir()
        sources = shell_sources(folders.build, design, work / RTL, data_bits=data_bits)
        (work / TCL).mkdir()
        write_overlay_tcl(design, description.name, [path.name for path in sources], data_bits, work / TCL)
        if all(_contents(target / part) == _contents(work / part) for part in (RTL, TCL)):
            for path in _bitstreams(target):
                shutil.copyfile(path, work / path.name)
    return len(golden.inputs)


def _bitstreams(folder: Path) -> list[Path]:
    """Return the bitstreams of a folder with their handoffs; not those of virtual boards, which are made again."""
    real = (path for path in sorted(folder.glob("*.hwh")) if CYCLES.encode() not in path.read_bytes())
    found = [path.with_suffix(end) for path in real for end in (".bit", ".hwh")]
    return [path for path in found if path.is_file()]


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}


def _dataset(folders: Folders) -> str | None:
    """Return the data set that the network was trained on; None where it came as a file."""
    try:
        return Manifest.load(folders.export, verify=False).facts.get("dataset")
    except InputModelError:
        return None


def _class_names(folders: Folders, count: int) -> tuple[str, ...]:
    """Return the names of the data set's classes, numbers where it has none."""
    return CLASS_NAMES.get(_dataset(folders) or "", tuple(str(number) for number in range(count)))


def _input_range(folders: Folders, images: npt.NDArray[np.float32]) -> tuple[float, float] | None:
    """Return (0, 1) where a data set's images are pixels in that range."""
    pixels = _dataset(folders) is not None and images.min() >= 0 and images.max() <= 1
    return (0.0, 1.0) if pixels else None


def open_virtual(folder: Path, progress: Progress, *, stall: float = 0.0) -> Accelerator:
    """Return the accelerator of a folder on a virtual board.

    Args:
        folder: that :func:`deploy` wrote.
        progress: told of the simulation's compilation.
        stall: probability that memory pauses.

    Raises:
        UserError: the folder does not hold one, or the simulation cannot be built.
    """
    return Accelerator(folder, build_virtual_board(folder, progress, stall=stall))


def virtual_board(folder: Path) -> VirtualBoard:
    """Return the virtual board of a folder, telling of its compilation: what ``Accelerator(folder)`` uses.

    Raises:
        UserError: as for :func:`open_virtual`.
    """
    return build_virtual_board(folder, RichProgress(console_for(sys.stderr)))


def build_virtual_board(folder: Path, progress: Progress, *, stall: float = 0.0) -> VirtualBoard:
    """Compile the simulation of a folder, unless that was done before, and start it; see :func:`open_virtual`.

    Raises:
        UserError: as for :func:`compile_shell`.
    """
    return VirtualBoard(compile_shell(folder, progress), folder / RTL, stall=stall)


def compile_shell(folder: Path, progress: Progress) -> Path:
    """Compile the simulation of a folder into it, unless that was done before, and return the library.

    Raises:
        DeployError: the folder holds no RTL.
        UserError: the simulation cannot be built.
    """
    rtl = folder / RTL
    try:
        order = (rtl / f"{SHELL}.f").read_text(encoding="utf-8").split()
    except OSError as reason:
        raise DeployError(
            f"accelerator {folder}",
            f"no {RTL}/{SHELL}.f",
            "a folder that `xnorflow deploy` wrote",
            "deploy the run again",
        ) from reason
    return compile_design(SHELL, [rtl / name for name in order], folder / "obj", ports=SocPorts(), progress=progress)


def write_virtual_overlay(folder: Path, library: Path) -> None:
    """Write the files that pynq loads on a virtual board, unless a bitstream for a real one is there."""
    name = OverlayDescription.load(folder).name
    if not (folder / f"{name}.bit").exists() or is_virtual(folder / f"{name}.bit"):
        write_overlay(folder, library, folder / RTL)


def try_out(folder: Path, library: Path) -> tuple[int, Throughput]:
    """Compute the golden frames on a virtual board of a compiled shell; return how many, and how fast a batch goes.

    Raises:
        DeployError: a result differs.
    """
    with Accelerator(folder, VirtualBoard(library, folder / RTL)) as accelerator:
        return accelerator.self_test(), accelerator.throughput_test(100)
