"""Which cells an overlay's block design has, and at which addresses: the same for a virtual board and a real one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from xnorflow.boards.catalog import Family
from xnorflow.deploy.board import Engine
from xnorflow.deploy.pynq_board import CELLS, CYCLES
from xnorflow.virtual_board.processor import processor_of

__all__ = ["RANGE", "Cell", "Kind", "layout"]

RANGE = 0x1_0000
"""Bytes of a cell's registers."""


class Kind(Enum):
    """What answers behind a cell's registers."""

    READ_ENGINE = "read engine"
    """FINN's IODMA that reads frames: RTL."""
    WRITE_ENGINE = "write engine"
    """FINN's IODMA that writes results: RTL."""
    NETWORK = "network"
    """The network itself, whose registers nothing reads."""
    CYCLES = "cycle counter"
    """Counts simulated cycles: what drivers know a virtual board by, since no real one has it."""
    AXI_DMA = "AXI DMA"
    """The vendor's IP, modeled by its behavior."""
    GPIO = "AXI GPIO"
    """The vendor's IP: four LEDs, that is a register which keeps what was written."""


@dataclass(frozen=True)
class Cell:
    """A cell of the block design with registers.

    Args:
        name: of the instance.
        kind: what answers.
        vlnv: name of the IP.
        interface: by which registers are reached.
        base: address of the first register.
        parameters: of the IP, as the ``.hwh`` has them.
    """

    name: str
    kind: Kind
    vlnv: str
    interface: str
    base: int
    parameters: dict[str, str] = field(default_factory=dict)


_AXI_DMA_PARAMETERS = {
    "c_include_sg": "0", "c_include_mm2s": "1", "c_include_s2mm": "1", "c_sg_length_width": "26",
    "c_m_axi_mm2s_data_width": "64", "c_m_axi_s2mm_data_width": "64", "c_include_mm2s_dre": "0",
    "c_include_s2mm_dre": "0", "c_micro_dma": "0",
}  # fmt: skip
_GPIO_PARAMETERS = {"C_GPIO_WIDTH": "4", "C_IS_DUAL": "0", "C_ALL_OUTPUTS": "1", "C_ALL_INPUTS": "0"}
_PARAMETERS = {Kind.AXI_DMA: _AXI_DMA_PARAMETERS, Kind.GPIO: _GPIO_PARAMETERS}


def layout(family: Family, *, axi_dma: bool = False) -> tuple[Cell, ...]:
    """Return the cells of an overlay on a family's processor, in the order of their addresses.

    Args:
        family: of the chip.
        axi_dma: whether there is an AXI DMA beside the engines, for code that knows no other, and LEDs at an AXI GPIO.
    """
    module = "xilinx.com:module_ref:{}:1.0".format
    rows = [
        (CELLS[Engine.READ], Kind.READ_ENGINE, module("xnorflow_idma"), "s_axi_control"),
        (CELLS[Engine.WRITE], Kind.WRITE_ENGINE, module("xnorflow_odma"), "s_axi_control"),
        ("StreamingDataflowPartition_1", Kind.NETWORK, module("xnorflow_top"), "s_axilite"),
        (CYCLES, Kind.CYCLES, "xnorflow:virtual:cycle_counter:1.0", "s_axi_control"),
    ]
    if axi_dma:
        rows.append(("axi_dma_0", Kind.AXI_DMA, "xilinx.com:ip:axi_dma:7.1", "S_AXI_LITE"))
        rows.append(("axi_gpio_leds", Kind.GPIO, "xilinx.com:ip:axi_gpio:2.0", "S_AXI"))
    base = processor_of(family).logic_base
    return tuple(Cell(*row, base + index * RANGE, _PARAMETERS.get(row[1], {})) for index, row in enumerate(rows))
