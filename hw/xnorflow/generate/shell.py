"""The accelerator as processors see it: DMA engines with registers around the streams.

The module is plain Verilog, since a block design takes no other as a cell.
"""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.memory_frames import MemoryFrame
from xnorflow.ops.wrapper import RTL_LIBRARY
from xnorflow.render.templates import banner, load_template

__all__ = ["SHELL", "SHELL_MODULES", "render_shell", "shell_sources"]

SHELL = "xnorflow_shell"
SHELL_MODULES = (
    "xnorflow_fifo", "xnorflow_dwc", "xnorflow_dma_control", "xnorflow_dma_bursts", "xnorflow_dma_read",
    "xnorflow_dma_write",
)  # fmt: skip
"""Library modules of a shell, dependencies first."""
MAX_BURST = 16
"""Words: what a processor's ports to memory take at most on a Zynq-7000 (AXI3)."""
MOST_BEATS = 33
"""Beats of a frame that wait in front of the first layer at most: a row of distributed memory and a register."""
_FROM_MASTER = {
    "AWADDR", "AWVALID", "WDATA", "WSTRB", "WVALID", "BREADY", "ARADDR", "ARVALID", "RREADY",
}  # fmt: skip


_LITE = tuple(
    (f"{name.lower()}_{'i' if name in _FROM_MASTER else 'o'}", name)
    for name in (
        "AWADDR", "AWVALID", "AWREADY", "WDATA", "WSTRB", "WVALID", "WREADY", "BRESP", "BVALID", "BREADY", "ARADDR",
        "ARVALID", "ARREADY", "RDATA", "RRESP", "RVALID", "RREADY",
    )
)  # fmt: skip


def render_shell(design: Design, data_bits: int = 64, address_bits: int = 32) -> str:
    """Return the text of the module :data:`SHELL` around a design.

    Args:
        design: whose top it instantiates.
        data_bits: of a word of memory: 32 to 1,024, a power of 2.
        address_bits: of an address, 13 to 64.
    """
    source, sink = MemoryFrame(design.input, data_bits), MemoryFrame(design.output, data_bits)
    sink_widths = sink.widths[::-1]
    return load_template(Path(__file__).parent / "templates" / "shell.v.j2").render(
        banner=banner(), name=SHELL, top=design.top, data_bits=data_bits, address_bits=address_bits,
        word_shift=(data_bits // 8).bit_length() - 1, max_burst=min(MAX_BURST, 4096 * 8 // data_bits), lite=_LITE,
        beats_held=min(source.stream.beats + 1, MOST_BEATS),
        source=source, source_steps=list(pairwise(source.widths)), source_packing=_packing(source),
        sink=sink, sink_steps=list(pairwise(sink_widths)), sink_widths=sink_widths, sink_packing=_packing(sink),
    )  # fmt: skip


def _packing(frame: MemoryFrame) -> str:
    return "without gaps" if frame.dense else f"{frame.stream.per_beat} in {frame.beat_bits // 8} bytes"


def shell_sources(
    build: Path, design: Design, folder: Path, *, data_bits: int = 64, address_bits: int = 32
) -> list[Path]:
    """Write the shell, the design's modules and its memory files into a folder.

    Args:
        build: build folder that ``design`` lies in.
        design: to put the shell around.
        folder: takes the files, and ``xnorflow_shell.f``, their order.
        data_bits: of a word of memory.
        address_bits: of an address.

    Returns:
        Sources, dependencies first.

    Raises:
        GenerateError: a file of the design is missing.
    """
    library = {f"{name}.sv": RTL_LIBRARY / f"{name}.sv" for name in SHELL_MODULES}
    files = {**library, **{Path(name).name: build / name for name in design.sources}}
    memories = sorted((build / design.rtl_dir).glob("*.mem"))
    for path in (*files.values(), *memories):
        if not path.is_file():
            raise GenerateError(f"design {design.top}", f"file {path} is missing", fix="build again")
        shutil.copyfile(path, folder / path.name)
    write_text(folder / f"{SHELL}.v", render_shell(design, data_bits, address_bits))
    names = [*files, f"{SHELL}.v"]
    write_text(folder / f"{SHELL}.f", "".join(f"{name}\n" for name in names))
    return [folder / name for name in names]
