"""Whether what simulates a design is there: found out before anything long runs."""

from __future__ import annotations

from xnorflow.artifact.design import Design
from xnorflow.flow.folders import Folders
from xnorflow.lower.config import Backend, BuildSettings

__all__ = ["check_for_design", "check_for_settings"]


def check_for_settings(settings: BuildSettings) -> None:
    """Find out whether what these settings build can be simulated here.

    Raises:
        ToolError: Verilator, the compiler or AMD's headers are missing.
        ConfigError: the folding file cannot be read.
    """
    from xnorflow.lower.styles import has_hls

    _check(rtl=settings.backend is not Backend.HLS, cpp=has_hls(settings))


def check_for_design(folders: Folders) -> None:
    """Find out whether the design of a run or build can be simulated here.

    Raises:
        ToolError: Verilator, the compiler or AMD's headers are missing.
        InputModelError: the design's description is damaged.
    """
    in_hls = folders.hls_design.is_file()
    mixed = folders.design.is_file() and bool(Design.load(folders.design).hls_nodes)
    _check(rtl=not in_hls, cpp=in_hls or mixed)


def _check(*, rtl: bool, cpp: bool) -> None:
    from xnorflow.simulate.ap_types import find_ap_types
    from xnorflow.simulate.tools import find_compiler, find_verilator

    if rtl:
        find_verilator()
    if cpp:
        find_ap_types()
    find_compiler()
