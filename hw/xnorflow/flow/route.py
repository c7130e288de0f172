"""``xnorflow synthesize --target ecp5``: place, route, pack, and show what came out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xnorflow.flow.build_manifest import note_files
from xnorflow.flow.config import Override, settings_from_options
from xnorflow.flow.figure_table import Row, figure_table
from xnorflow.flow.folders import Folders
from xnorflow.flow.session import working_in
from xnorflow.synthesize.ecp5 import Ecp5Settings, report_name, route_ecp5
from xnorflow.synthesize.ecp5_report import RouteReport

__all__ = ["overrides", "rows_of", "synthesize_ecp5"]


def overrides(
    board: str | None, frequency_mhz: float | None, baud: int | None, node: str | None, seed: int | None
) -> list[Override]:
    """Return the options that lie over :class:`~xnorflow.synthesize.ecp5.Ecp5Settings`."""
    return [
        (("board",), "--ecp5-board", board),
        (("frequency_mhz",), "--frequency", frequency_mhz),
        (("baud",), "--baud", baud),
        (("node",), "--node", node),
        (("seed",), "--seed", seed),
    ]


def synthesize_ecp5(directory: Path, options: list[Override], *, quiet: bool) -> None:
    """Route the design of a run or build for an ECP5 and show a table.

    Raises:
        UserError: as :func:`~xnorflow.synthesize.ecp5.route_ecp5`, or an option is out of its range.
    """
    settings = settings_from_options(Ecp5Settings, options)
    folders = Folders.find(directory)
    with working_in(folders.root, quiet=quiet) as session:
        with session.progress.task("synthesize") as advance:
            report = route_ecp5(folders.build, settings, session.progress)
            advance(0, report.path)
        made = [f"report/{report_name(report.node)}", *([report.bitstream] if report.bitstream else [])]
        stage = f"ecp5 {report.node}" if report.node else "ecp5"
        note_files(folders, stage, [folders.build / name for name in made], report.tools)
        title = f"{folders.root.resolve().name}: {report.node or report.design}"
        session.progress.show(figure_table(title, rows_of(report)))
        if report.bitstream is not None:
            session.progress.say(str(folders.build / report.bitstream))


def rows_of(report: RouteReport) -> Iterator[Row]:
    """Yield quantity, value and where the value is from."""
    board, routed, routed_by = report.board, report.routed, "routed, nextpnr-ecp5"
    yield "board", board.name, f"{board.device}, {board.package}, speed grade {board.speed}"
    if routed.fmax_mhz is None:
        yield "Fmax", "no path between registers", routed_by
    else:
        yield "Fmax", f"{routed.fmax_mhz:g} MHz", routed_by
    yield (
        ("clock aimed at" if report.node else "clock"),
        f"{report.clock_mhz:g} MHz",
        "met" if report.met else "not met",
    )
    for name, amount in routed.amounts.items():
        yield name, f"{amount.used:,} of {amount.available:,} ({amount.percent:.1f}%)", routed_by
    path = routed.critical_path
    if path is not None:
        delays = f"{path.logic_ns:g} ns in cells, {path.routing_ns:g} ns in wires"
        yield "critical path", delays, f"{path.levels} LUTs and carry cells"
        yield "  from", _short(path.start), ""
        yield "  to", _short(path.end), ""
    for what, rate in report.frames_per_second.items():
        path_of_rate = "cycle model x clock" if what == "accelerator" else f"{report.baud:,} baud, 10 bits a byte"
        yield f"frames/s, {what}", f"{rate:,.0f}", path_of_rate
    yield (
        "time",
        f"{sum(report.seconds.values()):.0f} s",
        ", ".join(f"{k} {v:.0f} s" for k, v in report.seconds.items()),
    )


def _short(register: str) -> str:
    """Return the name of a register without the levels above the nodes, and without generate blocks of no index."""
    register = register.removeprefix("i_serial.").removeprefix("i_accelerator.")
    return ".".join(part for part in register.split(".") if not part.startswith("gen_") or "[" in part)
