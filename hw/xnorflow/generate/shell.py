"""The accelerator as processors see it: DMA engines with registers around the streams.

What becomes cells of a block design is plain Verilog, since that takes no other: two engines and a face of the
network's top. The shell joins the three as the block design does, and is what is simulated.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.axi import AXI_LITE
from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.memory_frames import MemoryFrame
from xnorflow.ops.block_design import face_name, render_face
from xnorflow.ops.wrapper import RTL_LIBRARY
from xnorflow.render.templates import banner, load_template

__all__ = ["IDMA", "NETWORK", "ODMA", "SHELL", "SHELL_MODULES", "render_cells", "shell_sources"]

SHELL = "xnorflow_shell"
IDMA, ODMA = "xnorflow_idma", "xnorflow_odma"
"""Modules of the engines: memory to stream, stream to memory."""
NETWORK = "StreamingDataflowPartition_1"
"""The network's cell in a block design, as FINN calls it; the engines' are ``idma0`` and ``odma0``."""
SHELL_MODULES = (
    "xnorflow_fifo", "xnorflow_dwc", "xnorflow_dma_control", "xnorflow_dma_bursts", "xnorflow_dma_read",
    "xnorflow_dma_write",
)  # fmt: skip
"""Library modules of a shell, dependencies first."""
MAX_BURST = 16
"""Words: what a processor's ports to memory take at most on a Zynq-7000 (AXI3)."""
MOST_BEATS = 33
"""Beats of a frame that wait in front of the first layer at most: a row of distributed memory and a register."""
LITE_BITS, REGISTER_BITS = 16, 6
"""Of a register's address: at a cell, whose range then is 64 KiB whatever a tool infers; and that the engine reads."""
_FROM_MASTER = {
    "AWADDR", "AWVALID", "AWLEN", "AWSIZE", "AWBURST", "AWCACHE", "AWPROT", "WDATA", "WSTRB", "WLAST", "WVALID",
    "BREADY", "ARADDR", "ARVALID", "ARLEN", "ARSIZE", "ARBURST", "ARCACHE", "ARPROT", "RREADY",
}  # fmt: skip
_READ = (
    "ARADDR", "ARLEN", "ARSIZE", "ARBURST", "ARCACHE", "ARPROT", "ARVALID", "ARREADY", "RDATA", "RRESP", "RLAST",
    "RVALID", "RREADY",
)  # fmt: skip
_WRITE = (
    "AWADDR", "AWLEN", "AWSIZE", "AWBURST", "AWCACHE", "AWPROT", "AWVALID", "AWREADY", "WDATA", "WSTRB", "WLAST",
    "WVALID", "WREADY", "BRESP", "BVALID", "BREADY",
)  # fmt: skip
_BITS = {"LEN": 8, "SIZE": 3, "BURST": 2, "CACHE": 4, "PROT": 3, "RESP": 2}
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Signal:
    """A port of an AXI interface; ``direction`` and ``range`` are Verilog, ``inner`` is the engine's name of it."""

    signal: str
    direction: str
    range: str

    @property
    def inner(self) -> str:
        return f"{self.signal.lower()}_{self.direction[0]}"

    @property
    def is_address(self) -> bool:
        return self.signal.endswith("ADDR")


def _signals(names: tuple[str, ...], address_bits: int, data_bits: int, *, master: bool) -> list[_Signal]:
    """Return the ports of an interface, seen from the side that is a master or not."""
    bits = {"ADDR": address_bits, "DATA": data_bits, "STRB": data_bits // 8, **_BITS}
    widths = [next((bits[end] for end in bits if name.endswith(end)), 1) for name in names]
    return [
        _Signal(name, "output" if (name in _FROM_MASTER) == master else "input ", f"[{width - 1}:0]" * (width > 1))
        for name, width in zip(names, widths, strict=True)
    ]


def render_cells(design: Design, data_bits: int = 64, address_bits: int = 32) -> dict[str, str]:
    """Return the text of the cells' modules and of :data:`SHELL`, which joins them; by module, in this order.

    Args:
        design: whose top is the network.
        data_bits: of a word of memory: 32 to 1,024, a power of 2.
        address_bits: of an address, 13 to 64.
    """
    source, sink = MemoryFrame(design.input, data_bits), MemoryFrame(design.output, data_bits)
    lite = _signals(AXI_LITE, LITE_BITS, 32, master=False)
    reads, writes = (_signals(names, address_bits, data_bits, master=True) for names in (_READ, _WRITE))
    shared = {
        "banner": banner(), "top": design.top, "data_bits": data_bits, "address_bits": address_bits, "lite": lite,
        "lite_bits": LITE_BITS, "register_bits": REGISTER_BITS, "word_shift": (data_bits // 8).bit_length() - 1,
        "max_burst": min(MAX_BURST, 4096 * 8 // data_bits),
    }  # fmt: skip
    beats_held = min(source.stream.beats + 1, MOST_BEATS)
    interfaces = {
        side: [(port.name, port.tdata_bits)] for side, port in (("s_axis", design.input), ("m_axis", design.output))
    }
    cells = (
        (0, {"module": IDMA, "instance": "i_idma0", "stream": "m_axis_0", "wires": "in", "memory": reads}),
        (1, {"module": ODMA, "instance": "i_odma0", "stream": "s_axis_0", "wires": "out", "memory": writes}),
    )
    return {
        face_name(design.top): render_face(design.top, interfaces),
        IDMA: _render(
            "idma", **shared, name=IDMA, frame=source, widths=source.widths, packing=_packing(source), memory=reads,
            beats_held=beats_held, unused=_unused(address_bits),
        ),
        ODMA: _render(
            "odma", **shared, name=ODMA, frame=sink, widths=sink.widths[::-1], packing=_packing(sink), memory=writes,
            unused=_unused(address_bits, "s_axis_0_TDATA", sink.stream.tdata_bits, sink.beat_bits),
        ),
        SHELL: _render(
            "shell", **shared, name=SHELL, network=face_name(design.top), network_instance="i_network", engines=cells,
            source=source, sink=sink, source_packing=_packing(source), sink_packing=_packing(sink),
        ),
    }  # fmt: skip


def _render(template: str, **values: Any) -> str:
    return load_template(_TEMPLATES / f"{template}.v.j2").render(**values)


def _unused(address_bits: int, data: str = "", data_bits: int = 0, used_bits: int = 0) -> str:
    """Return, in Verilog, what an engine does not read: of its registers' addresses, its address, its stream."""
    parts = [f"s_axi_control_{name}[{LITE_BITS - 1}:{REGISTER_BITS}]" for name in ("AWADDR", "ARADDR")]
    if address_bits < 64:
        parts.append(f"address[63:{address_bits}]")
    if data_bits > used_bits:
        parts.append(f"{data}[{data_bits - 1}:{used_bits}]")
    return ", ".join(parts)


def _packing(frame: MemoryFrame) -> str:
    return "without gaps" if frame.dense else f"{frame.stream.per_beat} in {frame.beat_bits // 8} bytes"


def shell_sources(
    build: Path, design: Design, folder: Path, *, data_bits: int = 64, address_bits: int = 32
) -> list[Path]:
    """Write the shell, its cells, the design's modules and its memory files into a folder.

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
    cells = render_cells(design, data_bits, address_bits)
    for name, text in cells.items():
        write_text(folder / f"{name}.v", text)
    names = [*files, *(f"{name}.v" for name in cells)]
    write_text(folder / f"{SHELL}.f", "".join(f"{name}\n" for name in names))
    return [folder / name for name in names]
