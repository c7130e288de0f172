"""The stages on one set of folders: each is run, or kept where it is done already and nothing it depends on changed."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from xnorflow.artifact.errors import OutputError, SynthesizeError
from xnorflow.artifact.files import replaced
from xnorflow.flow.build_manifest import packages_of, write_build_manifest
from xnorflow.flow.folders import Folders
from xnorflow.flow.records import WHOLE, StageRecords, fingerprint, source_hash
from xnorflow.flow.staging import staged_contents
from xnorflow.train.config import is_file_name

if TYPE_CHECKING:
    from pydantic import BaseModel

    from xnorflow.flow.config import ExperimentConfig
    from xnorflow.flow.inputs import InputSource
    from xnorflow.flow.session import Session
    from xnorflow.lower.config import BuildSettings
    from xnorflow.simulate.config import SimulateSettings
    from xnorflow.synthesize.config import SynthesizeSettings
    from xnorflow.train.config import DataSettings
    from xnorflow.train.zoo.catalog import ZooEntry

__all__ = ["Workflow", "training_key"]

DESIGN_PACKAGES = (
    "lower", "ops", "cycles", "counters", "generate", "render", "rtl", "hls", "boards", "artifact",
)  # fmt: skip
"""What a design comes from: a change of these repeats a build."""

CSIM_NOTE = "C++ by g++"


@dataclass(frozen=True)
class Outcome:
    """What an action came to: files it wrote, a few words for its line on the terminal, tools that are no packages."""

    files: list[Path]
    note: str
    tools: dict[str, str] = field(default_factory=dict)


Action = Callable[[], Outcome]


def training_key(config: ExperimentConfig) -> str:
    """Return the hash of all that a training depends on."""
    references = [reference for stage in config.train.stages for reference in (stage.init, stage.teacher)]
    checkpoints = [Path(reference) for reference in references if reference and is_file_name(reference)]
    sources = source_hash("xnorflow.train")
    return fingerprint(_dump(config.data), _dump(config.train), config.seed, *checkpoints, sources)


class Workflow:
    """Runs stages.

    Args:
        folders: where they read and write.
        session: the terminal and the log.
        force: repeat stages that are current, too.
    """

    def __init__(self, folders: Folders, session: Session, *, force: bool = False) -> None:
        self._folders = folders
        self._progress = session.progress
        self._force = force
        self._records = StageRecords(folders.root)

    def train(self, config: ExperimentConfig) -> None:
        """Train as ``[data]``, ``[train]`` and ``seed`` say; go on with what was interrupted, unless forced."""

        def action() -> Outcome:
            from xnorflow.train.stage import train

            train_directory, resume = self._folders.train, not self._force
            done = train(config.data, config.train, config.seed, train_directory, self._progress, resume=resume)
            note = f"{done.network}, {done.epochs} epochs, {done.accuracy_float:.2%} of {done.test_frames:,} (float)"
            return Outcome(_files(self._folders.train), note)

        try:
            self._do("train", training_key(config), action)
        except KeyboardInterrupt:
            if self._folders.partial.is_dir():
                how = "the same command without --force" if self._force else "the same command"
                self._progress.say(f"  finished epochs are kept: {how} goes on where this one was")
            raise

    def export(self, data: DataSettings) -> None:
        """Export the trained network with the test set's logits."""

        def action() -> Outcome:
            from xnorflow.export.stage import export

            done = export(self._folders.train, self._folders.export, data, self._progress)
            return Outcome(_files(self._folders.export), f"QONNX = torch on {done.frames:,} frames")

        upstream = self._folders.train / "manifest.json"
        key = fingerprint(upstream, _dump(data), source_hash("xnorflow.train", "xnorflow.export"))
        self._do("export", key, action)

    def unpack(self, entry: ZooEntry, model: Path) -> None:
        """Export a network of the zoo to the QONNX file ``model``."""

        def action() -> Outcome:
            from xnorflow.export.stage import export_checkpoint
            from xnorflow.train.zoo.load import load_zoo

            with replaced(model) as partial:
                export_checkpoint(load_zoo(entry.name), partial)
            accuracy = f"{entry.accuracy_float:.2%} of {entry.test_frames:,} {entry.dataset} {entry.tested_on} (float)"
            return Outcome([model], f"{entry.name}, {accuracy}")

        self._do("export", fingerprint(entry.sha256, source_hash("xnorflow.train", "xnorflow.export")), action)

    def reference(self, model: Path, source: InputSource) -> None:
        """Run a third party's QONNX file on chosen inputs and keep what it gave as the reference."""

        def action() -> Outcome:
            golden = source.execute(model, self._progress)
            golden.save(self._folders.golden)
            return Outcome([self._folders.golden], f"QONNX on {len(golden.inputs):,} frames: {source.name}")

        key = fingerprint(model, source.identity, source_hash("xnorflow.export", "xnorflow.lower"))
        self._do("reference", key, action)

    def build(self, model: Path, settings: BuildSettings, *, generate: bool = True) -> None:
        """Lower ``model`` and, unless told not to, generate its RTL or C++."""
        folders, in_hls = self._folders, settings.backend == "hls"

        def action() -> Outcome:
            from xnorflow.artifact.golden import GoldenVectors
            from xnorflow.generate.hls_stage import generate_hls
            from xnorflow.generate.stage import generate as generate_rtl
            from xnorflow.lower.stage import lower

            golden = GoldenVectors.load(folders.golden)
            with staged_contents(folders.build) as work:
                lowered = lower(model, work, settings, golden, self._progress)
                _check_budget(work, lowered.board)
                note = f"integers = reference on {lowered.checked_frames:,} frames"
                if generate and in_hls:
                    layers = generate_hls(work, lowered, self._progress).nodes
                    note = f"{len(layers)} layers in C++ for {lowered.board}"
                elif generate:
                    design = generate_rtl(work, lowered, self._progress)
                    cycles, count = f"{design.cycles_per_frame:,} cycles a frame", len(design.hls_nodes)
                    how = f"{count} of them in C++" if count else cycles
                    note = f"{len(design.nodes)} modules for {design.board}, {how}"
                written = {path.name for path in work.iterdir()}
                made = [folders.build / path.relative_to(work) for path in _files(work)]
            _remove_others(folders, written)
            return Outcome(made, note)

        sources = source_hash(*(f"xnorflow.{package}" for package in DESIGN_PACKAGES))
        folding = settings.folding or "none"
        key = fingerprint(model, folders.golden, _dump(settings), folding, sources)
        self._do("generate" if generate else "lower", key, action)

    def simulate(self, settings: SimulateSettings, *, always: bool = False) -> None:
        """Stream the reference's inputs through the design in Verilator, or in C++; every output must be equal."""
        folders = self._folders
        if folders.hls_design.is_file():
            self._simulate_c(settings, always=always)
            return

        def action() -> Outcome:
            from xnorflow.flow.comparison import simulate_golden
            from xnorflow.simulate.tools import find_compiler

            done = simulate_golden(folders, settings, self._progress)
            cycles = f"{done.cycles_per_frame_simulated:g} cycles a frame"
            how = f"{len(done.layers_in_cpp)} of its modules in C++" if done.layers_in_cpp else cycles
            note = f"{done.mismatches} of {done.frames:,} frames differ, {how}"
            files = [folders.report / "simulation.json", folders.report / "accuracy.json"]
            return Outcome(files, note, {"verilator": done.verilator, "g++": find_compiler().version})

        rtl, sources = self._sources(), source_hash("xnorflow.simulate", "xnorflow.artifact")
        key = fingerprint(folders.design, *rtl, folders.golden, _dump(settings), sources)
        self._do("simulate", key, action, always=always)

    def _simulate_c(self, settings: SimulateSettings, *, always: bool) -> None:
        folders = self._folders

        def action() -> Outcome:
            from xnorflow.flow.comparison import simulate_golden_c

            done = simulate_golden_c(folders, settings.frames, self._progress)
            note = f"{done.mismatches} of {done.frames:,} frames differ, {CSIM_NOTE}"
            return Outcome(
                [folders.report / "csim.json", folders.report / "accuracy.json"], note, {"g++": done.compiler}
            )

        sources = source_hash("xnorflow.simulate", "xnorflow.artifact")
        key = fingerprint(folders.hls_design, *self._sources(), folders.golden, _dump(settings), sources)
        self._do("simulate", key, action, always=always)

    def is_rtl(self) -> bool:
        """Tell whether the design is there and all of it RTL."""
        from xnorflow.artifact.design import Design

        return self._folders.design.is_file() and not Design.load(self._folders.design).hls_nodes

    def synthesize(self, settings: SynthesizeSettings, *, always: bool = False) -> None:
        """Map the design with yosys and compare it with the board."""
        if self._folders.hls_design.is_file():
            raise SynthesizeError(
                f"design {self._folders.hls_design}", "is C++ for HLS", "a design in RTL",
                "run Vitis HLS on hls/hls_syn_xnorflow_top.tcl, or build with --backend rtl",
            )  # fmt: skip

        def action() -> Outcome:
            from xnorflow.synthesize.stage import synthesize

            done = synthesize(self._folders.build, settings, self._progress)
            used = done.total.to_json()
            note = ", ".join(f"{used[name]:,} {name}" for name in ("LUT", "FF", "BRAM36")) + f" on {done.family}"
            return Outcome(sorted(self._folders.report.glob("yosys_synth_*.json")), note, {"yosys": done.yosys})

        sources = source_hash("xnorflow.synthesize", "xnorflow.boards")
        key = fingerprint(self._folders.design, *self._sources(), _dump(settings), sources)
        self._do("synthesize", key, action, always=always)

    def _sources(self) -> list[Path]:
        return [*_files(self._folders.build / "rtl"), *_files(self._folders.build / "hls")]

    def _do(self, stage: str, key: str, action: Action, *, always: bool = False) -> None:
        if not (self._force or always) and self._records.is_current(stage, key):
            self._progress.line(stage, "unchanged, kept")
            write_build_manifest(self._folders, self._records)
            return
        former = self._records.forget(stage)
        try:
            with self._progress.task(stage) as advance:
                outcome = action()
                advance(0, outcome.note)
        except BaseException:  # Ctrl-C included
            with contextlib.suppress(OutputError):
                if former is not None and stage in WHOLE:
                    self._records.restore(stage, former)
                write_build_manifest(self._folders, self._records)
            raise
        self._records.write(stage, key, outcome.files, {**packages_of(stage), **outcome.tools})
        write_build_manifest(self._folders, self._records)


def _remove_others(folders: Folders, written: set[str]) -> None:
    """Remove an earlier design: it does not belong to what was lowered now."""
    for design in (folders.design, folders.hls_design):
        if design.name not in written:
            design.unlink(missing_ok=True)
    for name in {"rtl", "hls", "bitfile", "ip"} - written:
        shutil.rmtree(folders.build / name, ignore_errors=True)
    shutil.rmtree(folders.deployed, ignore_errors=True)


def _check_budget(build: Path, board: str) -> None:
    """Refuse a design that does not fit, before it is generated, simulated and synthesized; of C++ nothing is known."""
    from xnorflow.boards.catalog import load_board
    from xnorflow.synthesize.budget import check_budget

    path = build / "report" / "estimate_layer_resources.json"
    if not path.is_file():
        return
    estimates = json.loads(path.read_text(encoding="utf-8"))
    layers = {name: layer for name, layer in estimates.items() if isinstance(layer, dict)}
    check_budget(layers, load_board(board))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _dump(settings: BaseModel) -> dict[str, object]:
    return settings.model_dump(mode="json")
