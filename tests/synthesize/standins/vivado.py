"""Stand-in for Vivado: runs the Tcl of a batch script and checks what it names; tcl_host.py says how it ends."""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from block_design import BlockDesign, read_component
from known import ACCEPTED, BOARD_PARTS, NOT_DONE
from packager import Packager
from tcl_host import CHECKED_NOT_RUN, MARK, CheckFailed, Host, Stop, options_of
from verilog import defined_modules, module_ports


class Vivado:
    """Commands of the project, and of designs out of context."""

    def __init__(self) -> None:
        self.host = Host("vivado")
        self.record = self.host.record
        self.unchecked: list[str] = []
        self.not_done: list[list[str]] = []
        self.files: list[Path] = []
        self.modules: dict[str, Path] = {}
        self.properties: dict[str, str] = {}
        self.part = self.board_part = ""
        self.catalog: dict[str, dict[str, Any]] = {}
        self.design = BlockDesign(self.modules, self.catalog, self.unchecked)
        self.packager = Packager(self.design)
        self.constraints: list[Path] = []
        self.clocks: dict[str, float] = {}
        self._add_commands()

    def run(self, script: Path) -> int:
        """Run a script, and keep what it asked for."""
        code = self.host.run(script)
        if code == 0 and self.not_done:
            code = 3
        self.record |= {
            "code": code, "part": self.part, "board_part": self.board_part, "files": [str(path) for path in self.files],
            "cells": {name: cell.kind for name, cell in self.design.cells.items()}, "nets": self.design.nets,
            "ports": sorted(self.design.ports), "interfaces": self.design.interface_ports, "clocks": self.clocks,
            "addresses": {space: {one.segment: [one.offset, one.size] for one in mapped}
                          for space, mapped in self.design.addresses.maps.items()},
            "config": {name: cell.config for name, cell in self.design.cells.items() if cell.config},
            "frequency_hz": self.design.frequency_hz, "unchecked": self.unchecked, "not_done": self.not_done,
        }  # fmt: skip
        self.host.save()
        return code

    def _add_commands(self) -> None:
        design, add = self.design, self.host.add
        for name in NOT_DONE:
            add(name, lambda *arguments, name=name: self._not_done(name, arguments))
        for name in ACCEPTED:
            add(name, lambda *arguments: "")
        for kind in ("cells", "pins", "ports", "intf_pins", "intf_ports"):
            add(f"get_bd_{kind}", lambda *arguments, kind=kind: self._get_bd(kind, arguments))
        for name, command in {
            "create_project": self._create_project, "current_project": lambda: "project", "add_files": self._add_files,
            "set_property": self._set_property, "get_property": self._get_property, "get_param": lambda name: "",
            "update_ip_catalog": self._update_catalog, "current_fileset": lambda: "sources_1",
            "get_filesets": lambda name: name, "get_files": self._get_files, "get_runs": lambda name: name,
            "create_bd_design": design.create, "create_bd_cell": design.create_cell,
            "make_bd_pins_external": design.make_pins_external,
            "make_bd_intf_pins_external": design.make_interfaces_external, "connect_bd_net": design.connect,
            "connect_bd_intf_net": design.connect_interfaces, "validate_bd_design": design.validate,
            "make_wrapper": self._make_wrapper, "get_bd_addr_segs": design.addresses.get_segments,
            "get_bd_addr_spaces": design.addresses.get_spaces, "assign_bd_address": design.addresses.assign,
            "exclude_bd_addr_seg": design.addresses.exclude, "get_ipdefs": self._get_ipdefs,
            "apply_bd_automation": self._automate, "get_board_parts": self._get_board_parts,
            "open_project": self._open_project,
            "get_bd_intf_nets": self._open("get_bd_intf_nets"),
            "version": lambda option: MARK, "read_verilog": self._read_verilog, "read_mem": self._read_mem,
            "read_xdc": self._read_xdc, "get_ports": self._get_ports, "create_clock": self._create_clock,
            "open_checkpoint": self._open_checkpoint, "ipx::package_project": self.packager.package,
            "ipx::current_core": lambda: self.packager.core, "ipx::find_open_core": self.packager.find_core,
            "ipx::add_file": self.packager.add_file, "ipx::add_file_group": lambda *arguments: arguments[-1],
        }.items():  # fmt: skip
            add(name, command)
        for name in ("create_xgui_files", "get_bus_parameters", "get_bus_interfaces", "get_file_groups", "get_files",
                     "update_checksums", "save_core", "get_address_spaces", "remove_segment", "add_memory_map",
                     "add_address_block"):  # fmt: skip
            add(f"ipx::{name}", self._open(f"ipx::{name}"))

    def _open(self, name: str) -> Any:
        def accept(*arguments: str) -> str:
            self.unchecked.append(f"{name} {' '.join(arguments)}"[:120])
            return ""

        return accept

    def _not_done(self, name: str, arguments: tuple[str, ...]) -> str:
        if name == "synth_design":
            self._check_synthesis(arguments)
        self.not_done.append([name, *arguments])
        return ""

    # Projects

    def _create_project(self, *arguments: str) -> str:
        options, (name, folder) = options_of(arguments, "-force")
        if options["-part"] not in BOARD_PARTS.values():
            raise CheckFailed(f"part {options['-part']} is none of the boards'")
        if not Path(folder).is_dir():
            raise CheckFailed(f"no folder {folder}")
        self.part = options["-part"]
        (Path(folder) / f"{name}.xpr").write_text(f"<!-- {MARK} -->\n")
        return ""

    def _open_project(self, name: str) -> str:
        if not Path(name).is_file():
            raise CheckFailed(f"no project {name}")
        return ""

    def _get_board_parts(self, *arguments: str) -> list[str]:
        _, (pattern,) = options_of(arguments, "-quiet")
        return fnmatch.filter(BOARD_PARTS, pattern)

    def _automate(self, *arguments: str) -> str:
        if not self.board_part:
            raise CheckFailed("a board's preset, but the project has no board")
        return self.design.automate(*arguments)

    def _add_files(self, *arguments: str) -> str:
        _, names = options_of(arguments, "-norecurse")
        for name in names:
            self._add(Path(name))
        return ""

    def _add(self, path: Path) -> None:
        if not path.is_file():
            raise CheckFailed(f"no file {path}")
        if path not in self.files:
            self.files.append(path)
            text = path.read_text(encoding="utf-8")
            self.modules |= dict.fromkeys(defined_modules(text), path)
            for name in re.findall(r'"([^"\n]+)"', text):
                if name.startswith("/") and not list(Path(name).parent.glob(f"{Path(name).name}*")):
                    raise CheckFailed(f"{path.name} names {name}, which does not exist")

    def _set_property(self, *arguments: str) -> str:
        options, others = options_of(arguments)
        if "-dict" in options and others[0] in self.design.cells:
            words = self.host.split(options["-dict"])
            pairs = zip(words[::2], words[1::2], strict=True)
            self.design.configure(others[0], {key.removeprefix("CONFIG."): value for key, value in pairs})
        if "-dict" in options or "-name" in options:
            return ""
        key, value, target = others
        if key == "name":
            self.design.rename(target, value)
        elif key == "ip_repo_paths":
            for folder in self.host.split(value):
                if not Path(folder).is_dir():
                    raise CheckFailed(f"no IP repository {folder}")
        elif key == "board_part":
            self._set_board(value)
        elif key == "top" and value.removesuffix("_wrapper") != self.design.name:
            raise CheckFailed(f"top {value}, but the block design is {self.design.name}")
        elif key == "CONFIG.FREQ_HZ":
            self.design.frequency_hz = value
        self.properties[f"{key} of {target}"] = value
        return ""

    def _set_board(self, name: str) -> None:
        if name not in BOARD_PARTS:
            raise CheckFailed(f"[Board 49-71] The board_part definition was not found for {name}.")
        if BOARD_PARTS[name] != self.part:
            raise CheckFailed(f"board {name} has a {BOARD_PARTS[name]}, the project is for {self.part}")
        self.board_part = name

    def _get_property(self, *arguments: str) -> str:
        _, (key, target) = options_of(arguments, "-quiet")
        if key in ("BOARD_PART_REPO_PATHS", "ip_repo_paths"):
            return self.properties.get(f"{key} of {target}", "")
        if key == "VLNV":
            return target
        if key == "PROGRESS":
            raise Stop(CHECKED_NOT_RUN, f"{target} was not run; what follows was not looked at")
        self.unchecked.append(f"{key} of {target}")
        return {"CONFIG.ADDR_WIDTH": "6"}.get(key, "")

    def _update_catalog(self, *arguments: str) -> str:
        for folder in self.host.split(self.properties.get("ip_repo_paths of project", "")):
            self.catalog |= read_component(Path(folder))
        return ""

    def _get_ipdefs(self, *arguments: str) -> str:
        options, names = options_of(arguments, "-all")
        if names:
            return names[0].replace("*", "0")
        return "xilinx.com:ip:" + options["-filter"].split()[-1] + ":0"

    def _get_files(self, *arguments: str) -> Any:
        _, names = options_of(arguments)
        if names and Path(names[0]).suffix == ".bd":
            if Path(names[0]).stem != self.design.name:
                raise CheckFailed(f"no block design {names[0]}")
            return names[0]
        return [str(path) for path in self.files]

    def _get_bd(self, kind: str, arguments: tuple[str, ...]) -> Any:
        options, names = options_of(arguments, "-quiet")
        if options.get("-filter") == "CONFIG.PROTOCOL==AXI4LITE":
            return [name for name, port in self.design.interface_ports.items() if port["kind"] == "axilite"]
        if "-of_objects" in options or "-of" in options or not names:
            self.unchecked.append(f"get_bd_{kind} {' '.join(arguments)}"[:120])
            return ""
        return self.design.find(kind, names)

    def _make_wrapper(self, *arguments: str) -> str:
        options, _ = options_of(arguments, "-top", "-import")
        path = Path(options["-files"])
        folder = path.parent / "hdl"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{path.stem}_wrapper"
        (folder / f"{name}.v").write_text(f"// {MARK}\nmodule {name} ();\nendmodule\n")
        return ""

    # Designs without a project

    def _read_verilog(self, *arguments: str) -> str:
        _, names = options_of(arguments, "-sv")
        for name in names:
            self._add(Path(name))
        return ""

    def _read_mem(self, name: str) -> str:
        words = Path(name).read_text(encoding="utf-8").split() if Path(name).is_file() else []
        if not words or not all(re.fullmatch(r"[0-9a-fA-F]+", word) for word in words):
            raise CheckFailed(f"{name} is no memory file of hexadecimal words")
        self.files.append(Path(name))
        return ""

    def _read_xdc(self, *arguments: str) -> str:
        _, names = options_of(arguments)
        lacking = [name for name in names if not Path(name).is_file()]
        if lacking:
            raise CheckFailed(f"no file {lacking[0]}")
        self.constraints += [Path(name) for name in names]
        return ""

    def _check_synthesis(self, arguments: tuple[str, ...]) -> None:
        options, _ = options_of(arguments)
        if options["-part"] not in BOARD_PARTS.values():
            raise CheckFailed(f"part {options['-part']} is none of the boards'")
        if options["-top"] not in self.modules:
            raise CheckFailed(f"no module {options['-top']} was read")
        self.part, self.top = options["-part"], module_ports(self.modules[options["-top"]], options["-top"])
        for path in self.constraints:
            self.host.source(path)
        if not self.clocks:
            raise CheckFailed("no clock")

    def _get_ports(self, name: str) -> str:
        if name not in self.top or self.top[name].direction != "input" or self.top[name].bits != 1:
            raise CheckFailed(f"no input {name} of one bit: {sorted(self.top)}")
        return name

    def _create_clock(self, *arguments: str) -> str:
        options, (port,) = options_of(arguments)
        self.clocks[port] = float(options["-period"])
        return ""

    def _open_checkpoint(self, name: str) -> str:
        self.not_done.append(["open_checkpoint", name])
        return ""


def main() -> int:
    """Do as ``vivado -version`` or ``vivado -mode batch -source SCRIPT`` would be told to."""
    if sys.argv[1:] == ["-version"]:
        print(f"vivado v{os.environ.get('STANDIN_VERSION', '2022.2')} (64-bit)\n{MARK}")
        return 0
    end = sys.argv.index("-tclargs") if "-tclargs" in sys.argv else len(sys.argv)
    options, others = options_of(tuple(sys.argv[1:end]), "-nojournal")
    if others or options["-mode"] != "batch":
        print(f"ERROR: [vivado] {MARK}: arguments {sys.argv[1:]}")
        return 1
    return Vivado().run(Path(options["-source"]))


if __name__ == "__main__":
    sys.exit(main())
