"""Writes the package of a generated design: a folder that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import OutputError
from xnorflow.artifact.files import stage_directory
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.streams import pack
from xnorflow.package.component import FileSets, render_component
from xnorflow.package.config import Cells, PackageSettings
from xnorflow.package.ports import core_ports
from xnorflow.package.software import TEMPLATES, Vectors, has_logits, render_software
from xnorflow.package.sources import Sources, collect_sources
from xnorflow.render.templates import banner, load_template

__all__ = ["COMPONENT", "Row", "check_output", "write_package"]

COMPONENT = "component.xml"
Row = tuple[str, str, str]
"""A measured quantity, its value, and how it was found."""


def check_output(output: Path) -> None:
    """Refuse a folder with other contents: a package replaces what it finds.

    Raises:
        OutputError: ``output`` is a file, or a folder that holds something and no earlier package.
    """
    if output.exists() and not output.is_dir():
        raise OutputError(
            f"output {output}", "is a file", "a folder, new, empty or of an earlier package", "choose another"
        )
    if output.is_dir() and any(output.iterdir()) and not (output / COMPONENT).is_file():
        raise OutputError(
            f"output folder {output}", "holds other files", "a folder that is new, empty or of an earlier package",
            "choose another",
        )  # fmt: skip


def _memory_text(beats: npt.NDArray[np.uint8]) -> str:
    """Return beats (beats, bytes) as a ``$readmemh`` file, one a line."""
    return "".join(f"{bytes(beat[::-1]).hex()}\n" for beat in beats)


def _hardware(design: Design, settings: PackageSettings, sources: Sources) -> dict[str, str | bytes]:
    """Return the files that stand in ``hdl/``, sources in the order of their dependencies, then memory files."""
    core = settings.core
    wrapper = load_template(TEMPLATES / "wrapper.v.j2").render(
        banner=banner(), core=core, top=sources.top, ports=core_ports(design), input=design.input, output=design.output,
        cycles=design.cycles_per_frame, latency=design.latency_cycles, tlast_frames=settings.tlast_frames,
    )  # fmt: skip
    modules = [*sources.modules, (f"{core}.v", wrapper)]
    order = "".join(f"{name}\n" for name, _ in modules)
    listed: dict[str, str | bytes] = {f"hdl/{name}": text for name, text in modules}
    return {**listed, **{f"hdl/{name}": data for name, data in sources.memories}, f"hdl/{core}.f": order}


def _simulation(design: Design, settings: PackageSettings, modules: Sequence[str], vectors: Vectors) -> dict[str, str]:
    """Return the files that stand in ``sim/``: the testbench first, its memory files behind it."""
    core = settings.core
    testbench = load_template(TEMPLATES / "testbench.sv.j2").render(
        banner=banner(), core=core, input=design.input, output=design.output, frames=len(vectors.inputs),
        cycles=design.cycles_per_frame, latency=design.latency_cycles, clock_ns=design.clock_ns,
        tlast_frames=settings.tlast_frames,
    )  # fmt: skip
    make = load_template(TEMPLATES / "Makefile.j2").render(banner=banner(), core=core, modules=modules)
    return {
        f"sim/{core}_tb.sv": testbench,
        f"sim/{core}_in.mem": _memory_text(pack(vectors.inputs, design.input)),
        f"sim/{core}_out.mem": _memory_text(pack(vectors.outputs, design.output)),
        "sim/Makefile": make,
    }


def _files(
    build: Path, design: Design, codec: HostCodec, vectors: Vectors, settings: PackageSettings, rows: Sequence[Row]
) -> dict[str, str | bytes]:
    core = settings.core
    hardware = _hardware(design, settings, collect_sources(build, design, core, settings.cells))
    named = tuple(name for name in hardware if not name.endswith(".f"))
    modules = [Path(name).name for name in named if not name.endswith(".mem")]
    simulation = _simulation(design, settings, modules, vectors)
    page = f"xgui/{core}_v{settings.version.replace('.', '_')}.tcl"
    testbench = tuple(name for name in simulation if not name.endswith("Makefile"))
    software = render_software(design, codec, vectors, settings)
    description = f"XNOR-popcount accelerator: {design.cycles_per_frame} cycles a frame. {banner()}"
    component = render_component(design, settings, FileSets(named, testbench, page), description)
    readme = load_template(TEMPLATES / "README.md.j2").render(
        banner=banner(), core=core, design=design, input=design.input, output=design.output, settings=settings,
        rows=rows, portable=settings.cells is Cells.PORTABLE, frames=len(vectors.inputs), codec=codec,
        modules=len(modules), logits=has_logits(codec), classifies=codec.labels or has_logits(codec),
    )  # fmt: skip
    return {
        **hardware,
        **simulation,
        **{f"sw/{name}": text for name, text in software.items()},
        page: load_template(TEMPLATES / "xgui.tcl.j2").render(banner=banner()),
        COMPONENT: component,
        "README.md": readme,
    }


def write_package(
    build: Path, output: Path, codec: HostCodec, vectors: Vectors, settings: PackageSettings, rows: Sequence[Row] = ()
) -> None:
    """Write the package of a generated design. Equal inputs give equal bytes.

    Args:
        build: build folder with ``design.json``.
        output: folder to write; one with an earlier package is replaced.
        codec: what the host does around the design.
        vectors: golden frames for the testbench and the C test.
        settings: names, and what synthesis takes.
        rows: measured figures for the README.

    Raises:
        InputModelError: there is no design.
        GenerateError: a file of the design is missing.
        OutputError: ``output`` cannot be written, or holds something else.
    """
    check_output(output)
    files = _files(build, Design.load(build / "design.json"), codec, vectors, settings, rows)
    with stage_directory(output) as work:
        for name, content in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
