"""A flat netlist as yosys writes it (``write_json``)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import SynthesizeError

__all__ = ["Bit", "Cell", "Netlist", "read_netlist"]

Bit = int | str
"""Number of a net, or a constant: "0", "1", "x", "z"."""


@dataclass(frozen=True)
class Cell:
    """An instance of a primitive.

    Args:
        kind: its type, e.g. ``LUT6``.
        inputs: input port to bits, least significant first.
        outputs: output port to bits.
    """

    kind: str
    inputs: dict[str, list[Bit]]
    outputs: dict[str, list[Bit]]


@dataclass(frozen=True)
class Netlist:
    """Primitives and what leaves the module.

    Args:
        cells: in the order of the file.
        leaving: nets on output ports of the module.
    """

    cells: list[Cell]
    leaving: list[Bit]

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Cell type to count."""
        return dict(sorted(Counter(cell.kind for cell in self.cells).items()))


def read_netlist(path: Path, top: str) -> Netlist:
    """Read module ``top``.

    Raises:
        SynthesizeError: the file is missing or no such netlist, or holds processes or memories, or cells whose ports
            have no directions.
    """
    try:
        module = json.loads(path.read_text(encoding="utf-8"))["modules"][top]
        cells = [_cell(cell) for cell in module["cells"].values() if cell["type"] != "$scopeinfo"]
        ports = [port["bits"] for port in module["ports"].values() if port["direction"] != "input"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise SynthesizeError(
            f"netlist {path}", f"missing, or no netlist of module {top}", "what yosys's write_json writes",
            "synthesize again",
        ) from reason  # fmt: skip
    return Netlist(cells, [bit for bits in ports for bit in bits])


def _cell(content: dict[str, Any]) -> Cell:
    directions, connections = content["port_directions"], content["connections"]
    sides: dict[bool, dict[str, list[Bit]]] = {True: {}, False: {}}
    for port, bits in connections.items():
        sides[directions[port] == "input"][port] = bits
    return Cell(content["type"], sides[True], sides[False])
