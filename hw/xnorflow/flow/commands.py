"""What the commands of the command line do, behind its parsing."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import ConfigError, InputModelError, OutputError
from xnorflow.boards.catalog import board_names, load_board
from xnorflow.flow.budget_option import read_budget, read_fill
from xnorflow.flow.build_manifest import note_files
from xnorflow.flow.config import ExperimentConfig, Override, load_config, settings_from_options
from xnorflow.flow.folders import Folders
from xnorflow.flow.following import follow, is_follower
from xnorflow.flow.inputs import choose_inputs
from xnorflow.flow.session import Session, working_in
from xnorflow.flow.simulators import check_for_design, check_for_settings
from xnorflow.flow.stages import Plan, Stage
from xnorflow.flow.workflow import Workflow
from xnorflow.lower.config import BuildSettings
from xnorflow.simulate.config import SimulateSettings
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.train.config import DatasetName, DataSettings
from xnorflow.train.zoo.catalog import find_entry, zoo_name

__all__ = [
    "InputOptions",
    "build",
    "build_overrides",
    "data_of_run",
    "data_overrides",
    "export",
    "report",
    "run",
    "run_stages",
    "simulate",
    "simulate_overrides",
    "synthesize",
]


@dataclass(frozen=True)
class InputOptions:
    """Options of ``xnorflow build`` that say what to compare on."""

    inputs: Path | None
    dataset: str | None
    data_root: Path | None
    frames: int | None
    seed: int | None


def data_overrides(data_root: Path | None, seed: int | None, name: str | None) -> list[Override]:
    """Return the options that lie over an experiment's top level and ``[data]``."""
    return [
        (("data", "root"), "--data-root", data_root),
        (("seed",), "--seed", seed),
        (("name",), "--name", name),
    ]


def build_overrides(
    board: str | None, target_fps: int | None, target_cycles: int | None, budget: str | None,
    maximize: StrEnum | None, fill: str | None, folding: Path | None, clock_ns: float | None,
    output_type: StrEnum | None, backend: StrEnum | None = None, minimize: StrEnum | None = None, *, table: str = "",
) -> list[Override]:  # fmt: skip
    """Return the options that lie over ``[build]``.

    Raises:
        ConfigError: ``budget`` or ``fill`` is not LUT,BRAM36.
    """
    options: dict[str, tuple[str, Any]] = {
        "board": ("--board", board),
        "target_fps": ("--target-fps", target_fps),
        "target_cycles": ("--target-cycles", target_cycles),
        "budget": ("--budget", None if budget is None else read_budget(budget)),
        "maximize": ("--maximize", maximize and maximize.value),
        "minimize": ("--minimize", minimize and minimize.value),
        "fill": ("--fill", None if fill is None else read_fill(fill)),
        "folding": ("--folding", folding),
        "clock_ns": ("--clock-ns", clock_ns),
        "output": ("--output-type", output_type and output_type.value),
        "backend": ("--backend", backend and backend.value),
    }
    return _in_table(table, options)


def simulate_overrides(
    frames: int | None, stall: float | None, jobs: int | None, seed: int | None = None, *, table: str = ""
) -> list[Override]:
    """Return the options that lie over ``[simulate]``."""
    options: dict[str, tuple[str, Any]] = {
        "frames": ("--frames", frames),
        "stall_probability": ("--stall", stall),
        "jobs": ("--jobs", jobs),
        "seed": ("--seed", seed),
    }
    return _in_table(table, options)


def _in_table(table: str, options: dict[str, tuple[str, Any]]) -> list[Override]:
    return [((table, key) if table else (key,), option, value) for key, (option, value) in options.items()]


