"""From a lowered graph to a bitstream for a Zynq board: FINN's own way, called on our graph."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from xnorflow.artifact.cache import content_key
from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, InputModelError, OutputError, SynthesizeError, ToolError, UserError
from xnorflow.artifact.files import copy_together, make_folder, write_text
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import Progress
from xnorflow.lower.finn_compat import FINN_BOARDS, bitstream_config, keep_own_fifos, vendor_build
from xnorflow.lower.stage import MODELS
from xnorflow.lower.steps import STEPS
from xnorflow.synthesize.bitstream import BitstreamReport, check_bitstream
from xnorflow.synthesize.vivado import VivadoSettings
from xnorflow.synthesize.vivado_errors import explain, newest_failure, telling_of_full_disks
from xnorflow.synthesize.vivado_report import check_timing, read_timing
from xnorflow.synthesize.vivado_steps import Steps
from xnorflow.synthesize.vivado_tools import Vivado, find_vivado

__all__ = ["BITSTREAM", "FINN_FOLDER", "build_bitstream"]

FINN_FOLDER, BITSTREAM = "vivado_finn", "bitfile/finn-accel.bit"
_RESULTS = (
    BITSTREAM, "bitfile/finn-accel.hwh", "report/post_synth_report.xml", "report/post_synth_resources.json",
    "report/post_route_timing.rpt",
)  # fmt: skip
"""What FINN's step_synthesize_bitfile writes, by its names."""


@dataclass(frozen=True)
class _Job:
    """What the steps share."""

    part: str
    board: str
    clock_ns: float
    folder: Path

    @property
    def output(self) -> Path:
        """FINN's output folder."""
        return self.folder / "output"


def _make_ip(model: Any, job: _Job) -> Any:
    """Generate code of every node; Vitis HLS makes IPs of those in C++."""
    from finn.transformation.fpgadataflow.hlssynth_ip import HLSSynthIP
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP

    return model.transform(PrepareIP(job.part, job.clock_ns)).transform(HLSSynthIP(job.part))


def _stitch(model: Any, job: _Job) -> Any:
    """Package the accelerator as an IP; its project stays."""
    from finn.transformation.fpgadataflow.create_stitched_ip import CreateStitchedIP

    return model.transform(CreateStitchedIP(job.part, job.clock_ns))


def _synthesize(model: Any, job: _Job) -> Any:
    """Put DMA, processor and clocks around it, and bring all of it down to a bitstream."""
    from finn.builder.build_dataflow_steps import step_synthesize_bitfile

    shutil.rmtree(job.output, ignore_errors=True)
    keep_own_fifos(model)
    return step_synthesize_bitfile(model, bitstream_config(job.output, job.board, job.clock_ns))


_STEPS: dict[str, Callable[[Any, _Job], Any]] = {"hls_ip": _make_ip, "stitched_ip": _stitch, "bitstream": _synthesize}


def _load_design(build: Path) -> Design | HlsDesign:
    hls = build / HLS_DESIGN_FILE
    return HlsDesign.load(hls) if hls.is_file() else Design.load(build / "design.json")


def _check_inputs(build: Path, design: Design | HlsDesign) -> Path:
    """Return the lowered graph.

    Raises:
        ConfigError: FINN has no such board.
        InputModelError: the graph is missing.
        OutputError: the build folder's path has a space, which FINN's scripts do not take.
    """
    if design.board not in FINN_BOARDS:
        raise ConfigError(
            f"board {design.board!r}", "FINN makes no bitstream for it", ", ".join(FINN_BOARDS),
            "build for one of these, or leave --shell finn out",
        )  # fmt: skip
    model = build / MODELS / f"{STEPS[-1].name}.onnx"
    if not model.is_file():
        raise InputModelError(
            f"graph {model}", "missing", "what `xnorflow build` leaves there", "run `xnorflow build` again"
        )
    if re.search(r"\s", str(build.resolve())):
        raise OutputError(
            f"build folder {build.resolve()}", "a path with a space",
            "a path without one: the scripts of FINN take no other", "move it",
        )  # fmt: skip
    return model


def _check_deps(deps: Path) -> None:
    """Refuse to start without what FINN's DMA is made of.

    Raises:
        ToolError: finn-hlslib is not there.
    """
    if not (deps / "finn-hlslib" / "dma.h").is_file():
        raise ToolError(
            "finn-hlslib", f"no dma.h in {deps}/finn-hlslib", "a checkout of it in the folder that FINN_DEPS names",
            "run FINN's `finn deps update` and set FINN_DEPS, or leave --shell finn out",
        )  # fmt: skip


