"""``xnorflow deploy``: a folder that a board's Python takes, and the same accelerator on a virtual board."""

from __future__ import annotations

import shutil
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, InputModelError
from xnorflow.artifact.files import stage_directory
from xnorflow.artifact.manifest import Manifest
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Family, load_board
from xnorflow.deploy.accelerator import Accelerator, Throughput
from xnorflow.deploy.overlay import HOST, GoldenFrames, OverlayDescription
from xnorflow.flow.build_manifest import note_files
from xnorflow.flow.comparison import expect_golden
from xnorflow.flow.folders import Folders
from xnorflow.flow.session import working_in
from xnorflow.generate.shell import SHELL, shell_sources
from xnorflow.simulate.ports import SocPorts
from xnorflow.simulate.tools import find_verilator
from xnorflow.simulate.verilator import compile_design
from xnorflow.simulate.virtual_board import VirtualBoard

__all__ = ["deploy", "open_virtual"]

DATA_BITS = {Family.XC7: 64, Family.XCUP: 128}
"""Widest ports of the processors' systems to memory."""
CLASS_NAMES = {  # where labels are no names already
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
RTL = "rtl"


def deploy(
    directory: Path, output: Path | None, frames: int, data_bits: int | None, *, test: bool, quiet: bool
) -> None:
    """Write the folder, and let the golden frames go through it on a virtual board.

    Raises:
        UserError: there is no design in RTL, an option is out of its range, the folder cannot be written, or a result
            differs.
    """
    folders = Folders.find(directory)
    design = folders.load_rtl_design()
    bits = data_bits or DATA_BITS[load_board(design.board).family]
    if bits not in (32, 64, 128, 256, 512, 1024):
        raise ConfigError("option --data-bits", f"{bits}", "32, 64, 128, 256, 512 or 1024")
    target = output or folders.deployed
    with working_in(folders.root, quiet=quiet) as session:
        with session.progress.task("deploy") as advance:
            count = write_folder(folders, design, target, frames, bits, session.progress)
            advance(0, f"{count} golden frames, words of {bits} bits")
        if target.resolve().is_relative_to(folders.root.resolve()):
            note_files(folders, "deploy", (path for path in target.rglob("*") if path.is_file()))
        if test:
            with session.progress.task("virtual board") as advance:
                count, throughput = try_out(target, session.progress)
                advance(0, f"{count} golden frames equal, {throughput}")
        session.progress.say(str(target))


def write_folder(
    folders: Folders, design: Design, target: Path, frames: int, data_bits: int, progress: Progress
) -> int:
    """Write description, host's part, golden frames and RTL of the shell; an earlier folder is replaced.

    Returns:
        How many golden frames there are.
    """
    golden, expectation = expect_golden(folders, frames, progress)
    count = golden.logits.shape[1]
    description = OverlayDescription(
        folders.root.resolve().name, design.board, design.part, design.clock_ns, design.cycles_per_frame,
        design.latency_cycles, data_bits, design.input, design.output, _class_names(folders, count),
        design.artifact_sha256,
    )  # fmt: skip
    with stage_directory(target) as work:
        description.save(work)
        shutil.copyfile(folders.build / HOST, work / HOST)
        GoldenFrames(golden.inputs, expectation.outputs.reshape(len(golden.inputs), -1)).save(work)
        (work / RTL).mkdir()
        shell_sources(folders.build, design, work / RTL, data_bits=data_bits)
    return len(golden.inputs)


def _class_names(folders: Folders, count: int) -> tuple[str, ...]:
    """Return the names of the classes of the data set that the network was trained on, numbers where it has none."""
    numbers = tuple(str(number) for number in range(count))
    try:
        dataset = Manifest.load(folders.export, verify=False).facts.get("dataset")
    except InputModelError:
        return numbers
    return CLASS_NAMES.get(str(dataset), numbers)


def open_virtual(folder: Path, progress: Progress, *, stall: float = 0.0) -> Accelerator:
    """Return the accelerator of a folder on a virtual board.

    Args:
        folder: that :func:`deploy` wrote.
        progress: told of the simulation's compilation.
        stall: probability that memory pauses.

    Raises:
        UserError: the folder does not hold one, or the simulation cannot be built.
    """
    rtl = folder / RTL
    find_verilator()
    order = (rtl / f"{SHELL}.f").read_text(encoding="utf-8").split()
    sources = [rtl / name for name in order]
    library = compile_design(SHELL, sources, folder / "obj", ports=SocPorts(), progress=progress)
    return Accelerator(folder, VirtualBoard(library, rtl, stall=stall))


def try_out(folder: Path, progress: Progress) -> tuple[int, Throughput]:
    """Compute the golden frames on a virtual board; return how many, and how fast a batch goes through.

    Raises:
        DeployError: a result differs.
    """
    with open_virtual(folder, progress) as accelerator:
        return accelerator.self_test(), accelerator.throughput_test(100)