def run(config_file: Path, overrides: list[Override], runs: Path, plan: Plan, *, quiet: bool) -> None:
    """Go the path of an experiment as far as ``plan`` says, then show what it came to."""
    config = load_config(config_file, overrides)
    _check_experiment(config, plan)
    folders = Folders.of_run(runs / config.name)
    if is_follower(config):
        follow(config, folders, force=plan.force)
        return
    with working_in(folders.root, quiet=quiet) as session:
        session.progress.say(f"[bold]{config.name}[/]  {config_file} -> {folders.root}")
        run_stages(config, folders, session, plan)
        if plan.includes(Stage.LOWER):
            _report(folders, session)


def run_stages(config: ExperimentConfig, folders: Folders, session: Session, plan: Plan) -> None:
    """Go the path of an experiment, in a folder that this process holds; stages that are current are kept."""
    workflow = Workflow(folders, session, force=plan.force)
    workflow.train(config)
    if plan.includes(Stage.EXPORT):
        workflow.export(config.data)
    if plan.includes(Stage.LOWER):
        workflow.build(folders.export / "model.onnx", config.build, generate=plan.includes(Stage.GENERATE))
    _finish(workflow, config.simulate, config.synthesize, plan)


def export(source: Path, data_root: Path | None, name: str | None, runs: Path, *, quiet: bool) -> None:
    """Export a run, named by its folder or by its experiment file."""
    overrides = data_overrides(data_root, None, name)
    if source.is_dir():
        folders = Folders.of_run(source)
        data = data_of_run(folders, data_root)
    else:
        config = load_config(source, overrides)
        folders, data = Folders.of_run(runs / config.name), config.data
    if not (folders.train / "manifest.json").is_file():
        raise InputModelError(
            f"run {folders.root}", "holds no trained network", "a run that `xnorflow train` wrote", "train first"
        )
    with working_in(folders.root, quiet=quiet) as session:
        Workflow(folders, session, force=True).export(data)


def build(
    model: Path, output: Path, build_options: list[Override], source: InputOptions, simulate_options: list[Override],
    plan: Plan, *, quiet: bool,
) -> None:  # fmt: skip
    """Build a third party's QONNX file, or a network of the zoo, and compare the design with what QONNX makes of it."""
    name = zoo_name(str(model))
    entry = None if name is None else find_entry(name)
    if entry is None and not model.is_file():
        found = "is a folder" if model.is_dir() else "no such file"
        raise InputModelError(f"model {model}", found, "a QONNX file", "check the path")
    settings = settings_from_options(BuildSettings, build_options)
    if not any(keys == ("board",) and value is not None for keys, _, value in build_options):
        raise ConfigError("option --board", "missing", ", ".join(board_names()), "name the board to build for")
    simulate_settings = settings_from_options(SimulateSettings, simulate_options)
    _check_build(settings, plan)
    images = choose_inputs(source.inputs, source.dataset, source.data_root, source.frames, source.seed or 1)
    _check_output(output)
    folders = Folders.of_build(output)
    with working_in(folders.root, quiet=quiet) as session:
        session.progress.say(f"[bold]{model.name}[/] -> {output}")
        workflow = Workflow(folders, session, force=plan.force)
        if entry is not None:
            model = folders.root / f"{entry.name}.onnx"
            workflow.unpack(entry, model)
        workflow.reference(model, images)
        workflow.build(model, settings, generate=plan.includes(Stage.GENERATE))
        _finish(workflow, simulate_settings, SynthesizeSettings(), plan)
        _report(folders, session)


def simulate(directory: Path, options: list[Override], *, quiet: bool) -> None:
    """Simulate the design of a run or build on its golden vectors."""
    settings = settings_from_options(SimulateSettings, options)
    folders = Folders.find(directory)
    check_for_design(folders)
    with working_in(folders.root, quiet=quiet) as session:
        Workflow(folders, session).simulate(settings, always=True)
        _report(folders, session)


