"""``xnorflow synthesize --target vivado``: a bitstream in our shell or FINN's, or the design alone; what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.progress import Progress
from xnorflow.flow.build_manifest import note_files, note_folder
from xnorflow.flow.config import Override, settings_from_options
from xnorflow.flow.deploy import asked_before, write_folder
from xnorflow.flow.figure_table import Row, figure_table
from xnorflow.flow.folders import Folders
from xnorflow.flow.session import working_in
from xnorflow.synthesize.bitstream import BitstreamReport
from xnorflow.synthesize.vivado import OOC_REPORT, Shell, VivadoSettings, place_out_of_context
from xnorflow.synthesize.vivado_bitstream import build_bitstream
from xnorflow.synthesize.vivado_overlay import build_overlay
from xnorflow.synthesize.vivado_report import OocReport, Timing

__all__ = ["overrides", "refuse", "synthesize_vivado"]

_TARGETS = {
    "--frequency": ("ecp5", "vivado"),
    **dict.fromkeys(("--out-of-context", "--shell", "--resume", "--jobs"), ("vivado",)),
}
_RESOURCES = ("LUT", "LUTRAM", "FF", "BRAM", "DSP")


def overrides(
    frequency_mhz: float | None, out_of_context: bool, shell: StrEnum | None, resume: bool, jobs: int | None
) -> list[Override]:
    """Return the options that lie over :class:`~xnorflow.synthesize.vivado.VivadoSettings`."""
    return [
        (("frequency_mhz",), "--frequency", frequency_mhz),
        (("out_of_context",), "--out-of-context", out_of_context or None),
        (("shell",), "--shell", shell and shell.value),
        (("resume",), "--resume", resume or None),
        (("jobs",), "--jobs", jobs),
    ]


def refuse(options: list[Override], target: str) -> None:
    """Refuse options of other targets than the one in use.

    Raises:
        ConfigError: one was given; the message names it, and the target that it is for.
    """
    for _, option, value in options:
        targets = _TARGETS.get(option, ("ecp5",))
        if value is not None and target not in targets:
            wanted = " or ".join(f"--target {name}" for name in targets)
            raise ConfigError(f"option {option}", f"given without {wanted}", fix=f"add {wanted}")


def synthesize_vivado(directory: Path, options: list[Override], *, quiet: bool) -> None:
    """Take the design of a run or build through Vivado and show a table.

    Raises:
        UserError: as :func:`~xnorflow.synthesize.vivado.place_out_of_context`,
            :func:`~xnorflow.synthesize.vivado_overlay.build_overlay` and
            :func:`~xnorflow.synthesize.vivado_bitstream.build_bitstream`, or an option is out of its range.
    """
    settings = settings_from_options(VivadoSettings, options)
    if settings.out_of_context and any(option == "--shell" and value for _, option, value in options):
        raise ConfigError("option --shell", "given with --out-of-context", fix="leave one of them out")
    folders = Folders.find(directory)
    make = _place if settings.out_of_context else {Shell.XNORFLOW: _overlay, Shell.FINN: _finn}[settings.shell]
    with working_in(folders.root, quiet=quiet) as session:
        with session.progress.task("synthesize") as advance:
            made = make(folders, settings, session.progress)
            advance(0, made.path)
        note_files(folders, "vivado", made.files, {"vivado": made.vivado})
        session.progress.show(figure_table(folders.root.resolve().name, made.rows))
        for path in made.files:
            session.progress.say(str(path))


@dataclass(frozen=True)
class _Made:
    """What came of it: rows of the table, files, Vivado's version, and the way there."""

    rows: list[Row]
    files: list[Path]
    vivado: str
    path: str


def _place(folders: Folders, settings: VivadoSettings, progress: Progress) -> _Made:
    placed = place_out_of_context(folders.build, settings, progress)
    version = str(placed.finn["vivado_version"])
    return _Made(list(_ooc_rows(placed)), [folders.report / OOC_REPORT], version, placed.path)


def _finn(folders: Folders, settings: VivadoSettings, progress: Progress) -> _Made:
    made = build_bitstream(folders.build, settings, progress)
    return _Made(list(_bitstream_rows(made)), list(made.files), made.vivado, f"FINN, Vivado {made.vivado}")


def _overlay(folders: Folders, settings: VivadoSettings, progress: Progress) -> _Made:
    """Write what `xnorflow deploy` writes, as an earlier one was asked for, and have Vivado run its scripts."""
    if folders.hls_design.is_file():
        raise ConfigError(
            "option --shell xnorflow", "the design is C++ for HLS", "a design in RTL",
            "add --shell finn, or build with --backend rtl",
        )  # fmt: skip
    design = folders.load_rtl_design()
    frames, data_bits = asked_before(folders.deployed, design)
    design = replace(design, clock_ns=settings.clock_ns(design.clock_ns))
    write_folder(folders, design, folders.deployed, frames, data_bits, progress)
    note_folder(folders, "deploy", folders.deployed)
    made = build_overlay(folders.deployed, folders.build / "obj", settings, progress)
    return _Made(list(_bitstream_rows(made)), list(made.files), made.vivado, f"Vivado {made.vivado}")


def _timing_rows(timing: Timing, clock_ns: float, path: str) -> Iterator[Row]:
    yield "clock", f"{1000 / clock_ns:g} MHz", "met" if timing.met else "not met"
    yield "setup slack", f"{timing.wns:g} ns", path
    yield "hold slack", f"{timing.whs:g} ns", path
    if timing.path is not None:
        yield "  from", timing.path[0], "worst path"
        yield "  to", timing.path[1], ""


def _ooc_rows(report: OocReport) -> Iterator[Row]:
    yield "board", report.board, f"{report.part}, the design alone"
    yield "Fmax", f"{report.finn['fmax_mhz']:.2f} MHz", report.path
    yield from _timing_rows(report.timing, report.clock_ns, report.path)
    for name in _RESOURCES:
        if name in report.finn:
            yield name, f"{report.finn[name]:,}", report.path
    yield "frames/s", f"{report.finn['estimated_throughput_fps']:,.0f}", "cycle model x Fmax"


def _bitstream_rows(report: BitstreamReport) -> Iterator[Row]:
    path = f"routed, Vivado {report.vivado}, whole chip"
    yield "board", report.board, report.part
    yield from _timing_rows(report.timing, report.clock_ns, path)