@contextmanager
def _explained(step: str, folder: Path) -> Iterator[None]:
    """Make one line of what FINN or the tools that it calls complain of."""
    try:
        with telling_of_full_disks(f"step {step}", folder):
            yield
    except UserError:
        raise
    except Exception as reason:
        log = newest_failure(folder)
        if log is None:
            found = f"FINN failed ({type(reason).__name__}: {str(reason)[:160]})"
            raise SynthesizeError(f"step {step}", found, fix=f"see {folder}, or add --debug") from reason
        where = re.match(r"code_gen_ipgen_(.+)_.{8}$", log.parent.name)
        text = log.read_text(encoding="utf-8", errors="replace")
        name = f"node {where[1]}" if where else f"step {step}"
        raise explain(name, f"FINN ended in {type(reason).__name__}", text, log) from reason


def _run_steps(
    graph: Path, job: _Job, steps: Steps, vivado: Vivado, settings: VivadoSettings, progress: Progress
) -> None:
    """Run the steps that are not done, each in a folder of its own, from the graph that the one before left."""
    from qonnx.core.modelwrapper import ModelWrapper

    for name, run in _STEPS.items():
        kept, folder = job.folder / f"{name}.onnx", job.folder / name
        if not steps.done(name):
            shutil.rmtree(folder, ignore_errors=True)
            make_folder(folder)
            with vivado.on_path(), vendor_build(folder, settings.jobs) as deps, progress.task(f"FINN: {name}"):
                _check_deps(deps)
                with _explained(name, folder):
                    run(ModelWrapper(str(graph)), job).save(str(kept))
            steps.finish(name)
        graph = kept


def build_bitstream(build: Path, settings: VivadoSettings, progress: Progress) -> BitstreamReport:
    """Make a bitstream of a build, by FINN's HLSSynthIP, CreateStitchedIP and ZynqBuild.

    Args:
        build: build folder with the lowered graph; ``bitfile/finn-accel.bit`` and ``.hwh``,
            ``report/post_synth_resources.json``, ``post_synth_report.xml`` and ``post_route_timing.rpt`` are written
            below it once all is well. Projects and logs stay in ``obj/vivado_finn``.
        settings: clock, processes, and whether to resume.
        progress: told of every step.

    Raises:
        InputModelError: there is no design, or its graph is missing.
        ConfigError: FINN has no such board.
        ToolError: Vivado, Vitis HLS, finn-hlslib, a license or board files are missing.
        SynthesizeError: a tool rejects the design, its timing is not met, or what came out is no bitstream of this
            chip; earlier results stay as they were.
        OutputError: the disk is full, or the folder cannot be written.
    """
    design = _load_design(build)
    model = _check_inputs(build, design)
    logs = build / "obj"
    write_text(logs / ".gitignore", "*\n")  # also finds out whether the folder can be written
    vivado, clock_ns = find_vivado(logs, progress, whole=True), settings.clock_ns(design.clock_ns)
    key = content_key(metadata.version("xnorflow"), vivado.version, design.board, f"{clock_ns:g}", model.read_bytes())
    steps = Steps((logs / FINN_FOLDER).resolve(), key, resume=settings.resume)
    job = _Job(design.part, design.board, clock_ns, steps.folder)
    _run_steps(model, job, steps, vivado, settings, progress)
    return _keep(build, job, vivado)


def _replace_results(build: Path, job: _Job) -> tuple[Path, ...]:
    """Put all results in the places of earlier ones.

    Raises:
        OutputError: the disk is full; earlier results are as they were.
    """
    files = {build / name: job.output / name for name in _RESULTS}
    with telling_of_full_disks(f"bitstream for {job.board}", build):
        copy_together(files)
    return tuple(files)


def _keep(build: Path, job: _Job, vivado: Vivado) -> BitstreamReport:
    """Check what FINN wrote, and put it to its places."""
    lacking = [name for name in _RESULTS if not (job.output / name).is_file()]
    if lacking:
        raise SynthesizeError("step bitstream", f"{lacking[0]} is missing", "all that FINN writes", f"see {job.folder}")
    report = job.output / "report" / "post_route_timing.rpt"
    timing = read_timing(report)
    check_timing(timing, job.clock_ns, f"bitstream for {job.board}", report)
    check_bitstream(job.output / BITSTREAM, job.part, job.folder)
    files = _replace_results(build, job)
    return BitstreamReport(job.board, job.part, job.clock_ns, vivado.version, timing, files)
