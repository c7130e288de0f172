"""From what `xnorflow deploy` wrote to a bitstream: a block design of our own, with DMA engines of our own."""

from __future__ import annotations

import re
from pathlib import Path

from xnorflow.artifact.cache import content_key
from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import copy_together, write_text
from xnorflow.artifact.progress import Progress
from xnorflow.deploy.board import Engine
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.deploy.pynq_board import CELLS as ENGINES
from xnorflow.generate.shell import NETWORK
from xnorflow.synthesize.bitstream import BitstreamReport, check_bitstream
from xnorflow.synthesize.overlay_tcl import SCRIPTS
from xnorflow.synthesize.vivado import VivadoSettings
from xnorflow.synthesize.vivado_errors import telling_of_full_disks
from xnorflow.synthesize.vivado_report import Timing, check_timing, read_timing
from xnorflow.synthesize.vivado_steps import Steps
from xnorflow.synthesize.vivado_tools import Vivado, find_vivado, run_script

__all__ = ["OVERLAY_FOLDER", "RTL", "TCL", "build_overlay"]

OVERLAY_FOLDER = "vivado_overlay"
RTL, TCL = "rtl", "vivado"
"""Folders of sources and of scripts in what `xnorflow deploy` writes."""
CELLS = (ENGINES[Engine.READ], NETWORK, ENGINES[Engine.WRITE])
"""Cells that drivers look for."""


def build_overlay(folder: Path, logs: Path, settings: VivadoSettings, progress: Progress) -> BitstreamReport:
    """Make ``<name>.bit`` and ``<name>.hwh`` by the scripts of a folder of `xnorflow deploy`, and put them into it.

    Args:
        folder: of `xnorflow deploy`, at the clock that is wanted.
        logs: takes project and logs, in ``vivado_overlay``.
        settings: processes, and whether to resume.
        progress: told of every step.

    Raises:
        DeployError: the folder does not hold an accelerator.
        ToolError: Vivado, a license or board files are missing.
        SynthesizeError: Vivado rejects the design, its timing is not met, or what came out is no bitstream of this
            chip; earlier files stay as they were.
        OutputError: the disk is full, or a folder cannot be written.
    """
    description = OverlayDescription.load(folder)
    write_text(logs / ".gitignore", "*\n")  # also finds out whether the folder can be written
    vivado = find_vivado(logs, progress, whole=False)
    steps = Steps((logs / OVERLAY_FOLDER).resolve(), _key(folder, vivado), resume=settings.resume)
    where = f"overlay {description.name} for {description.board}"
    with telling_of_full_disks(where, steps.folder):
        for script in SCRIPTS:
            if not steps.done(script):
                path, log = (folder / TCL / script).resolve(), logs / f"vivado_{Path(script).stem}.log"
                with progress.task(f"Vivado: {Path(script).stem}"):
                    run_script(vivado, str(path), log, steps.folder, where, (str(settings.jobs),))
                steps.finish(script)
        timing = _check(steps.folder, description, where)
        files = _keep(steps.folder, folder, description.name)
    return BitstreamReport(description.board, description.part, description.clock_ns, vivado.version, timing, files)


def _key(folder: Path, vivado: Vivado) -> str:
    """Return a hash of all that the result depends on."""
    files = sorted(path for part in (RTL, TCL) for path in (folder / part).rglob("*") if path.is_file())
    return content_key(vivado.version, *(part for path in files for part in (path.name, path.read_bytes())))


def _check(work: Path, description: OverlayDescription, where: str) -> Timing:
    """Refuse what is too slow, for another chip, or lacks a cell that drivers look for."""
    bitfile, handoff = (work / f"{description.name}.{end}" for end in ("bit", "hwh"))
    lacking = [path for path in (bitfile, handoff) if not path.is_file()]
    if lacking:
        raise SynthesizeError(where, f"{lacking[0].name} is missing", "what bitstream.tcl writes", f"see {work}")
    timing = read_timing(work / "timing.rpt")
    check_timing(timing, description.clock_ns, where, work / "timing.rpt")
    check_bitstream(bitfile, description.part, work)
    text = handoff.read_text(encoding="utf-8", errors="replace")
    absent = [cell for cell in CELLS if re.search(rf'\bINSTANCE="{cell}"', text) is None]
    if absent:
        raise SynthesizeError(
            f"hardware handoff {handoff}", f"no cell {absent[0]}", f"cells {', '.join(CELLS)}", f"see {work}"
        )
    return timing


def _keep(work: Path, folder: Path, name: str) -> tuple[Path, ...]:
    files = tuple(folder / f"{name}.{end}" for end in ("bit", "hwh"))
    copy_together({path: work / path.name for path in files})
    return files
