"""A block design as the scripts build it: cells, what is connected to what, and whether all of it fits."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tcl_host import CheckFailed, options_of
from verilog import Interface, Port, module_ports, streams_of

COMPONENT = "standin_component.json"
OPEN_IP = re.compile(
    r"xilinx\.com:ip:(zynq_ultra_ps_e|processing_system7|axi_interconnect|smartconnect|clk_wiz|proc_sys_reset):.*"
)
"""AMD's own IP, whose pins a stand-in cannot know: what is connected to them is written down as unchecked."""


LEFT_OPEN = "sim_finish"
"""Of FINN's sim_ctrl, for simulation alone: FINN ties it to nothing."""


@dataclass
class Cell:
    """An instance; ``pins`` and ``interfaces`` are None where they are not known."""

    kind: str
    pins: dict[str, Port] | None
    interfaces: dict[str, dict[str, Any]] | None
    wired: set[str] = field(default_factory=set)


class BlockDesign:
    """Commands of IP Integrator.

    Args:
        files: what was added to the project, by module.
        catalog: IPs that repositories hold, by VLNV.
        unchecked: takes what could not be checked.
    """

    def __init__(self, files: dict[str, Path], catalog: dict[str, dict[str, Any]], unchecked: list[str]) -> None:
        self.files, self.catalog, self.unchecked = files, catalog, unchecked
        self.name = ""
        self.cells: dict[str, Cell] = {}
        self.ports: dict[str, Port] = {}
        self.interface_ports: dict[str, dict[str, Any]] = {}
        self.nets: list[list[str]] = []
        self.validated = False
        self.frequency_hz: str | None = None

    def create(self, name: str) -> str:
        """create_bd_design."""
        self.name = name
        return name

    def create_cell(self, *arguments: str) -> str:
        """create_bd_cell."""
        options, (name,) = options_of(arguments)
        if name in self.cells:
            raise CheckFailed(f"there is a cell {name} already")
        if options["-type"] == "module":
            self.cells[name] = self._module(options["-reference"])
        elif options["-vlnv"] in self.catalog:
            component = self.catalog[options["-vlnv"]]
            pins = {pin: Port(**port) for pin, port in component["pins"].items()}
            self.cells[name] = Cell(options["-vlnv"], pins, component["interfaces"])
        elif OPEN_IP.fullmatch(options["-vlnv"]):
            self.cells[name] = Cell(options["-vlnv"], None, None)
        else:
            raise CheckFailed(f"no IP {options['-vlnv']} in the repositories: {sorted(self.catalog)}")
        return name

    def _module(self, module: str) -> Cell:
        path = self.files.get(module)
        if path is None:
            raise CheckFailed(f"no file that was added defines module {module}")
        if path.suffix != ".v":
            raise CheckFailed(f"{path.name}: a cell's module has to be Verilog or VHDL, not SystemVerilog")
        ports = module_ports(path, module)
        streams = {
            name: {"kind": "axis", "master": stream.master, "bits": stream.bits}
            for name, stream in streams_of(ports).items()
        }
        text = path.read_text(encoding="utf-8")
        self._check_inside(path, text, ports)
        bound = re.search(r"ASSOCIATED_BUSIF ([\w:]+), ASSOCIATED_RESET (\w+)", text)
        if streams and (bound is None or set(bound[1].split(":")) != set(streams) or bound[2] not in ports):
            raise CheckFailed(f"{path.name}: the clock is not bound to the streams {sorted(streams)} and a reset")
        pins = {name: port for name, port in ports.items() if not re.search(r"_T(DATA|VALID|READY)$", name)}
        return Cell(module, pins, streams)

    def _check_inside(self, path: Path, text: str, ports: dict[str, Port]) -> None:
        """A face and the module behind it have the same ports, of the same widths."""
        for inside in re.findall(r"^  (\w+) i_node \(", text, re.MULTILINE):
            if inside not in self.files:
                raise CheckFailed(f"{path.name}: no file that was added defines module {inside}")
            if module_ports(self.files[inside], inside) != ports:
                raise CheckFailed(f"{path.name}: its ports are not those of {inside}")

    def find(self, kind: str, names: list[str]) -> list[str]:
        """get_bd_*: checked names; of AMD's IP any."""
        return [self._checked(kind, name.lstrip("/")) for name in names]

    def _checked(self, kind: str, name: str) -> str:
        if kind in ("ports", "intf_ports"):
            known: Any = self.ports if kind == "ports" else self.interface_ports
            if name not in known:
                raise CheckFailed(f"no {kind} {name}: {sorted(known)}")
            return name
        cell, _, pin = name.partition("/")
        if cell not in self.cells:
            raise CheckFailed(f"no cell {cell}: {sorted(self.cells)}")
        if kind == "cells":
            return name
        held = self.cells[cell].pins if kind == "pins" else self.cells[cell].interfaces
        if held is None:
            self.unchecked.append(f"{kind} {name} of {self.cells[cell].kind}")
        elif not fnmatch.filter(held, pin):
            raise CheckFailed(f"{cell} ({self.cells[cell].kind}) has no {kind} {pin}: {sorted(held)}")
        return name

    def _interface(self, name: str) -> dict[str, Any] | None:
        cell, _, pin = name.partition("/")
        held = self.cells[cell].interfaces
        return None if held is None else held[pin]

    def make_pins_external(self, name: str) -> str:
        """make_bd_pins_external."""
        cell, _, pin = name.partition("/")
        self.ports[f"{pin}_0"] = (self.cells[cell].pins or {})[pin]
        self.connect(f"{pin}_0", name)
        return f"{pin}_0"

    def make_interfaces_external(self, name: str) -> str:
        """make_bd_intf_pins_external."""
        interface = self._interface(name)
        if interface is None:
            raise CheckFailed(f"{name} cannot be made external: it is not known")
        port, number = name.split("/")[1], 0
        while f"{port}_{number}" in self.interface_ports:
            number += 1
        self._take(name)
        self.interface_ports[f"{port}_{number}"] = {**interface, "pin": name}
        return f"{port}_{number}"

    def rename(self, old: str, new: str) -> None:
        """Set the name of a port."""
        for held in (self.ports, self.interface_ports):
            if old in held:
                if new in held:
                    raise CheckFailed(f"there is a port {new} already")
                held[new] = held.pop(old)
                self.nets = [[new if end == old else end for end in net] for net in self.nets]

    def connect(self, *arguments: str) -> str:
        """connect_bd_net: clocks to clocks, resets to resets; each pin once."""
        _, ends = options_of(arguments)
        for end in ends:
            cell, _, pin = end.partition("/")
            if pin:
                self._take(end, fan_out=cell in self.cells and self.cells[cell].pins is None)
        kinds = {"clock" if re.search(r"cl(oc)?k", end.split("/")[-1], re.IGNORECASE) else "other" for end in ends}
        known = [end for end in ends if end.partition("/")[0] not in self.cells or self._pins_known(end)]
        if len(known) == len(ends) and len(kinds) != 1:
            raise CheckFailed(f"a clock and another net: {ends}")
        self.nets.append(ends)
        return ""

    def _pins_known(self, end: str) -> bool:
        return self.cells[end.partition("/")[0]].pins is not None

    def _take(self, name: str, *, fan_out: bool = False) -> None:
        cell, _, pin = name.partition("/")
        if pin in self.cells[cell].wired and not fan_out:
            raise CheckFailed(f"{name} is connected already")
        self.cells[cell].wired.add(pin)

    def connect_interfaces(self, *arguments: str) -> str:
        """connect_bd_intf_net: one master, one slave, equal widths."""
        _, ends = options_of(arguments)
        if len(ends) != 2:
            raise CheckFailed(f"two ends are needed: {ends}")
        sides = [self._interface(end) for end in ends]
        for end in ends:
            self._take(end)
        first, second = sides
        if first is not None and second is not None:
            if first["kind"] != second["kind"] or first["master"] == second["master"]:
                raise CheckFailed(f"{ends}: {first} and {second} are no two sides of one interface")
            if first["bits"] != second["bits"]:
                raise CheckFailed(f"{ends}: {first['bits']} bits and {second['bits']} bits")
        self.nets.append(ends)
        return ""

    def validate(self, *arguments: str) -> str:
        """validate_bd_design: every known pin and interface of every cell is connected, the clock's rate is given."""
        for name, cell in self.cells.items():
            inputs = {pin for pin, port in (cell.pins or {}).items() if port.direction == "input"}
            lacking = sorted((inputs | set(cell.interfaces or {})) - cell.wired - {LEFT_OPEN})
            if lacking:
                raise CheckFailed(f"cell {name} ({cell.kind}): {lacking} is connected to nothing")
        self.validated = True
        return ""

    def component(self) -> dict[str, Any]:
        """Return what the design is as an IP."""
        if not self.validated:
            raise CheckFailed("the block design was changed, or never validated")
        interfaces = {
            name: {key: value for key, value in port.items() if key != "pin"}
            for name, port in self.interface_ports.items()
        }
        return {"pins": {name: vars(port) for name, port in self.ports.items()}, "interfaces": interfaces}


def read_component(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the IP that a repository folder holds, by its VLNV; empty where it holds none of a stand-in's."""
    path = folder / COMPONENT
    return {content["vlnv"]: content for content in [json.loads(path.read_text())]} if path.is_file() else {}


__all__ = ["COMPONENT", "BlockDesign", "Cell", "Interface", "read_component"]
