"""Synthesis for ECP5 with open tools to the end: a routed clock frequency, and a bitstream for a board."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import ConfigError, SynthesizeError
from xnorflow.artifact.files import make_folder, write_text
from xnorflow.artifact.progress import Progress
from xnorflow.boards.ecp5_catalog import Ecp5Board, load_ecp5_board
from xnorflow.synthesize.ecp5_report import RouteReport, read_routed
from xnorflow.synthesize.ecp5_tools import find_nextpnr, make_pll, pack, place_and_route, synthesize_ecp5
from xnorflow.synthesize.ecp5_top import (
    BOARD_TOP,
    PLL,
    SERIAL_TOP,
    SHELL_SOURCES,
    Line,
    make_line,
    render_board_top,
    render_lpf,
    render_serial_top,
)
from xnorflow.synthesize.yosys import Yosys, find_yosys, prepare_folder

__all__ = ["Ecp5Settings", "route_ecp5", "serial_sources"]

RTL_LIBRARY = Path(__file__).resolve().parent.parent / "rtl"
_READ = "read_slang -j 1 --ignore-assertions --top {top} {sources}"


class Ecp5Settings(BaseModel):
    """How a design is brought onto an ECP5.

    Args:
        board: board by name.
        frequency_mhz: clock of the accelerator.
        baud: of the serial line, 8N1.
        seed: of the placement.
        node: route this node alone, without pins and bitstream; None: the whole design.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str = "ulx3s-85f"
    frequency_mhz: float = Field(default=50.0, ge=10, le=400)
    baud: int = Field(default=115_200, ge=300, le=12_000_000)
    seed: int = Field(default=1, ge=1, le=2**31 - 1)
    node: str | None = None


@dataclass(frozen=True)
class _Job:
    """What the steps share: where they work, with what, for what."""

    build: Path
    folder: Path
    logs: Path
    design: Design
    board: Ecp5Board
    settings: Ecp5Settings
    yosys: Yosys
    nextpnr: str
    progress: Progress

    @property
    def tools(self) -> dict[str, str]:
        return {"yosys": self.yosys.version, "nextpnr-ecp5": self.nextpnr}


def serial_sources(build: Path, design: Design, folder: Path) -> list[str]:
    """Copy the sources of ``design`` and of the serial line into ``folder``, memory files beside them.

    Returns:
        Names relative to ``folder``, dependencies first, each module once; :data:`SERIAL_TOP` itself is not among them.

    Raises:
        SynthesizeError: a source is missing.
    """
    prepare_folder(build, design, folder)
    for source in design.sources:
        if not (build / source).is_file():
            raise SynthesizeError(
                f"design {design.top}", f"source {source} is missing", fix="generate the design again"
            )
        shutil.copyfile(build / source, folder / source)
    present = {Path(source).name for source in design.sources}
    lacking = [name for name in SHELL_SOURCES if name not in present]
    for name in lacking:
        shutil.copyfile(RTL_LIBRARY / name, folder / name)
    return [*lacking, *design.sources]


def _find_node(design: Design, name: str) -> DesignNode:
    names = [node.name for node in design.nodes]
    if name not in names:
        raise ConfigError(f"option --node: {name!r}", "no such node", ", ".join(names), "choose one of these")
    return design.nodes[names.index(name)]


def _route_node(job: _Job, node: DesignNode) -> RouteReport:
    """Route one node alone."""
    prepare_folder(job.build, job.design, job.folder)
    read = _READ.format(top=node.name, sources=" ".join(node.sources))
    settings, logs, seconds = job.settings, job.logs, {}
    with job.progress.task(f"Synthesize {node.name}"):
        seconds["yosys"] = synthesize_ecp5(
            job.yosys, read, node.name, "netlist.json", logs / f"ecp5_yosys_{node.name}.log", job.folder
        )
    with job.progress.task(f"Place and route {node.name}"):
        log = logs / f"ecp5_nextpnr_{node.name}.log"
        seconds["nextpnr"] = place_and_route(
            job.board, "netlist.json", settings.frequency_mhz, settings.seed, None, "route.json", log, job.folder
        )
    routed = read_routed(job.folder / "route.json")
    return RouteReport(
        job.design.top, node.name, job.board, settings.frequency_mhz, None, {}, settings.seed, routed, None, job.tools,
        seconds,
    )  # fmt: skip


