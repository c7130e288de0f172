"""Ports of a Verilog module by its header, where all is plain: a direction and a numeric width for every port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tcl_host import CheckFailed

_PORT = re.compile(r"(input|output)\s+(?:wire|reg|logic)?(?:\s+logic)?\s*(?:\[(\d+):0\])?\s*(\w+)")
_STREAM = re.compile(r"(\w+)_(TDATA|TVALID|TREADY)")


@dataclass(frozen=True)
class Port:
    """Direction and bits of a port."""

    direction: str
    bits: int


@dataclass(frozen=True)
class Interface:
    """A stream: which side it is, and the bits of its data."""

    master: bool
    bits: int


def module_ports(path: Path, name: str) -> dict[str, Port]:
    """Return the ports of a module."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/|\(\*.*?\*\)|`\w+[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    head = re.search(rf"\bmodule\s+{re.escape(name)}\s*\((.*?)\)\s*;", text, re.DOTALL)
    if head is None:
        raise CheckFailed(f"{path} has no module {name} with plain ports")
    ports = {}
    for part in head[1].split(","):
        match = _PORT.fullmatch(part.strip())
        if match is None:
            raise CheckFailed(f"{path}: port {part.strip()!r} cannot be read")
        ports[match[3]] = Port(match[1], int(match[2] or 0) + 1)
    return ports


def streams_of(ports: dict[str, Port]) -> dict[str, Interface]:
    """Return the AXI streams among ports; all three signals have to be there, in their directions."""
    found: dict[str, dict[str, Port]] = {}
    for name, port in ports.items():
        if match := _STREAM.fullmatch(name):
            found.setdefault(match[1], {})[match[2]] = port
    streams = {}
    for name, signals in found.items():
        if set(signals) != {"TDATA", "TVALID", "TREADY"}:
            raise CheckFailed(f"stream {name} has {sorted(signals)} only")
        master = signals["TDATA"].direction == "output"
        if (signals["TVALID"].direction == "output", signals["TREADY"].direction == "input") != (master, master):
            raise CheckFailed(f"stream {name}: directions of its signals contradict each other")
        if signals["TDATA"].bits % 8:
            raise CheckFailed(f"stream {name}: {signals['TDATA'].bits} bits are no whole bytes")
        streams[name] = Interface(master, signals["TDATA"].bits)
    return streams


def defined_modules(text: str) -> set[str]:
    """Return the modules that a text defines."""
    return set(re.findall(r"^\s*(?:\(\*.*?\*\)\s*)?module\s+(\w+)", text, re.MULTILINE))
