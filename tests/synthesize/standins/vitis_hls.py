"""Stand-in for Vitis HLS: checks what a script asks for against the C++ that it names; notes the interfaces."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from block_design import COMPONENT
from tcl_host import MARK, CheckFailed, Host, options_of
from vivado import BOARD_PARTS

ACCEPTED = ("config_compile", "config_rtl", "config_interface", "set_param", "open_solution")
_ARGUMENT = re.compile(
    r"(?:hls::stream<\s*ap_uint<\s*(\d+)\s*>\s*>\s*&|ap_uint<\s*(\d+)\s*>\s*\*|unsigned int\s)\s*(\w+)"
)
_AXIS = re.compile(r"#pragma HLS INTERFACE axis port=(\w+)")


class VitisHls:
    """Commands of a project."""

    def __init__(self) -> None:
        self.host = Host("vitis_hls")
        self.project = self.top = self.part = self.source_text = ""
        self.clock = 0.0
        self.source, self.flags = Path(), [""]
        for name in ACCEPTED:
            self.host.add(name, lambda *arguments: "")
        for name, command in {
            "open_project": self._open_project, "add_files": self._add_files, "set_top": self._set_top,
            "set_part": self._set_part, "create_clock": self._create_clock, "csynth_design": self._synthesize,
            "export_design": self._export,
        }.items():  # fmt: skip
            self.host.add(name, command)

    def run(self, script: Path) -> int:
        """Run a script."""
        code = self.host.run(script)
        self.host.record |= {"top": self.top, "part": self.part, "clock": self.clock, "flags": self.flags}
        self.host.save()
        return code

    def _open_project(self, name: str) -> str:
        self.project = name
        return ""

    def _add_files(self, *arguments: str) -> str:
        options, (name,) = options_of(arguments)
        self.source, self.flags = Path(name), options["-cflags"].split()
        if not self.source.is_file():
            raise CheckFailed(f"no file {self.source}")
        self.source_text = self.source.read_text(encoding="utf-8")
        for flag in self.flags:
            folder = flag.removeprefix("-I")
            if flag.startswith("-I") and "attention" not in flag and not Path(folder).is_dir():
                raise CheckFailed(f"no folder {folder}")
        return ""

    def _set_top(self, name: str) -> str:
        if not re.search(rf"\bvoid\s+{name}\s*\(", self.source_text):
            raise CheckFailed(f"{self.source.name} has no function {name}")
        self.top = name
        return ""

    def _set_part(self, name: str) -> str:
        if name not in BOARD_PARTS.values():
            raise CheckFailed(f"part {name} is none of the boards'")
        self.part = name
        return ""

    def _create_clock(self, *arguments: str) -> str:
        options, _ = options_of(arguments)
        self.clock = float(options["-period"])
        return ""

    def _synthesize(self) -> str:
        """Compile, where the types are given; what a compiler refuses Vitis HLS refuses, too, and says so like this."""
        types = os.environ.get("STANDIN_AP_TYPES")
        if types:
            command = ["g++", "-fsyntax-only", "-w", *self.flags, f"-I{types}", str(self.source)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            error = re.search(r"^(\S+?):(\d+):(\d+): (?:fatal )?error: (.*)$", done.stderr, re.MULTILINE)
            if error:
                raise CheckFailed(f"ERROR: [HLS 207-3776] {error[4]} ({error[1]}:{error[2]}:{error[3]})")
        self.host.record["compiled"] = bool(types)
        return ""

    def _interfaces(self) -> dict[str, dict[str, Any]]:
        head = re.search(rf"\bvoid\s+{self.top}\s*\((.*?)\)\s*\{{", self.source_text, re.DOTALL)
        if head is None:
            raise CheckFailed(f"the arguments of {self.top} cannot be read")
        streams, found = set(_AXIS.findall(self.source_text)), {}
        for stream_bits, memory_bits, name in _ARGUMENT.findall(head[1]):
            if stream_bits:
                if name not in streams:
                    raise CheckFailed(f"{name} of {self.top} has no axis interface")
                bits = -(-int(stream_bits) // 8) * 8
                found[name] = {"kind": "axis", "master": name.startswith("out"), "bits": bits}
            elif memory_bits:
                if f"m_axi offset=slave port={name}" not in self.source_text:
                    raise CheckFailed(f"{name} of {self.top} has no m_axi interface")
                found["m_axi_gmem"] = {"kind": "aximm", "master": True, "bits": int(memory_bits)}
        if "s_axilite port=return" in self.source_text:
            found["s_axi_control"] = {"kind": "axilite", "master": False, "bits": 32}
        elif "ap_ctrl_none port=return" not in self.source_text:
            raise CheckFailed(f"{self.top} says nothing of how it is started")
        return found

    def _export(self, *arguments: str) -> str:
        options, _ = options_of(arguments)
        if options["-format"] != "ip_catalog" or not (self.top and self.part and self.clock):
            raise CheckFailed(f"top {self.top!r}, part {self.part!r}, clock {self.clock}")
        interfaces = self._interfaces()
        folder = Path(self.project) / "sol1" / "impl" / "ip"
        folder.mkdir(parents=True, exist_ok=True)
        pins = {name: {"direction": "input", "bits": 1} for name in ("ap_clk", "ap_rst_n")}
        content = {"mark": MARK, "vlnv": f"xilinx.com:hls:{self.top}:1.0", "pins": pins, "interfaces": interfaces}
        (folder / COMPONENT).write_text(json.dumps(content))
        self.host.record["interfaces"] = interfaces
        return ""


def main() -> int:
    """Do as ``vitis_hls SCRIPT`` would be told to."""
    if len(sys.argv) != 2:
        print(f"ERROR: [vitis_hls] {MARK}: arguments {sys.argv[1:]}")
        return 1
    return VitisHls().run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