def _write_top(job: _Job, line: Line, pll: bool) -> str:
    """Write what stands around the accelerator, and the constraints; returns the yosys commands that read it all."""
    folder, board = job.folder, job.board
    sources = serial_sources(job.build, job.design, folder)
    write_text(folder / f"{SERIAL_TOP}.sv", render_serial_top(job.design, line))
    write_text(folder / f"{BOARD_TOP}.v", render_board_top(board, pll))
    write_text(folder / "board.lpf", render_lpf(board))
    read = _READ.format(top=SERIAL_TOP, sources=" ".join([*sources, f"{SERIAL_TOP}.sv"]))
    return f"{read}; read_verilog {BOARD_TOP}.v" + (f" {PLL}.v" if pll else "")


def _route_design(job: _Job) -> RouteReport:
    """Route the whole design behind a serial line, and pack the bitstream if it is fast enough."""
    board, settings, logs, folder, design = job.board, job.settings, job.logs, job.folder, job.design
    clock, pll = settings.frequency_mhz, settings.frequency_mhz != board.clock_mhz
    if pll:
        clock = make_pll(board, clock, PLL, logs / "ecp5_pll.log", folder)
    line = make_line(design, clock, settings.baud)
    read = _write_top(job, line, pll)
    seconds = {}
    with job.progress.task("Synthesize for ECP5"):
        seconds["yosys"] = synthesize_ecp5(job.yosys, read, BOARD_TOP, "netlist.json", logs / "ecp5_yosys.log", folder)
    with job.progress.task("Place and route"):
        seconds["nextpnr"] = place_and_route(
            board, "netlist.json", clock, settings.seed, "chip.config", "route.json", logs / "ecp5_nextpnr.log", folder
        )
    routed = read_routed(folder / "route.json")
    bitstream = None
    if routed.fmax_mhz is None or routed.fmax_mhz >= clock:
        with job.progress.task("Pack the bitstream"):
            seconds["ecppack"] = pack("chip.config", "chip.bit", logs / "ecp5_pack.log", folder)
        bitstream = f"bitfile/xnorflow_{board.name}.bit"
    rates = {
        "accelerator": round(clock * 1e6 / design.cycles_per_frame, 1),
        "serial line": round(line.frames_per_second, 1),
    }
    return RouteReport(
        design.top, None, board, clock, settings.baud, rates, settings.seed, routed, bitstream, job.tools, seconds
    )


def _keep(job: _Job, report: RouteReport) -> None:
    """Put the report, and the bitstream where there is one, to their places."""
    if report.bitstream is not None:
        target = job.build / report.bitstream
        make_folder(target.parent)
        (job.folder / "chip.bit").replace(target)
    report.save(job.build / "report" / report_name(report.node))


def report_name(node: str | None) -> str:
    """Return the name, below ``report/``, of the report on a node or on the whole design."""
    return f"ecp5_route_{node}.json" if node else "ecp5_route.json"


def route_ecp5(build: Path, settings: Ecp5Settings, progress: Progress) -> RouteReport:
    """Synthesize, place and route a generated design for an ECP5, and make a bitstream of it.

    Args:
        build: build folder with ``design.json``; ``report/ecp5_route.json`` and ``bitfile/xnorflow_<board>.bit`` are
            written below it, for a single node ``report/ecp5_route_<node>.json``. Those of an earlier run are gone
            once this one has begun.
        settings: board, clock, serial line.
        progress: told of every step.

    Returns:
        The report; of a single node it may say that the frequency is not met.

    Raises:
        InputModelError: there is no design, or layers of it are C++.
        ConfigError: the board or the node is unknown, or the serial line is impossible.
        SynthesizeError: yosys rejects the design, it does not fit, cannot be routed or is slower than its clock; then
            the report is written and a bitstream is not.
        ToolError: yosys or nextpnr is missing.
    """
    board = load_ecp5_board(settings.board)
    design = Design.load_rtl(build / "design.json")
    node = _find_node(design, settings.node) if settings.node else None
    logs = build / "obj"
    write_text(logs / ".gitignore", "*\n")  # also finds out whether the folder can be written
    nextpnr, yosys = find_nextpnr(logs, progress), find_yosys(logs, progress)
    (build / "report" / report_name(settings.node)).unlink(missing_ok=True)
    if node is None:
        (build / "bitfile" / f"xnorflow_{board.name}.bit").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix=".ecp5.", dir=logs) as name:
        job = _Job(build, Path(name), logs, design, board, settings, yosys, nextpnr, progress)
        report = _route_design(job) if node is None else _route_node(job, node)
        _keep(job, report)
    if node is None and not report.met:
        raise SynthesizeError(
            f"design for {board.name}",
            f"{report.routed.fmax_mhz:g} MHz routed, {report.clock_mhz:g} MHz wanted: no bitstream",
            f"a clock of at most {report.routed.fmax_mhz:g} MHz",
            f"give a lower --frequency or another --seed; {build / 'report' / report_name(None)} names the path",
        )
    return report
