"""Names and widths of the ports that the harness drives."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

from xnorflow.artifact.errors import SimulateError

__all__ = ["PortNames", "port_widths"]

_PORT = re.compile(r"\bVL_(?:IN|OUT|INOUT)(?:8|16|64|W)?\(&(\w+),\s*(\d+),\s*(\d+)")
"""A port in the header that Verilator writes: ``VL_INW(&in0_V_TDATA,127,0,4);``."""


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

    def macros(self, widths: dict[str, int]) -> tuple[str, ...]:
        """Return the ``-D`` arguments by which harness.cpp knows its design."""
        names = [f"-DXNF_{field.name.upper()}={_cpp_name(getattr(self, field.name))}" for field in fields(self)]
        return (*names, f"-DXNF_IN_BITS={widths[self.in_data]}", f"-DXNF_OUT_BITS={widths[self.out_data]}")


def _cpp_name(name: str) -> str:
    """Return what Verilator calls a port in C++, where two underscores are its own."""
    return name.replace("__", "___05F")


def port_widths(header: Path, ports: PortNames, top: str) -> dict[str, int]:
    """Read the width in bits of each port from the header of a verilated design.

    Raises:
        SimulateError: the design lacks one of ``ports``.
    """
    text = header.read_text(encoding="utf-8")
    found = {name.replace("___05F", "__"): int(high) - int(low) + 1 for name, high, low in _PORT.findall(text)}
    for field in fields(ports):
        name = getattr(ports, field.name)
        if name not in found:
            raise SimulateError(
                f"module {top}", f"no port {name!r}", f"its ports are {', '.join(sorted(found))}", "rename the port"
            )
    return found
