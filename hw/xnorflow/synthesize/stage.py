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
    report_name,
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
    """Take each node's netlist from the cache, or make it; returned in stream order."""
    nodes = {node.name: node for node in design.nodes}
    keys = {name: f"{node_key(node, folder, family, yosys)}.json" for name, node in nodes.items()}
    seconds = dict.fromkeys(nodes, 0.0)
    reports = {name: folder / report_name(node, family) for name, node in nodes.items()}
    missing = [name for name in nodes if not cache_get(_CACHE, keys[name], reports[name])]
    # Most work first, so that two processes end together.
    missing.sort(key=lambda name: _work(nodes[name].info), reverse=True)
    commands = {
        node_command(nodes[name], folder, family, yosys, logs / f"yosys_{name}_{family}.log"): name for name in missing
    }
    with (
        progress.task(f"Synthesize for {family}", len(nodes)) as advance,
        contextlib.closing(run_commands(list(commands), jobs)) as outcomes,
    ):
        advance(len(nodes) - len(missing), "")
        for outcome in outcomes:
            name = commands[outcome.command]
            check_outcome(name, outcome)
            seconds[name] = outcome.seconds
            cache_put(_CACHE, reports[name], keys[name], keep=2000)
            advance(1, name)
    return {name: NodeCells(read_cells(reports[name]), seconds[name]) for name in nodes}


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
