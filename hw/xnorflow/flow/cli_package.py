"""Command line of ``xnorflow package``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import Debug, Directory, Quiet

__all__ = ["Cells", "package"]


class Cells(StrEnum):
    """What synthesis builds 1-bit units of: package's, without the time that pydantic takes to load."""

    XILINX = "xilinx"
    PORTABLE = "portable"


def package(
    directory: Directory,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the core, xnorflow_<name>. (else the folder's)")
    ] = None,
    vendor: Annotated[str | None, typer.Option("--vendor", help="In the IP-XACT identifier.")] = None,
    library: Annotated[str | None, typer.Option("--library", help="In the IP-XACT identifier.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="Of the core. (else 1.0)")] = None,
    cells: Annotated[
        Cells | None, typer.Option("--cells", help="xilinx: LUT6_2 and CARRY4; portable: any chip. (else xilinx)")
    ] = None,
    frames: Annotated[int | None, typer.Option("--frames", help="Golden frames of the testbench. (else 4)")] = None,
    tlast_frames: Annotated[
        int | None, typer.Option("--tlast-frames", help="Frames for each TLAST of the output. (else 1)")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write. (else build/ip)")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Package a generated design as an AXI4-Stream core: Verilog top, component.xml, C header, testbench."""
    from xnorflow.flow import package as command

    options = command.overrides(name, vendor, library, version, cells, frames, tlast_frames)
    command.package(directory, output, options, quiet=quiet)
