"""Ports of a packaged core: the one list that the Verilog wrapper and component.xml are made from."""

from __future__ import annotations

from dataclasses import dataclass

from xnorflow.artifact.design import Design
from xnorflow.artifact.streams import StreamSpec

__all__ = ["CLOCK", "RESET", "Port", "core_ports"]

CLOCK, RESET = "ap_clk", "ap_rst_n"


@dataclass(frozen=True)
class Port:
    """A port of the wrapper.

    Args:
        name: as in Verilog.
        direction: ``in`` or ``out``.
        bits: width.
        bus: AXI4-Stream interface that it belongs to; empty for clock and reset.
        logical: its name there, e.g. ``TDATA``; ``CLK`` and ``RST`` for clock and reset.
        vector: whether it is declared with a range.
    """

    name: str
    direction: str
    bits: int
    bus: str
    logical: str
    vector: bool = False


def _stream(spec: StreamSpec, forward: str, backward: str, last: bool) -> list[Port]:
    ports = [
        Port(f"{spec.name}_TDATA", forward, spec.tdata_bits, spec.name, "TDATA", vector=True),
        Port(f"{spec.name}_TVALID", forward, 1, spec.name, "TVALID"),
        Port(f"{spec.name}_TREADY", backward, 1, spec.name, "TREADY"),
    ]
    return [*ports, Port(f"{spec.name}_TLAST", forward, 1, spec.name, "TLAST")] if last else ports


def core_ports(design: Design) -> tuple[Port, ...]:
    """Return the ports in the order in which they are declared; the output has a TLAST, which DMA engines ask for."""
    return (
        Port(CLOCK, "in", 1, "", "CLK"),
        Port(RESET, "in", 1, "", "RST"),
        *_stream(design.input, "in", "out", last=False),
        *_stream(design.output, "out", "in", last=True),
    )
