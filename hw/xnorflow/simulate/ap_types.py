"""AMD's integer and stream types for C simulation: ``ap_int.h``, ``hls_stream.h`` and what they include.

They are Apache-licensed, but AMD ships them inside Vitis HLS only. Of what is on the package index, the wheel of hls4ml
carries all of them, unchanged, in three megabytes with four small dependencies; da4ml's lacks ``hls_stream.h``, the
rest is no smaller. It is taken as it is (extra ``hls``), found without being imported, and never copied: Vitis has its
own, and the headers of a machine's Vitis serve as well where ``XNORFLOW_AP_TYPES`` names their folder.
"""

from __future__ import annotations

import os
from importlib import util
from pathlib import Path

from xnorflow.artifact.errors import ToolError

__all__ = ["find_ap_types"]

_NEEDED = ("ap_int.h", "hls_stream.h")
_ALLOWED = "the PyPI package hls4ml 1.3.0, or a folder with ap_int.h and hls_stream.h in XNORFLOW_AP_TYPES"
_FIX = "run `pip install hls4ml==1.3.0`"


def find_ap_types() -> Path:
    """Return the folder of the headers: ``XNORFLOW_AP_TYPES`` if set, else that of hls4ml.

    Raises:
        ToolError: there is none, or a header is missing in it.
    """
    override = os.environ.get("XNORFLOW_AP_TYPES")
    if override:
        return _checked(Path(override), "XNORFLOW_AP_TYPES")
    spec = util.find_spec("hls4ml")  # does not run the package
    if spec is None or not spec.submodule_search_locations:
        raise ToolError("AMD's ap_types headers", "not installed", _ALLOWED, _FIX)
    return _checked(Path(spec.submodule_search_locations[0]) / "templates" / "vivado" / "ap_types", "hls4ml")


def _checked(folder: Path, origin: str) -> Path:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ToolError(f"AMD's ap_types headers by {origin}", f"no {missing[0]} in {folder}", _ALLOWED, _FIX)
    return folder
