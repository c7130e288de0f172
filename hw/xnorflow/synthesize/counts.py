"""What is kept of a netlist: its cells by type and its packing estimate, a few hundred bytes of JSON."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import write_json
from xnorflow.synthesize import netlist, packing, pairing
from xnorflow.synthesize.cells import read_cells
from xnorflow.synthesize.netlist import read_netlist
from xnorflow.synthesize.packing import Packing, estimate_packing

__all__ = ["count_netlist", "counting_rules", "read_counts"]


@cache
def counting_rules() -> str:
    """Return what the estimates depend on beside the netlist: the text of the modules that make them."""
    files = [module.__file__ for module in (netlist, packing, pairing)]
    return "\n".join(Path(file).read_text(encoding="utf-8") for file in files if file)


def count_netlist(folder: Path, stem: str, top: str) -> Path:
    """Turn what yosys wrote into ``<stem>.json`` and delete it, for a netlist has up to a kilobyte a cell.

    Args:
        folder: with ``<stem>.stat`` and ``<stem>.netlist``.
        stem: of these names.
        top: the module.

    Raises:
        SynthesizeError: a file is missing or not what yosys writes.
    """
    stat, mapped, report = (folder / f"{stem}.{suffix}" for suffix in ("stat", "netlist", "json"))
    cells = read_cells(stat)
    estimate = estimate_packing(read_netlist(mapped, top))
    stat.unlink()
    mapped.unlink()
    write_json(report, {"cells": cells, "packing": estimate.to_json()})
    return report


def read_counts(path: Path) -> tuple[dict[str, int], Packing]:
    """Read what :func:`count_netlist` wrote.

    Raises:
        SynthesizeError: the file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = {str(kind): int(count) for kind, count in content["cells"].items()}
        return cells, Packing.from_json(content["packing"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise SynthesizeError(f"counts {path}", "missing or damaged", fix="synthesize again") from reason
