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


_LITE_READ = {"ARADDR": 1, "ARVALID": 1, "ARREADY": 0, "RDATA": 0, "RRESP": 0, "RVALID": 0, "RREADY": 1}
_LITE_WRITE = {"AWADDR": 1, "AWVALID": 1, "AWREADY": 0, "WDATA": 1, "WSTRB": 1, "WVALID": 1, "WREADY": 0, "BRESP": 0,
               "BVALID": 0, "BREADY": 1}  # fmt: skip
_READ = {**_LITE_READ, **dict.fromkeys(("ARLEN", "ARSIZE", "ARBURST", "ARCACHE", "ARPROT"), 1), "RLAST": 0}
_WRITE = {**_LITE_WRITE, **dict.fromkeys(("AWLEN", "AWSIZE", "AWBURST", "AWCACHE", "AWPROT", "WLAST"), 1)}
_KINDS = (
    ("axilite", {**_LITE_READ, **_LITE_WRITE}),
    ("aximm", _READ),
    ("aximm", _WRITE),
    ("aximm", {**_READ, **_WRITE}),
)
"""Signals of an AXI port, 1 where a master drives it."""
_MEMORY = re.compile(rf"(\w+)_({'|'.join({**_READ, **_WRITE})})")


def memory_ports_of(ports: dict[str, Port]) -> tuple[dict[str, dict[str, object]], set[str]]:
    """Return the AXI ports to memory or registers, and the names of all that belongs to them."""
    found: dict[str, dict[str, Port]] = {}
    for name, port in ports.items():
        if match := _MEMORY.fullmatch(name):
            found.setdefault(match[1], {})[match[2]] = port
    interfaces: dict[str, dict[str, object]] = {}
    for name, signals in found.items():
        kind = next((kind for kind in _KINDS if set(kind[1]) == set(signals)), None)
        if kind is None:
            raise CheckFailed(f"AXI port {name} has {sorted(signals)} only")
        sides = {(port.direction == "output") == bool(kind[1][signal]) for signal, port in signals.items()}
        if len(sides) != 1:
            raise CheckFailed(f"AXI port {name}: directions of its signals contradict each other")
        data = {port.bits for signal, port in signals.items() if signal.endswith("DATA")}
        if len(data) != 1 or any(8 * port.bits not in data for signal, port in signals.items() if signal == "WSTRB"):
            raise CheckFailed(f"AXI port {name}: words of {sorted(data)} bits")
        interfaces[name] = {"kind": kind[0], "master": sides == {True}, "bits": data.pop()}
    return interfaces, {f"{name}_{signal}" for name, signals in found.items() for signal in signals}


def check_attributes(path: Path, text: str) -> None:
    """Check that what attributes say of signals of interfaces is what the ports behind them are called."""
    said = re.findall(
        r'X_INTERFACE_INFO = "xilinx\.com:interface:\w+:1\.0 (\w+) (\w+)" \*\)\s*\w+\s+wire\s+(?:\[\d+:0\]\s*)?(\w+)',
        text,
    )
    wrong = [name for interface, signal, name in said if name != f"{interface}_{signal}"]
    if wrong or len(said) != len(re.findall("X_INTERFACE_INFO = .xilinx.com:interface:", text)):
        raise CheckFailed(f"{path.name}: attributes of {wrong} say something else")
