"""Names and widths of the ports that the harness drives."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, Protocol

from xnorflow.artifact.axi import AXI_LITE
from xnorflow.artifact.errors import SimulateError

__all__ = ["Harness", "PortNames", "SocPorts", "port_widths"]

_PORT = re.compile(r"\bVL_(?:IN|OUT|INOUT)(?:8|16|64|W)?\(&(\w+),\s*(\d+),\s*(\d+)")
"""A port in the header that Verilator writes: ``VL_INW(&in0_V_TDATA,127,0,4);``."""


class Harness(Protocol):
    """What a design is compiled together with."""

    source: ClassVar[str]
    """File of the harness, beside this one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Ports that the design must have."""

    def macros(self, widths: dict[str, int]) -> tuple[str, ...]:
        """Return the ``-D`` arguments by which the harness knows the design.

        Args:
            widths: bits of each port.
        """


@dataclass(frozen=True)
class PortNames:
    """Ports of a module with one stream in and one out; the defaults are those of generated nodes and of the top.

    Args:
        clock: clock; everything happens at its rising edge.
        reset_n: synchronous reset, active low.
        in_data: beats into the module, any width.
        in_valid: a beat is offered to the module.
        in_ready: the module takes it.
        out_data: beats out of the module, any width.
        out_valid: the module offers a beat.
        out_ready: it is taken.
    """

    source: ClassVar[str] = "harness.cpp"
    clock: str = "ap_clk"
    reset_n: str = "ap_rst_n"
    in_data: str = "in0_V_TDATA"
    in_valid: str = "in0_V_TVALID"
    in_ready: str = "in0_V_TREADY"
    out_data: str = "out0_V_TDATA"
    out_valid: str = "out0_V_TVALID"
    out_ready: str = "out0_V_TREADY"

    @classmethod
    def axi(cls, source: str = "in0_V", sink: str = "out0_V") -> PortNames:
        """Return AXI-Stream names with the prefixes of a :class:`~xnorflow.artifact.streams.StreamSpec`."""
        return cls(
            "ap_clk",
            "ap_rst_n",
            *(f"{source}_{suffix}" for suffix in ("TDATA", "TVALID", "TREADY")),
            *(f"{sink}_{suffix}" for suffix in ("TDATA", "TVALID", "TREADY")),
        )

    @classmethod
    def library(cls) -> PortNames:
        """Return the names that modules of the RTL library have: ``clk_i``, ``data_i``, ``valid_i``, ``ready_o``..."""
        return cls("clk_i", "rst_ni", "data_i", "valid_i", "ready_o", "data_o", "valid_o", "ready_i")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(str(getattr(self, field.name)) for field in fields(self))

    def macros(self, widths: dict[str, int]) -> tuple[str, ...]:
        """Return the ``-D`` arguments by which harness.cpp knows its design."""
        names = [f"-DXNF_{field.name.upper()}={_cpp_name(getattr(self, field.name))}" for field in fields(self)]
        return (*names, f"-DXNF_IN_BITS={widths[self.in_data]}", f"-DXNF_OUT_BITS={widths[self.out_data]}")


_READ = ("ARADDR", "ARLEN", "ARVALID", "ARREADY", "RDATA", "RRESP", "RLAST", "RVALID", "RREADY")
_WRITE = ("AWADDR", "AWLEN", "AWVALID", "AWREADY", "WDATA", "WSTRB", "WLAST", "WVALID", "WREADY", "BRESP", "BVALID",
          "BREADY")  # fmt: skip


@dataclass(frozen=True)
class SocPorts:
    """Ports of an accelerator with its DMA engines: registers of engine 0 and 1, memory that is read and written."""

    source: ClassVar[str] = "soc.cpp"

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        groups = {
            "s_axi_control_0": AXI_LITE,
            "s_axi_control_1": AXI_LITE,
            "m_axi_gmem_0": _READ,
            "m_axi_gmem_1": _WRITE,
        }
        return ("ap_clk", "ap_rst_n", *(f"{group}_{name}" for group, names in groups.items() for name in names))

    def macros(self, widths: dict[str, int]) -> tuple[str, ...]:
        """Return the ``-D`` argument by which soc.cpp knows the width of a word of memory."""
        return (f"-DXNF_DATA_BYTES={widths['m_axi_gmem_0_RDATA'] // 8}",)


def _cpp_name(name: str) -> str:
    """Return what Verilator calls a port in C++, where two underscores are its own."""
    return name.replace("__", "___05F")


def port_widths(header: Path, ports: Harness, top: str) -> dict[str, int]:
    """Read the width in bits of each port from the header of a verilated design.

    Raises:
        SimulateError: the design lacks one of ``ports``.
    """
    text = header.read_text(encoding="utf-8")
    found = {name.replace("___05F", "__"): int(high) - int(low) + 1 for name, high, low in _PORT.findall(text)}
    for name in ports.names:
        if name not in found:
            raise SimulateError(
                f"module {top}", f"no port {name!r}", f"its ports are {', '.join(sorted(found))}", "rename the port"
            )
    return found
