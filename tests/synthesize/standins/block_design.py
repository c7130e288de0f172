"""A block design as the scripts build it: cells, what is connected to what, and whether all of it fits."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from addresses import Addresses
from amd_ip import configured, name_of
from nets import Nets
from tcl_host import CheckFailed, options_of
from verilog import Interface, Port, check_attributes, memory_ports_of, module_ports, streams_of

COMPONENT = "standin_component.json"
OPEN_IP = re.compile(
    r"xilinx\.com:ip:(zynq_ultra_ps_e|processing_system7|axi_interconnect|smartconnect|clk_wiz|proc_sys_reset|xlconcat):.*"
)
"""AMD's own IP. Of some the pins are known (amd_ip.py); what is connected to others is written down as unchecked."""


LEFT_OPEN = "sim_finish"
"""Of FINN's sim_ctrl, for simulation alone: FINN ties it to nothing."""


@dataclass
class Cell:
    """An instance; ``pins`` and ``interfaces`` are None where they are not known."""

    kind: str
    pins: dict[str, Port] | None
    interfaces: dict[str, dict[str, Any]] | None
    wired: set[str] = field(default_factory=set)
    from_source: bool = False
    config: dict[str, str] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    segments: dict[str, tuple[str, int]] = field(default_factory=dict)
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)
    preset: bool = False

    def configure(self, changes: dict[str, str]) -> None:
        """Set parameters of AMD's IP."""
        self.config |= changes
        model = configured(self.kind, self.config)
        if model is not None:
            self.pins, self.interfaces, self.optional = model.pins, model.interfaces, model.optional
            self.segments, self.windows = model.segments, model.windows


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
        self.addresses, self.pin_nets = Addresses(self), Nets(self)

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
            self.cells[name].configure({})
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
        check_attributes(path, text)
        memory, used = memory_ports_of(ports)
        interfaces = {**streams, **memory}
        bound = re.search(r"ASSOCIATED_BUSIF ([\w:]+), ASSOCIATED_RESET (\w+)", text)
        if interfaces and (bound is None or set(bound[1].split(":")) != set(interfaces) or bound[2] not in ports):
            raise CheckFailed(f"{path.name}: the clock is not bound to the interfaces {sorted(interfaces)} and a reset")
        used |= {name for name in ports if re.search(r"_T(DATA|VALID|READY)$", name)}
        pins = {name: port for name, port in ports.items() if name not in used}
        return Cell(module, pins, interfaces, from_source=True)

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
                self.pin_nets.rename(old, new)
                self.nets = [[new if end == old else end for end in net] for net in self.nets]

    def connect(self, *arguments: str) -> str:
        """connect_bd_net: clocks to clocks, one driver a net."""
        _, ends = options_of(arguments)
        for end in ends:
            cell, _, pin = end.partition("/")
            if pin:
                self.cells[cell].wired.add(pin)
        self.pin_nets.join(ends)
        self.nets.append(ends)
        return ""

    def configure(self, cell: str, changes: dict[str, str]) -> None:
        """set_property -dict of a cell."""
        self.cells[cell].configure(changes)

    def automate(self, *arguments: str) -> str:
        """apply_bd_automation: a board's preset for a processor."""
        options, (cell,) = options_of(arguments)
        if options["-rule"].split(":")[-1] != name_of(self.cells[cell].kind):
            raise CheckFailed(f"rule {options['-rule']} for a {self.cells[cell].kind}")
        self.cells[cell].preset = 'apply_board_preset "1"' in options["-config"]
        return ""

    def _take(self, name: str) -> None:
        cell, _, pin = name.partition("/")
        if pin in self.cells[cell].wired:
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
            kinds = {first["kind"], second["kind"]}
            fit = len(kinds) == 1 or kinds in ({"axi", "aximm"}, {"axi", "axilite"})
            if not fit or first["master"] == second["master"]:
                raise CheckFailed(f"{ends}: {first} and {second} are no two sides of one interface")
            if first["bits"] != second["bits"] and None not in (first["bits"], second["bits"]):
                raise CheckFailed(f"{ends}: {first['bits']} bits and {second['bits']} bits")
        self.nets.append(ends)
        return ""

    def validate(self, *arguments: str) -> str:
        """validate_bd_design: every known pin and interface of every cell is connected, the clock's rate is given."""
        for name, cell in self.cells.items():
            inputs = {pin for pin, port in (cell.pins or {}).items() if port.direction == "input"}
            lacking = sorted((inputs | set(cell.interfaces or {})) - cell.wired - {LEFT_OPEN} - cell.optional)
            if lacking:
                raise CheckFailed(f"cell {name} ({cell.kind}): {lacking} is connected to nothing")
            if cell.windows and not cell.preset:
                raise CheckFailed(f"cell {name} ({cell.kind}): no board's preset")
        self.pin_nets.check()
        self.addresses.check()
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
