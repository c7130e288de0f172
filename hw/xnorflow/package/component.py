"""component.xml: the core in IP-XACT (IEEE 1685-2009), with the extensions by which Vivado lists it.

Views, file types and bus definitions are called as Vivado calls them. Dates and checksums are left out, so that equal
designs give equal bytes; Vivado does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from xnorflow.artifact.design import Design
from xnorflow.package.config import PackageSettings
from xnorflow.package.ports import CLOCK, RESET, Port, core_ports

__all__ = ["FAMILIES", "FileSets", "render_component"]

FAMILIES = (
    "zynq", "artix7", "kintex7", "virtex7", "spartan7", "kintexu", "virtexu", "zynquplus", "artixuplus", "kintexuplus",
    "virtexuplus",
)  # fmt: skip
"""Chip families as Vivado calls them."""

_SYNTHESIS, _SIMULATION = "xilinx_anylanguagesynthesis", "xilinx_anylanguagebehavioralsimulation"
_TESTBENCH, _PAGE = "xilinx_testbench", "xilinx_xpgui"
_FILE_TYPES = {".v": "verilogSource", ".sv": "systemVerilogSource", ".tcl": "tclSource"}
_NAMESPACES = {
    "xmlns:spirit": "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009",
    "xmlns:xilinx": "http://www.xilinx.com",
}


@dataclass(frozen=True)
class FileSets:
    """Files by purpose, as paths relative to component.xml, dependencies first.

    Args:
        design: sources and memory files.
        testbench: testbench and its memory files.
        page: Tcl of the page that Vivado shows.
    """

    design: tuple[str, ...]
    testbench: tuple[str, ...]
    page: str


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    element = SubElement(parent, f"spirit:{tag}", {f"spirit:{key}": value for key, value in attributes.items()})
    element.text = text or None
    return element


def _bus(
    parent: Element, name: str, definition: tuple[str, str], role: str, ports: Sequence[Port],
    parameters: dict[str, str | int],
) -> None:  # fmt: skip
    bus = _add(parent, "busInterface")
    _add(bus, "name", name)
    library, kind = definition
    for tag, suffix in (("busType", ""), ("abstractionType", "_rtl")):
        _add(bus, tag, vendor="xilinx.com", library=library, name=f"{kind}{suffix}", version="1.0")
    _add(bus, role)
    maps = _add(bus, "portMaps")
    for port in ports:
        pair = _add(maps, "portMap")
        _add(_add(pair, "logicalPort"), "name", port.logical)
        _add(_add(pair, "physicalPort"), "name", port.name)
    values = _add(bus, "parameters")
    for key, value in parameters.items():
        parameter = _add(values, "parameter")
        _add(parameter, "name", key)
        form = {"format": "long"} if isinstance(value, int) else {}
        _add(parameter, "value", str(value), **form, id=f"BUSIFPARAM_VALUE.{name.upper()}.{key}")


def _buses(parent: Element, design: Design, ports: tuple[Port, ...]) -> None:
    for spec, role in ((design.input, "slave"), (design.output, "master")):
        own = [port for port in ports if port.bus == spec.name]
        last = int(any(port.logical == "TLAST" for port in own))
        parameters: dict[str, str | int] = {"TDATA_NUM_BYTES": spec.tdata_bytes, "HAS_TREADY": 1, "HAS_TLAST": last}
        _bus(parent, spec.name, ("interface", "axis"), role, own, parameters)
    by_name = {port.name: port for port in ports}
    associated = f"{design.input.name}:{design.output.name}"
    _bus(
        parent, CLOCK, ("signal", "clock"), "slave", [by_name[CLOCK]],
        {"ASSOCIATED_BUSIF": associated, "ASSOCIATED_RESET": RESET},
    )  # fmt: skip
    _bus(parent, RESET, ("signal", "reset"), "slave", [by_name[RESET]], {"POLARITY": "ACTIVE_LOW"})


def _views(parent: Element, core: str) -> None:
    for name, display, identifier, model in (
        (_SYNTHESIS, "Synthesis", "synthesis", core),
        (_SIMULATION, "Simulation", "simulation", core),
        (_TESTBENCH, "Test Bench", "simulation.testbench", f"{core}_tb"),
        (_PAGE, "UI Layout", "xgui.ui", ""),
    ):
        view = _add(parent, "view")
        _add(view, "name", name)
        _add(view, "displayName", display)
        _add(view, "envIdentifier", f":vivado.xilinx.com:{identifier}")
        if model:
            _add(view, "language", "SystemVerilog" if name == _TESTBENCH else "Verilog")
            _add(view, "modelName", model)
        _add(_add(view, "fileSetRef"), "localName", f"{name}_view_fileset")


def _ports(parent: Element, ports: tuple[Port, ...]) -> None:
    for port in ports:
        element = _add(parent, "port")
        _add(element, "name", port.name)
        wire = _add(element, "wire")
        _add(wire, "direction", port.direction)
        if port.vector:
            vector = _add(wire, "vector")
            _add(vector, "left", str(port.bits - 1), format="long")
            _add(vector, "right", "0", format="long")
        kind = _add(_add(wire, "wireTypeDefs"), "wireTypeDef")
        _add(kind, "typeName", "wire")
        for view in (_SYNTHESIS, _SIMULATION):
            _add(kind, "viewNameRef", view)


def _file_set(parent: Element, view: str, paths: Sequence[str], *more: str) -> None:
    """Add the files of a view; ``more`` are user file types of each."""
    files = _add(parent, "fileSet")
    _add(files, "name", f"{view}_view_fileset")
    for path in paths:
        element = _add(files, "file")
        _add(element, "name", path)
        suffix = path[path.rindex(".") :]
        if suffix in _FILE_TYPES:
            _add(element, "fileType", _FILE_TYPES[suffix])
        for kind in (*(() if suffix in _FILE_TYPES else (suffix.removeprefix("."),)), *more):
            _add(element, "userFileType", kind)


def _extensions(parent: Element, core: str) -> None:
    extensions = SubElement(_add(parent, "vendorExtensions"), "xilinx:coreExtensions")
    families = SubElement(extensions, "xilinx:supportedFamilies")
    for family in FAMILIES:
        SubElement(families, "xilinx:family", {"xilinx:lifeCycle": "Production"}).text = family
    SubElement(SubElement(extensions, "xilinx:taxonomies"), "xilinx:taxonomy").text = "/UserIP"
    SubElement(extensions, "xilinx:displayName").text = core
    SubElement(extensions, "xilinx:coreRevision").text = "1"


def render_component(design: Design, settings: PackageSettings, files: FileSets, description: str) -> str:
    """Return the text of component.xml.

    Args:
        design: what is packaged.
        settings: name and version.
        files: what belongs to it.
        description: one line for people.
    """
    core, ports = settings.core, core_ports(design)
    root = Element("spirit:component", _NAMESPACES)
    for tag, text in (("vendor", settings.vendor), ("library", settings.library), ("name", core)):
        _add(root, tag, text)
    _add(root, "version", settings.version)
    _buses(_add(root, "busInterfaces"), design, ports)
    model = _add(root, "model")
    _views(_add(model, "views"), core)
    _ports(_add(model, "ports"), ports)
    sets = _add(root, "fileSets")
    _file_set(sets, _SYNTHESIS, files.design)
    _file_set(sets, _SIMULATION, files.design)
    _file_set(sets, _TESTBENCH, files.testbench, "USED_IN_simulation")
    _file_set(sets, _PAGE, [files.page], "XGUI_VERSION_2")
    _add(root, "description", description)
    parameter = _add(_add(root, "parameters"), "parameter")
    _add(parameter, "name", "Component_Name")
    shown = f"{core}_v{settings.version.replace('.', '_')}"
    _add(parameter, "value", shown, resolve="user", id="PARAM_VALUE.Component_Name", order="1")
    _extensions(root, core)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"
