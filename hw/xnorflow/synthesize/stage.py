"""The synthesize stage: every node through yosys, counted and held against the board."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xnorflow.artifact.cache import cache_get, cache_put
from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.processes import run_commands
from xnorflow.artifact.progress import Progress
from xnorflow.boards.catalog import Board, Family, load_board
from xnorflow.synthesize.budget import check_budget, check_usage
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.synthesize.counts import count_netlist, read_counts
from xnorflow.synthesize.report import NodeCells, SynthesisReport
from xnorflow.synthesize.yosys import (
    Yosys,
    check_outcome,
    find_yosys,
    node_command,
    node_key,
    prepare_folder,
)

__all__ = ["map_nodes", "synthesize"]

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


def map_nodes(
    nodes: Sequence[DesignNode], family: Family, folder: Path, logs: Path, yosys: Yosys, jobs: int, progress: Progress
) -> dict[str, NodeCells]:
    """Take each node's counts from the cache, or map it, equal ones once.

    Args:
        nodes: their sources are files below ``folder``, which holds the memory files that these name, too.
        family: what to map to.
        folder: takes the counts.
        logs: takes yosys's output.
        yosys: the tool.
        jobs: nodes at a time.
        progress: told of every node.

    Returns:
        By name, in the order given.

    Raises:
        SynthesizeError: yosys rejects a node.
    """
    stems = {node.name: node_key(node, folder, family, yosys) for node in nodes}
    makers = {stems[node.name]: node for node in reversed(nodes)}
    missing = [stem for stem in makers if not cache_get(_CACHE, f"{stem}.json", folder / f"{stem}.json")]
    # Most work first, so that two processes end together.
    missing.sort(key=lambda stem: _work(makers[stem].info), reverse=True)
    commands = {}
    for stem in missing:
        node = makers[stem]
        log = logs / f"yosys_{node.name}_{family}.log"
        commands[node_command(node, folder, family, yosys, stem, log)] = stem
    seconds = dict.fromkeys(makers, 0.0)
    with (
        progress.task(f"Synthesize for {family}", len(makers)) as advance,
        contextlib.closing(run_commands(list(commands), jobs)) as outcomes,
    ):
        advance(len(makers) - len(missing), "")
        for outcome in outcomes:
            stem = commands[outcome.command]
            check_outcome(makers[stem].name, outcome)
            seconds[stem] = outcome.seconds
            report = count_netlist(folder, stem, makers[stem].name)
            cache_put(_CACHE, report, report.name, keep=2000)
            advance(1, makers[stem].name)
    return {name: NodeCells(*read_counts(folder / f"{stem}.json"), seconds[stem]) for name, stem in stems.items()}


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
        InputModelError: there is no design, or layers of it are C++.
        ConfigError: the design's board is unknown.
        SynthesizeError: the estimates or the mapped cells exceed the board, or yosys rejects a node.
        ToolError: yosys is missing.
    """
    design = Design.load_rtl(build / "design.json")
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
            layers = map_nodes(design.nodes, family, folder, work, yosys, settings.jobs, progress)
        operators = {node.name: node.op_type for node in design.nodes}
        seconds = time.perf_counter() - start
        report = SynthesisReport(design.top, family, board, yosys.version, layers, seconds, operators)
        report.save(build / "report" / f"yosys_synth_{family}.json")
        reports.append(report)
    for report in reports:
        if report.family is board.family:
            check_usage(report.total, {name: layer.usage for name, layer in report.layers.items()}, board)
    return reports[0]
