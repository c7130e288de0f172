"""Vivado's scripts for a whole overlay: a block design of processor, DMA engines and network, and its bitstream."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.files import write_text
from xnorflow.boards.catalog import Board, Family, load_board
from xnorflow.deploy.board import Engine
from xnorflow.deploy.pynq_board import CELLS
from xnorflow.generate.shell import IDMA, NETWORK, ODMA, SHELL
from xnorflow.ops.block_design import face_name
from xnorflow.render.templates import banner, load_template

__all__ = ["BITSTREAM_TCL", "BLOCK_DESIGN_TCL", "DESIGN", "SCRIPTS", "render_overlay_tcl", "write_overlay_tcl"]

DESIGN = "xnorflow"
"""Project and block design."""
BLOCK_DESIGN_TCL, BITSTREAM_TCL = "block_design.tcl", "bitstream.tcl"
SCRIPTS = (BLOCK_DESIGN_TCL, BITSTREAM_TCL)
"""In the order in which they run."""
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _MemoryPort:
    """A port of the processor's system to memory: interface, clock, its segment of memory, and all segments."""

    interface: str
    clock: str
    segment: str
    others: str


@dataclass(frozen=True)
class _Processor:
    """What the Tcl says of a family's processor.

    Args:
        ip: name of its IP, and of the rule that applies a board's preset.
        automation: of that rule.
        config: its parameters.
        clock, reset, interrupt: its pins.
        control, control_clock: its port to registers.
        base: address of the first register.
        memory: the ports of the two engines, by cell.
        memory_range: of what an engine sees.
    """

    ip: str
    automation: str
    config: tuple[tuple[str, str], ...]
    clock: str
    reset: str
    interrupt: str
    control: str
    control_clock: str
    base: int
    memory: tuple[tuple[str, _MemoryPort], ...]
    memory_range: str


def _zynq_7000(megahertz: str, data_bits: int) -> _Processor:
    width = str(min(data_bits, 64))
    ports = {
        cell: _MemoryPort(f"S_AXI_HP{number}", f"S_AXI_HP{number}_ACLK",
                          f"S_AXI_HP{number}/HP{number}_DDR_LOWOCM", f"S_AXI_HP{number}/*")
        for cell, number in ((CELLS[Engine.READ], 0), (CELLS[Engine.WRITE], 2))
    }  # fmt: skip
    config = {
        "PCW_FPGA0_PERIPHERAL_FREQMHZ": megahertz, "PCW_EN_CLK0_PORT": "1", "PCW_EN_RST0_PORT": "1",
        "PCW_USE_M_AXI_GP0": "1", "PCW_USE_S_AXI_HP0": "1", "PCW_USE_S_AXI_HP2": "1",
        "PCW_S_AXI_HP0_DATA_WIDTH": width, "PCW_S_AXI_HP2_DATA_WIDTH": width,
        "PCW_USE_FABRIC_INTERRUPT": "1", "PCW_IRQ_F2P_INTR": "1",
    }  # fmt: skip
    automation = 'make_external "FIXED_IO, DDR" apply_board_preset "1" Master "Disable" Slave "Disable"'
    return _Processor(
        "processing_system7", automation, tuple(config.items()), "FCLK_CLK0", "FCLK_RESET0_N", "IRQ_F2P", "M_AXI_GP0",
        "M_AXI_GP0_ACLK", 0x4000_0000, tuple(ports.items()), "512M",
    )  # fmt: skip


def _ultrascale(megahertz: str, data_bits: int) -> _Processor:
    width = str(min(data_bits, 128))
    ports = {
        cell: _MemoryPort(f"S_AXI_HP{number}_FPD", f"saxihp{number}_fpd_aclk",
                          f"SAXIGP{number + 2}/HP{number}_DDR_LOW", f"SAXIGP{number + 2}/*")
        for cell, number in ((CELLS[Engine.READ], 0), (CELLS[Engine.WRITE], 2))
    }  # fmt: skip
    config = {
        "PSU__FPGA_PL0_ENABLE": "1", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": megahertz,
        "PSU__USE__M_AXI_GP0": "1", "PSU__USE__M_AXI_GP1": "0", "PSU__USE__M_AXI_GP2": "0",
        "PSU__USE__S_AXI_GP2": "1", "PSU__USE__S_AXI_GP4": "1",
        "PSU__SAXIGP2__DATA_WIDTH": width, "PSU__SAXIGP4__DATA_WIDTH": width, "PSU__USE__IRQ0": "1",
    }  # fmt: skip
    return _Processor(
        "zynq_ultra_ps_e", 'apply_board_preset "1"', tuple(config.items()), "pl_clk0", "pl_resetn0", "pl_ps_irq0",
        "M_AXI_HPM0_FPD", "maxihpm0_fpd_aclk", 0xA000_0000, tuple(ports.items()), "2G",
    )  # fmt: skip


_PROCESSORS = {Family.XC7: _zynq_7000, Family.XCUP: _ultrascale}


def _word(text: str) -> str:
    """Return a text as one word of Tcl."""
    return re.sub(r"[^\w.+-]", r"\\\g<0>", text)


def _any_version(board: Board) -> str:
    return board.board_part.rpartition(":")[0] + ":*"


def render_overlay_tcl(design: Design, name: str, sources: Sequence[str], data_bits: int) -> dict[str, str]:
    """Return the scripts by their names.

    Args:
        design: names board, clock and streams.
        name: of the overlay: ``<name>.bit`` and ``<name>.hwh`` is what comes out.
        sources: names of the files in the folder ``rtl`` beside that of the scripts, dependencies first.
        data_bits: of a word of memory, as the engines were made for.

    Raises:
        ConfigError: there is no such board.
    """
    board, megahertz = load_board(design.board), f"{1000 / design.clock_ns:g}"
    block_design = load_template(_TEMPLATES / f"{BLOCK_DESIGN_TCL}.j2").render(
        banner=banner(), design=DESIGN, board=board, board_pattern=_any_version(board), megahertz=megahertz,
        ps=_PROCESSORS[board.family](megahertz, data_bits), network=NETWORK, network_module=face_name(design.top),
        idma=IDMA, odma=ODMA, in_stream=design.input.name, out_stream=design.output.name,
        sources=[source for source in sources if source != f"{SHELL}.v"],
    )  # fmt: skip
    bitstream = load_template(_TEMPLATES / f"{BITSTREAM_TCL}.j2").render(
        banner=banner(), design=DESIGN, name=_word(name)
    )
    return {BLOCK_DESIGN_TCL: block_design, BITSTREAM_TCL: bitstream}


def write_overlay_tcl(design: Design, name: str, sources: Sequence[str], data_bits: int, folder: Path) -> None:
    """Write the scripts into a folder; see :func:`render_overlay_tcl`."""
    for script, text in render_overlay_tcl(design, name, sources, data_bits).items():
        write_text(folder / script, text)
