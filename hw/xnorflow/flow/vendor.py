"""``xnorflow synthesize --target vivado``: FINN and Vivado, or Vivado alone out of context, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.build_manifest import note_files
from xnorflow.flow.config import Override, settings_from_options
from xnorflow.flow.folders import Folders
from xnorflow.flow.session import working_in
from xnorflow.synthesize.vivado import OOC_REPORT, VivadoSettings, place_out_of_context
from xnorflow.synthesize.vivado_bitstream import BitstreamReport, build_bitstream
from xnorflow.synthesize.vivado_report import OocReport, Timing

__all__ = ["overrides", "refuse", "synthesize_vivado"]

_TARGETS = {"--frequency": ("ecp5", "vivado"), **dict.fromkeys(("--out-of-context", "--resume", "--jobs"), ("vivado",))}
_RESOURCES = ("LUT", "LUTRAM", "FF", "BRAM", "DSP")
Row = tuple[str, str, str]


def overrides(frequency_mhz: float | None, out_of_context: bool, resume: bool, jobs: int | None) -> list[Override]:
    """Return the options that lie over :class:`~xnorflow.synthesize.vivado.VivadoSettings`."""
    return [
        (("frequency_mhz",), "--frequency", frequency_mhz),
        (("out_of_context",), "--out-of-context", out_of_context or None),
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
        UserError: as :func:`~xnorflow.synthesize.vivado.place_out_of_context` and
            :func:`~xnorflow.synthesize.vivado_bitstream.build_bitstream`, or an option is out of its range.
    """
    settings = settings_from_options(VivadoSettings, options)
    folders = Folders.find(directory)
    with working_in(folders.root, quiet=quiet) as session:
        with session.progress.task("synthesize") as advance:
            if settings.out_of_context:
                placed = place_out_of_context(folders.build, settings, session.progress)
                rows, files = list(_ooc_rows(placed)), [f"report/{OOC_REPORT}"]
                advance(0, placed.path)
            else:
                made = build_bitstream(folders.build, settings, session.progress)
                rows, files = list(_bitstream_rows(made)), list(made.files)
                advance(0, f"FINN, Vivado {made.vivado}")
        version = placed.finn["vivado_version"] if settings.out_of_context else made.vivado
        note_files(folders, "vivado", [folders.build / name for name in files], {"vivado": str(version)})
        title = escape(folders.root.resolve().name)
        table = Table(
            "quantity", Column("value", overflow="fold"), "path", box=SIMPLE_HEAD, title=title, title_justify="left"
        )
        for quantity, value, path in rows:
            table.add_row(quantity, escape(value), f"[dim]{escape(path)}[/]")
        session.progress.show(table)
        for name in files:
            session.progress.say(str(folders.build / name))


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
