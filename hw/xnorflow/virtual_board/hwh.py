"""The hardware hand-off (``.hwh``) of a virtual overlay: what pynq reads of a block design, and no more."""

from __future__ import annotations

from xml.etree import ElementTree

from xnorflow.boards.catalog import Board, Family
from xnorflow.virtual_board.layout import RANGE, Cell, Kind, layout
from xnorflow.virtual_board.processor import Processor, processor_of

__all__ = ["render_hwh"]

CLOCKS = 4
_ENGINE_REGISTERS = {
    "CTRL": (0x00, (("AP_START", 0), ("AP_DONE", 1), ("AP_IDLE", 2), ("AP_READY", 3))),
    "GIER": (0x04, ()),
    "IP_IER": (0x08, ()),
    "IP_ISR": (0x0C, ()),
    "mem_1": (0x10, ()),
    "mem_2": (0x14, ()),
    "numReps": (0x1C, ()),
    "failure": (0x28, ()),
}  # fmt: skip
"""Offset and fields by name; address and count are called as in FINN's own engines."""


def render_hwh(board: Board, name: str, *, axi_dma: bool = False) -> str:
    """Return the text of an overlay's ``.hwh``.

    Args:
        board: that it is for.
        name: of the overlay.
        axi_dma: as for :func:`~xnorflow.virtual_board.layout.layout`.
    """
    processor = processor_of(board.family)
    root = ElementTree.Element("EDKSYSTEM", EDWVERSION="1.2", TIMESTAMP="", VIVADOVERSION="2022.2")
    root.append(ElementTree.Comment(" xnorflow: VIRTUAL overlay, for a simulated board "))
    device, _, package = board.part.partition("-")
    ElementTree.SubElement(
        root, "SYSTEMINFO", ARCH="zynquplus" if board.family is Family.XCUP else "zynq", DEVICE=device, NAME=name,
        PACKAGE=package, SPEEDGRADE="",
    )  # fmt: skip
    for empty in ("EXTERNALPORTS", "EXTERNALINTERFACES"):
        ElementTree.SubElement(root, empty)
    modules = ElementTree.SubElement(root, "MODULES")
    cells = layout(board.family, axi_dma=axi_dma)
    for cell in cells:
        _add_cell(modules, cell)
    _add_processor(modules, processor, board, cells)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_module(modules: ElementTree.Element, name: str, vlnv: str, parameters: dict[str, str]) -> ElementTree.Element:
    vendor, library, kind, version = vlnv.split(":")
    module = ElementTree.SubElement(
        modules, "MODULE", FULLNAME=f"/{name}", INSTANCE=name, IPTYPE="PERIPHERAL", IS_ENABLE="1",
        MODCLASS="PERIPHERAL", MODTYPE=kind, HWVERSION=version, VLNV=f"{vendor}:{library}:{kind}:{version}",
    )  # fmt: skip
    ElementTree.SubElement(module, "ADDRESSBLOCKS")
    listed = ElementTree.SubElement(module, "PARAMETERS")
    for key, value in parameters.items():
        ElementTree.SubElement(listed, "PARAMETER", NAME=key, VALUE=value)
    ElementTree.SubElement(module, "PORTS")
    return module


def _add_bus(module: ElementTree.Element, interface: str, side: str) -> None:
    buses = ElementTree.SubElement(module, "BUSINTERFACES")
    bus = ElementTree.SubElement(
        buses, "BUSINTERFACE", BUSNAME="axi", DATAWIDTH="32", NAME=interface, TYPE=side,
        VLNV="xilinx.com:interface:aximm:1.0",
    )  # fmt: skip
    ElementTree.SubElement(bus, "PORTMAPS")


