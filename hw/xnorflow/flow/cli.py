"""Command line of xnorflow. Imports typer only, so that ``--help`` is instant; each command loads what it needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from xnorflow.flow.cli_bench import bench
from xnorflow.flow.cli_board import board
from xnorflow.flow.cli_compare import compare
from xnorflow.flow.cli_deploy import deploy
from xnorflow.flow.cli_draw import draw
from xnorflow.flow.cli_manifest import manifest
from xnorflow.flow.cli_package import package
from xnorflow.flow.cli_report import report
from xnorflow.flow.cli_simulate import simulate
from xnorflow.flow.cli_synthesize import synthesize
from xnorflow.flow.cli_training import summary, zoo
from xnorflow.flow.cli_verify import verify
from xnorflow.flow.options import (
    BackendOption,
    Board,
    Budget,
    BuildUntil,
    ClockNs,
    ConfigFile,
    DataRoot,
    Debug,
    Fill,
    Folding,
    Force,
    Frames,
    Jobs,
    Maximize,
    Minimize,
    NoSimulate,
    NoSynthesize,
    OutputTypeOption,
    Quiet,
    RunName,
    Runs,
    Seed,
    Stall,
    TargetCycles,
    TargetFps,
    Until,
)
from xnorflow.flow.stages import BuildStage, Plan, Stage

__all__ = ["app", "main"]

RUNS = Path("runs")

app = typer.Typer(
    name="xnorflow",
    help="From a PyTorch network to a bit-exact XNOR-popcount accelerator: "
    "train -> export -> lower -> generate -> simulate -> synthesize -> deploy.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"xnorflow {metadata.version('xnorflow')}")
        raise typer.Exit


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        if text := context.get_help():  # empty where typer prints it in color by itself
            typer.echo(text)
        raise typer.Exit


# Typer's own --help of the root would load pydantic to check a value that was not given: as long again as all the rest.
@app.callback(add_help_option=False)
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Version.")] = False,
    show_help: Annotated[
        bool, typer.Option("--help", "-h", callback=_show_help, is_eager=True, help="Show this message and exit.")
    ] = False,
) -> None:
    """Hold the options before the command."""


@app.command()
def run(
    config: ConfigFile,
    data_root: DataRoot = None,
    seed: Seed = None,
    board: Board = None,
    target_fps: TargetFps = None,
    target_cycles: TargetCycles = None,
    budget: Budget = None,
    maximize: Maximize = None,
    minimize: Minimize = None,
    fill: Fill = None,
    folding: Folding = None,
    clock_ns: ClockNs = None,
    output_type: OutputTypeOption = None,
    backend: BackendOption = None,
    frames: Frames = None,
    stall: Stall = None,
    jobs: Jobs = None,
    no_simulate: NoSimulate = False,
    no_synthesize: NoSynthesize = False,
    until: Until = Stage.SYNTHESIZE,
    force: Force = False,
    name: RunName = None,
    runs: Runs = RUNS,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Go the whole path: train, export, lower, generate, simulate, synthesize, report.

    A stage that is done, and whose inputs did not change, is kept.
    """
    from xnorflow.flow import commands

    hardware = commands.build_overrides(
        board, target_fps, target_cycles, budget, maximize, fill, folding, clock_ns, output_type, backend, minimize,
        table="build",
    )  # fmt: skip
    overrides = [
        *commands.data_overrides(data_root, seed, name),
        *hardware,
        *commands.simulate_overrides(frames, stall, jobs, table="simulate"),
    ]
    plan = Plan(until, simulate=not no_simulate, synthesize=not no_synthesize, force=force)
    commands.run(config, overrides, runs, plan, quiet=quiet)


