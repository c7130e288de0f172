"""Options that several commands share, as typer annotations. Imports nothing heavy: ``--help`` loads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.stages import BuildStage, Stage

__all__ = [
    "Backend",
    "BackendOption",
    "Board",
    "Budget",
    "BuildUntil",
    "ClockNs",
    "ConfigFile",
    "DataRoot",
    "Debug",
    "Directory",
    "Fill",
    "Folding",
    "Force",
    "Frames",
    "Jobs",
    "Maximize",
    "Minimize",
    "NoSimulate",
    "NoSynthesize",
    "OutputType",
    "OutputTypeOption",
    "Quiet",
    "RunName",
    "Runs",
    "Seed",
    "Stall",
    "TargetCycles",
    "TargetFps",
    "Until",
]


class OutputType(StrEnum):
    """What the accelerator sends: lower's OutputKind, without the time that pydantic takes to load."""

    AUTO = "auto"
    LOGITS = "logits"
    LABELS = "labels"


class Backend(StrEnum):
    """What is generated: lower's, likewise."""

    RTL = "rtl"
    HLS = "hls"
    AUTO = "auto"


class Objective(StrEnum):
    """What to make as large as the board has room for: lower's, likewise."""

    FPS = "fps"


class Cost(StrEnum):
    """What to make as small as there is room for: lower's, likewise."""

    LATENCY = "latency"


HARDWARE = "Hardware"
CHECKS = "Simulation and synthesis"
GENERAL = "General"

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="Experiment file, see training/configs/.")]
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="runs/<name>, or the --output folder of `xnorflow build`.")
]

DataRoot = Annotated[
    Path | None, typer.Option("--data-root", help="Folder of the data sets, <root>/MNIST/raw/... (else the config's)")
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.", rich_help_panel=GENERAL)]
RunName = Annotated[
    str | None, typer.Option("--name", help="Name of the run. (else the config's)", rich_help_panel=GENERAL)
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random. (else the config's)")]

Board = Annotated[
    str | None,
    typer.Option("--board", help="Board by name, e.g. Pynq-Z2; any other lists all.", rich_help_panel=HARDWARE),
]
TargetFps = Annotated[
    int | None, typer.Option("--target-fps", help="Fold for so many frames a second.", rich_help_panel=HARDWARE)
]
TargetCycles = Annotated[
    int | None, typer.Option("--target-cycles", help="Fold for so many cycles a frame.", rich_help_panel=HARDWARE)
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget", metavar="LUT,BRAM36,DSP", help="Fold as fast as fits into these.", rich_help_panel=HARDWARE
    ),
]
Maximize = Annotated[
    Objective | None, typer.Option("--maximize", help="fps: fold as fast as the board holds.", rich_help_panel=HARDWARE)
]
Minimize = Annotated[
    Cost | None,
    typer.Option("--minimize", help="latency: have the first result as early as fits.", rich_help_panel=HARDWARE),
]
Fill = Annotated[
    str | None,
    typer.Option(
        "--fill",
        metavar="LUT,BRAM36,DSP",
        help="Percent of the board that --maximize and --minimize may take. (else 80,100,90)",
        rich_help_panel=HARDWARE,
    ),
]
Folding = Annotated[
    Path | None, typer.Option("--folding", help="PE and SIMD by layer, FINN's JSON format.", rich_help_panel=HARDWARE)
]
ClockNs = Annotated[
    float | None, typer.Option("--clock-ns", help="Assumed clock period. (else the board's)", rich_help_panel=HARDWARE)
]
OutputTypeOption = Annotated[
    OutputType | None,
    typer.Option(
        "--output-type", help="logits, labels (argmax on chip), or as the file ends.", rich_help_panel=HARDWARE
    ),
]

BackendOption = Annotated[
    Backend | None,
    typer.Option(
        "--backend",
        help="rtl: SystemVerilog; hls: C++ for Vitis HLS; auto: RTL but for layers that the folding file has in HLS.",
        rich_help_panel=HARDWARE,
    ),
]

Frames = Annotated[int | None, typer.Option("--frames", help="Frames to simulate. (else all)", rich_help_panel=CHECKS)]
Stall = Annotated[
    float | None, typer.Option("--stall", help="Probability that a stream side pauses.", rich_help_panel=CHECKS)
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", min=1, max=1024, help="Simulations, and their compilers, at a time.", rich_help_panel=CHECKS
    ),
]
NoSimulate = Annotated[bool, typer.Option("--no-simulate", help="Leave the simulation out.", rich_help_panel=CHECKS)]
NoSynthesize = Annotated[bool, typer.Option("--no-synthesize", help="Leave the synthesis out.", rich_help_panel=CHECKS)]
Until = Annotated[Stage, typer.Option("--until", help="Last stage to run.", rich_help_panel=GENERAL)]
BuildUntil = Annotated[BuildStage, typer.Option("--until", help="Last stage to run.", rich_help_panel=GENERAL)]
Force = Annotated[bool, typer.Option("--force", help="Repeat stages that are up to date.", rich_help_panel=GENERAL)]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=GENERAL)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.", rich_help_panel=GENERAL)]