def _add_cell(modules: ElementTree.Element, cell: Cell) -> None:
    module = _add_module(modules, cell.name, cell.vlnv, cell.parameters)
    _add_bus(module, cell.interface, "SLAVE")
    if cell.kind not in (Kind.READ_ENGINE, Kind.WRITE_ENGINE):
        return
    blocks = module.find("ADDRESSBLOCKS")
    assert blocks is not None
    block = ElementTree.SubElement(
        blocks, "ADDRESSBLOCK", ACCESS="", INTERFACE=cell.interface, NAME="Reg", RANGE=str(RANGE), USAGE="register"
    )
    registers = ElementTree.SubElement(block, "REGISTERS")
    for name, (offset, fields) in _ENGINE_REGISTERS.items():
        register = ElementTree.SubElement(registers, "REGISTER", NAME=name)
        _add_properties(
            register, DESCRIPTION=name, ADDRESS_OFFSET=offset, SIZE=32, ACCESS="read-write", IS_ENABLED="true"
        )
        listed = ElementTree.SubElement(register, "FIELDS")
        for field_name, bit in fields:
            field = ElementTree.SubElement(listed, "FIELD", NAME=field_name)
            _add_properties(field, DESCRIPTION="", BIT_OFFSET=bit, BIT_WIDTH=1, ACCESS="read-write")


def _add_properties(parent: ElementTree.Element, **properties: str | int) -> None:
    for name, value in properties.items():
        ElementTree.SubElement(parent, "PROPERTY", NAME=name, VALUE=str(value))


def _add_processor(modules: ElementTree.Element, processor: Processor, board: Board, cells: tuple[Cell, ...]) -> None:
    vlnv = f"xilinx.com:ip:{processor.instance}:{processor.version}"
    module = _add_module(modules, "zynq_ps", vlnv, _processor_parameters(board.family))
    module.set("IS_PL", "FALSE")
    _add_bus(module, processor.master, "MASTER")
    memory_map = ElementTree.SubElement(module, "MEMORYMAP")
    for cell in cells:
        ElementTree.SubElement(
            memory_map, "MEMRANGE", ADDRESSBLOCK="Reg", BASENAME="C_BASEADDR", BASEVALUE=f"0x{cell.base:08X}",
            HIGHNAME="C_HIGHADDR", HIGHVALUE=f"0x{cell.base + RANGE - 1:08X}", INSTANCE=cell.name, IS_DATA="TRUE",
            IS_INSTRUCTION="TRUE", MASTERBUSINTERFACE=processor.master, MEMTYPE="REGISTER",
            SLAVEBUSINTERFACE=cell.interface,
        )  # fmt: skip


def _processor_parameters(family: Family) -> dict[str, str]:
    """Return clock 0 of the logic at 100 MHz, the others off, and widths of ports."""
    # pynq 4.0.0 looks for this one on each family and fails on a Zynq-7000 without it.
    actual = {f"PSU__CRL_APB__PL{n}_REF_CTRL__ACT_FREQMHZ": "100.000000" for n in range(CLOCKS)}
    enabled = {n: "1" if n == 0 else "0" for n in range(CLOCKS)}
    if family is Family.XCUP:
        divisors = {
            f"PSU__CRL_APB__PL{n}_REF_CTRL__{key}": value
            for n in range(CLOCKS)
            for key, value in (("DIVISOR0", "15"), ("DIVISOR1", "1"), ("SRCSEL", "IOPLL"))
        }
        widths = {"C_MAXIGP0_DATA_WIDTH": "32", "C_SAXIGP2_DATA_WIDTH": "128"}
        return {**{f"PSU__FPGA_PL{n}_ENABLE": on for n, on in enabled.items()}, **divisors, **actual, **widths}
    divisors = {
        f"PCW_FCLK{n}_PERIPHERAL_{key}": value
        for n in range(CLOCKS)
        for key, value in (("DIVISOR0", "10"), ("DIVISOR1", "1"), ("CLKSRC", "IO PLL"))
    }
    frequencies = {f"PCW_ACT_FPGA{n}_PERIPHERAL_FREQMHZ": "100.000000" for n in range(CLOCKS)}
    return {**{f"PCW_FPGA_FCLK{n}_ENABLE": on for n, on in enabled.items()}, **divisors, **frequencies, **actual}
