"""``xnorflow package``: the golden frames and measured figures of a run, packaged with its design."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.host import HostCodec
from xnorflow.flow.build_manifest import note_folder
from xnorflow.flow.comparison import expect_golden
from xnorflow.flow.config import Override, settings_from_options
from xnorflow.flow.folders import Folders
from xnorflow.flow.results import Results, load_results
from xnorflow.flow.session import working_in
from xnorflow.package.config import PackageSettings, word_of
from xnorflow.package.software import Vectors
from xnorflow.package.stage import Row, check_output, write_package

__all__ = ["figures", "overrides", "package"]


def overrides(
    name: str | None, vendor: str | None, library: str | None, version: str | None, cells: StrEnum | None,
    frames: int | None, tlast_frames: int | None,
) -> list[Override]:  # fmt: skip
    """Return the options that lie over :class:`~xnorflow.package.config.PackageSettings`."""
    return [
        (("name",), "--name", name),
        (("vendor",), "--vendor", vendor),
        (("library",), "--library", library),
        (("version",), "--version", version),
        (("cells",), "--cells", cells and cells.value),
        (("frames",), "--frames", frames),
        (("tlast_frames",), "--tlast-frames", tlast_frames),
    ]


def package(directory: Path, output: Path | None, options: list[Override], *, quiet: bool) -> None:
    """Package the design of a run or build.

    Raises:
        UserError: there is no design in RTL, an option is out of its range, or the output cannot be written.
    """
    folders = Folders.find(directory)
    name: Override = (("name",), "folder's name", word_of(folders.root.resolve().name))
    settings = settings_from_options(PackageSettings, [name, *(one for one in options if one[2] is not None)])
    target = output or folders.build / "ip"
    design = folders.load_rtl_design()
    check_output(target)
    with working_in(folders.root, quiet=quiet) as session:
        with session.progress.task("package") as advance:
            golden, expectation = expect_golden(folders, settings.frames, session.progress)
            vectors = Vectors(
                golden.inputs.reshape(len(golden.inputs), -1), expectation.inputs, expectation.outputs,
                expectation.classes, golden.logits.shape[1],
            )  # fmt: skip
            codec = HostCodec.load(folders.build / "host.npz")
            write_package(folders.build, target, codec, vectors, settings, list(figures(load_results(folders), design)))
            advance(0, settings.identifier)
        note_folder(folders, "package", target)
        session.progress.say(str(target))


def figures(results: Results, design: Design) -> Iterator[Row]:
    """Yield what was measured or is assumed of a design, each with how it was found."""
    yield "interval", f"{design.cycles_per_frame:,} cycles a frame", "cycle model, which equals the RTL in simulation"
    yield "latency", f"{design.latency_cycles:,} cycles", "cycle model; the testbench checks it"
    rate = 1e9 / design.clock_ns / design.cycles_per_frame
    yield "frames/s", f"{rate:,.0f}", f"cycles x assumed {design.clock_ns:g} ns clock"
    if results.simulation:
        checked = f"{results.simulation['mismatches']:,} of {results.simulation['frames']:,} frames"
        yield "differing results", checked, "RTL in Verilator against the network's reference"
    synthesis = results.synthesis
    if synthesis:
        path = f"yosys, mapped cells, {synthesis['family']}, with Xilinx cells, without TLAST's counter"
        for cell in ("LUT", "FF", "LUTRAM", "BRAM36", "DSP"):
            yield cell, f"{synthesis['total'][cell]:,}", path
