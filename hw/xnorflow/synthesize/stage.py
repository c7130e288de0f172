"""The synthesize stage: every node through yosys, counted and held against the board."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from xnorflow.artifact.cache import cache_get, cache_put
from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.processes import run_commands
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Board, Family, load_board
from xnorflow.synthesize.budget import check_budget, check_usage
from xnorflow.synthesize.cells import read_cells
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.synthesize.report import NodeCells, SynthesisReport
from xnorflow.synthesize.yosys import (
    Yosys,
    check_outcome,
    find_yosys,
    node_command,
    node_key,
    prepare_folder,
)

__all__ = ["synthesize"]

_CACHE = "netlists"


def _estimates(build: Path) -> dict[str, dict[str, Any]] | None:
    """Read FINN's estimates; None where there are none."""
    path = build / "report" / "estimate_layer_resources.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as reason:
        raise SynthesizeError(f"estimates {path}", "not JSON", fix="run `xnorflow build` again") from reason
    return {name: layer for name, layer in content.items() if isinstance(layer, dict)}


def _synthesize_nodes(
    design: Design, family: Family, folder: Path, logs: Path, yosys: Yosys, jobs: int, progress: Progress
) -> dict[str, NodeCells]:
    """Take each node's netlist from the cache, or make it, equal ones once; returned in stream order."""
    reports = {node.name: f"{node_key(node, folder, family, yosys)}.json" for node in design.nodes}
    makers = {reports[node.name]: node for node in reversed(design.nodes)}
    missing = [report for report in makers if not cache_get(_CACHE, report, folder / report)]
    # Most work first, so that two processes end together.
    missing.sort(key=lambda report: _work(makers[report].info), reverse=True)
    commands = {}
    for report in missing:
        node = makers[report]
        log = logs / f"yosys_{node.name}_{family}.log"
        commands[node_command(node, folder, family, yosys, report, log)] = report
    seconds = dict.fromkeys(makers, 0.0)
    with (
        progress.task(f"Synthesize for {family}", len(makers)) as advance,
        contextlib.closing(run_commands(list(commands), jobs)) as outcomes,
    ):
        advance(len(makers) - len(missing), "")
        for outcome in outcomes:
            report = commands[outcome.command]
            check_outcome(makers[report].name, outcome)
            seconds[report] = outcome.seconds
            cache_put(_CACHE, folder / report, report, keep=2000)
            advance(1, makers[report].name)
    return {name: NodeCells(read_cells(folder / report), seconds[report]) for name, report in reports.items()}


def _work(info: dict[str, Any]) -> int:
    """Guess how long yosys takes by the multipliers of a node."""
    return int(info.get("PE", 1)) * int(info.get("SIMD", 1))


def synthesize(
    build: Path, settings: SynthesizeSettings, progress: Progress, board: Board | None = None
) -> SynthesisReport:
    """Map a generated design with yosys and compare it with its board.

    Args:
        build: build folder with ``design.json``; ``report/yosys_synth_<family>.json`` is written below it.
        settings: families and processes.
        progress: told of every node.
        board: instead of the design's own.

    Returns:
        The report of the first family.

    Raises:
        InputModelError: there is no design.
        ConfigError: the design's board is unknown.
        SynthesizeError: the estimates or the mapped cells exceed the board, or yosys rejects a node.
        ToolError: yosys is missing.
    """
    design = Design.load(build / "design.json")
    board = board or load_board(design.board)
    estimates = _estimates(build)
    if estimates is not None:
        check_budget(estimates, board)
    work = build / "obj"
    write_text(work / ".gitignore", "*\n")  # also finds out whether the folder can be written
    yosys = find_yosys(work, progress)
    reports = []
    for family in settings.families or (board.family,):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix=".yosys.", dir=work) as name:
            folder = Path(name)
            prepare_folder(build, design, folder)
            layers = _synthesize_nodes(design, family, folder, work, yosys, settings.jobs, progress)
        report = SynthesisReport(design.top, family, board, yosys.version, layers, time.perf_counter() - start)
        report.save(build / "report" / f"yosys_synth_{family}.json")
        reports.append(report)
    for report in reports:
        if report.family is board.family:
            check_usage(report.total, {name: layer.usage for name, layer in report.layers.items()}, board)
    return reports[0]
