"""Command line of ``xnorflow synthesize``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Directory, Quiet

__all__ = ["Shell", "Target", "synthesize"]

ECP5, VIVADO = "ECP5", "Vivado"


class Target(StrEnum):
    """What to synthesize with, and for."""

    YOSYS = "yosys"
    """Cells of the board's chip family, neither packed nor routed."""
    ECP5 = "ecp5"
    """Placed and routed for a Lattice ECP5, with a bitstream."""
    VIVADO = "vivado"
    """By Vivado for the design's board, with a bitstream."""


class Shell(StrEnum):
    """What puts DMA and processor around a design: synthesize's, without the time that pydantic takes to load."""

    XNORFLOW = "xnorflow"
    FINN = "finn"


def synthesize(
    directory: Directory,
    target: Annotated[
        Target,
        typer.Option(
            "--target",
            help="yosys: cells of the board's family; ecp5, vivado: routed, with a bitstream.",
        ),
    ] = Target.YOSYS,
    ecp5_board: Annotated[
        str | None,
        typer.Option("--ecp5-board", help="Board, ulx3s-85f if none; an unknown one lists all.", rich_help_panel=ECP5),
    ] = None,
    frequency: Annotated[
        float | None,
        typer.Option("--frequency", metavar="MHZ", help="Clock, of ecp5 and vivado. (else 50, the design's)"),
    ] = None,
    baud: Annotated[
        int | None, typer.Option("--baud", help="Of the serial line, 8N1. (else 115200)", rich_help_panel=ECP5)
    ] = None,
    node: Annotated[
        str | None,
        typer.Option("--node", help="Route one node alone, without a bitstream.", rich_help_panel=ECP5),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the placement. (else 1)", rich_help_panel=ECP5)] = None,
    out_of_context: Annotated[
        bool, typer.Option("--out-of-context", help="The design alone: no bitstream, no DMA.", rich_help_panel=VIVADO)
    ] = False,
    shell: Annotated[
        Shell | None,
        typer.Option(
            "--shell", help="DMA and processor around it, ours or FINN's. (else xnorflow)", rich_help_panel=VIVADO
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on behind the last step that was done.", rich_help_panel=VIVADO)
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Processes at a time. (else 2)", rich_help_panel=VIVADO)
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Map a generated design to LUTs, flip-flops and memories; for ECP5 down to a bitstream, with open tools alone."""
    from xnorflow.flow import commands, route, vendor

    options = route.overrides(ecp5_board, frequency, baud, node, seed)
    vivado = vendor.overrides(frequency, out_of_context, shell, resume, jobs)
    if target is Target.ECP5:
        vendor.refuse(vivado, "ecp5")
        route.synthesize_ecp5(directory, options, quiet=quiet)
    elif target is Target.VIVADO:
        vendor.refuse(options, "vivado")
        vendor.synthesize_vivado(directory, vivado, quiet=quiet)
    else:
        vendor.refuse([*options, *vivado], "yosys")
        commands.synthesize(directory, quiet=quiet)