@app.command()
def train(
    config: ConfigFile,
    data_root: DataRoot = None,
    seed: Seed = None,
    force: Force = False,
    name: RunName = None,
    runs: Runs = RUNS,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train the network of an experiment into runs/<name>/train."""
    from xnorflow.flow import commands

    overrides = commands.data_overrides(data_root, seed, name)
    commands.run(config, overrides, runs, Plan(Stage.TRAIN, force=force), quiet=quiet)


for command in (compare, summary, verify):
    app.command()(command)
for group in (zoo, board):
    app.add_typer(group)


@app.command()
def export(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="Experiment file, or folder runs/<name>.")],
    data_root: DataRoot = None,
    name: RunName = None,
    runs: Runs = RUNS,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the trained network as QONNX with the test set's logits, into runs/<name>/export."""
    from xnorflow.flow import commands

    commands.export(source, data_root, name, runs, quiet=quiet)


@app.command()
def build(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|zoo:NAME", help="QONNX file of anybody's making, or network of the zoo."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to build in.")],
    board: Board = None,
    target_fps: TargetFps = None,
    target_cycles: TargetCycles = None,
    budget: Budget = None,
    maximize: Maximize = None,
    minimize: Minimize = None,
    fill: Fill = None,
    folding: Folding = None,
    clock_ns: ClockNs = None,
    output_type: OutputTypeOption = None,
    backend: BackendOption = None,
    inputs: Annotated[Path | None, typer.Option("--inputs", help="Float inputs to compare on, .npy or .npz.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Compare on a test set, e.g. mnist.")] = None,
    data_root: DataRoot = None,
    frames: Frames = None,
    stall: Stall = None,
    jobs: Jobs = None,
    seed: Seed = None,
    no_simulate: NoSimulate = False,
    no_synthesize: NoSynthesize = False,
    until: BuildUntil = BuildStage.SYNTHESIZE,
    force: Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Turn a QONNX file into a design: lower, generate, simulate against QONNX execution, synthesize, report.

    Without --inputs or --dataset, 256 random frames are compared, which hit every level of the model's input.
    """
    from xnorflow.flow import commands

    plan = Plan(Stage(until), simulate=not no_simulate, synthesize=not no_synthesize, force=force)
    settings = commands.build_overrides(
        board, target_fps, target_cycles, budget, maximize, fill, folding, clock_ns, output_type, backend, minimize
    )
    source = commands.InputOptions(inputs, dataset, data_root, frames, seed)
    simulation = commands.simulate_overrides(frames, stall, jobs)
    commands.build(model, output, settings, source, simulation, plan, quiet=quiet)


for _command in (simulate, bench, synthesize, package, deploy, draw, manifest, report):
    app.command()(_command)


@app.command()
def doctor() -> None:
    """List the tools: version found, needed for what, what works without."""
    from xnorflow.flow.doctor import show

    raise typer.Exit(show())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: without the program's name; None takes ``sys.argv``.

    Returns:
        0; 1 for a fault of xnorflow; 2 for something the user can mend; 130 after Ctrl-C or SIGTERM.
    """
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    _heed_signals()
    try:
        code = app(given, prog_name="xnorflow", standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except Exception as reason:
        if "--debug" in given:
            import traceback

            traceback.print_exception(reason)
        return _tell(reason)
    return _interrupted() if code == 130 else code if isinstance(code, int) else 0


def _heed_signals() -> None:
    import signal

    # A shell that starts a job in the background has SIGINT ignored, and Python then leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _tell(reason: Exception) -> int:
    """Print one line for an exception and return the exit code."""
    from xnorflow.artifact.errors import UserError

    usage: Any = getattr(reason, "format_message", None)  # typer's own errors, wherever their class lives
    if usage is not None:
        command = getattr(getattr(reason, "ctx", None), "command_path", "xnorflow")
        return _complain(f"{usage().rstrip('.')}; see `{command} --help`", 2)
    if isinstance(reason, UserError):
        return _complain(str(reason), 2)
    kind = type(reason).__name__
    text = " ".join([*str(reason).split(), *getattr(reason, "__notes__", ())])[:600]
    return _complain(f"internal fault, {kind}: {text}; please report it; --debug shows where it came from", 1)


def _complain(line: str, code: int) -> int:
    print(f"error: {line}", file=sys.stderr)
    return code


def _interrupted() -> int:
    from xnorflow.flow.session import end_children

    end_children()
    print("interrupted", file=sys.stderr)
    return 130