def verify(directory: Path, frames: int, *, quiet: bool) -> None:
    """Walk the ladder of a run or build and say what was equal; the first difference is an error."""
    from xnorflow.flow.verify import verify as verify_run

    folders = Folders.find(directory)
    check_for_design(folders)
    with working_in(folders.root, quiet=quiet) as session:
        rungs = verify_run(folders, frames, session.progress)
        width = max(len(rung.name) for rung in rungs)
        for rung in rungs:
            session.progress.say(f"  {rung.name:<{width}}  {rung.tensors:>4} tensors on {rung.frames} frames")


def synthesize(directory: Path, *, quiet: bool) -> None:
    """Synthesize the design of a run or build."""
    folders = Folders.find(directory)
    with working_in(folders.root, quiet=quiet) as session:
        Workflow(folders, session).synthesize(SynthesizeSettings(), always=True)
        _report(folders, session, functions=True)


def report(directories: Sequence[Path], output: Path | None, *, quiet: bool) -> None:
    """Show the results of a run or build and write report.html; of several, compare them."""
    if len(directories) > 1:
        from xnorflow.flow.comparison_page import compare_runs

        compare_runs(directories, output, quiet=quiet)
        return
    folders = Folders.find(directories[0])
    with working_in(folders.root, quiet=quiet) as session:
        _report(folders, session, functions=True, page=output)


def _finish(workflow: Workflow, simulate: SimulateSettings, synthesize: SynthesizeSettings, plan: Plan) -> None:
    if plan.includes(Stage.SIMULATE):
        workflow.simulate(simulate)
    if plan.includes(Stage.SYNTHESIZE) and synthesize.enabled and workflow.is_rtl():
        workflow.synthesize(synthesize)


def _report(folders: Folders, session: Session, *, functions: bool = False, page: Path | None = None) -> None:
    from xnorflow.flow.report import write_report

    written = write_report(folders, session.progress, functions=functions, page=page)
    if page is None:
        note_files(folders, "report", [written])


def _check_experiment(config: ExperimentConfig, plan: Plan) -> None:
    """Find out what cannot work before anything long runs and before a folder is made."""
    if plan.includes(Stage.LOWER):
        _check_build(config.build, plan)
    dataset = config.data.dataset
    if dataset is DatasetName.IMAGENET and not plan.includes(Stage.EXPORT):
        return  # looking through a million files takes its time, and training does it first thing
    if config.data.root is not None or dataset is not DatasetName.DIGITS:
        from xnorflow.train.data import load_data

        load_data(config.data)


def _check_build(settings: BuildSettings, plan: Plan) -> None:
    load_board(settings.board)
    if settings.folding is not None and not settings.folding.is_file():
        raise ConfigError(
            f"folding file {settings.folding}", "no such file", "FINN's JSON folding format", "check the path"
        )
    if plan.includes(Stage.SIMULATE):
        check_for_settings(settings)


def _check_output(output: Path) -> None:
    """Refuse a folder with other contents: a build replaces what it finds."""
    if output.exists() and not output.is_dir():
        raise OutputError(
            f"output {output}", "is a file", "a folder, new, empty or of an earlier build", "choose another"
        )
    names = {path.name for path in output.iterdir()} if output.is_dir() else set()
    ours = names & {"stages.json", "report", "build.log", ".lock"} and not names & {"train", "export"}
    if names and not ours:
        raise OutputError(
            f"output folder {output}", "holds other files", "a folder that is new, empty or of an earlier build",
            "choose another",
        )  # fmt: skip


def data_of_run(folders: Folders, data_root: Path | None) -> DataSettings:
    """Return the data set of a run's training, at ``data_root`` where one is given.

    Raises:
        InputModelError: nothing was trained there.
    """
    path = folders.train / "config.toml"
    if not path.is_file():
        raise InputModelError(
            f"run {folders.root}", "holds no trained network", "a run that `xnorflow train` wrote", "train first"
        )
    table = tomllib.loads(path.read_text(encoding="utf-8"))["data"]
    overrides: list[Override] = [((key,), f"data.{key}", value) for key, value in table.items()]
    return settings_from_options(DataSettings, [*overrides, (("root",), "--data-root", data_root)])
