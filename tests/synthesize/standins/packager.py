"""Packaging of a block design as an IP, as far as a stand-in follows it."""

from __future__ import annotations

import json
from pathlib import Path

from block_design import COMPONENT, BlockDesign
from tcl_host import MARK, CheckFailed, options_of


class Packager:
    """Commands of ipx.

    Args:
        design: what is packaged.
    """

    def __init__(self, design: BlockDesign) -> None:
        self.design, self.core, self.root = design, "", Path()

    def package(self, *arguments: str) -> str:
        """ipx::package_project: what is written says that it is none of AMD's."""
        options, _ = options_of(arguments, "-import_files")
        if options["-module"] != self.design.name:
            raise CheckFailed(f"module {options['-module']}, but the block design is {self.design.name}")
        vlnv = f"{options['-vendor']}:{options['-library']}:{options['-module']}:1.0"
        folder = Path(options["-root_dir"])
        folder.mkdir()
        (folder / "component.xml").write_text(f"<!-- {MARK} -->\n")
        (folder / COMPONENT).write_text(json.dumps({"mark": MARK, "vlnv": vlnv, **self.design.component()}))
        self.core, self.root = vlnv, folder
        return ""

    def find_core(self, vlnv: str) -> str:
        """ipx::find_open_core."""
        if vlnv != self.core:
            raise CheckFailed(f"no core {vlnv}, but {self.core}")
        return vlnv

    def add_file(self, name: str, group: str) -> str:
        """ipx::add_file."""
        if not (self.root / name).is_file():
            raise CheckFailed(f"no file {self.root / name}")
        return name
