"""What a synthesis found: ``report/yosys_synth_<family>.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xnorflow.artifact.files import write_json
from xnorflow.boards.catalog import Board, Family
from xnorflow.synthesize.budget import budget_of, percent_of
from xnorflow.synthesize.cells import Usage, sum_usage, usage_of
from xnorflow.synthesize.functions import functions_to_json
from xnorflow.synthesize.packing import Packing, sum_packings

__all__ = ["PACKED_LABEL", "NodeCells", "SynthesisReport"]

PATH_LABEL = "yosys, mapped cells, not packed or routed"
PACKED_LABEL = "yosys, packed estimate + carry slots"


@dataclass(frozen=True)
class NodeCells:
    """The netlist of one node.

    Args:
        cells: cell type to count.
        packing: how many LUT sites they take, by estimate.
        seconds: wall time of yosys, shared by equal nodes; 0 when it came from the cache.
    """

    cells: dict[str, int]
    packing: Packing
    seconds: float

    @property
    def usage(self) -> Usage:
        """Resources of these cells."""
        return usage_of(self.cells)

    def to_json(self) -> dict[str, Any]:
        """Return the node's entry in the report."""
        return {**_counts(self.usage, self.packing), "cells": self.cells, "seconds": round(self.seconds, 2)}


@dataclass(frozen=True)
class SynthesisReport:
    """A design mapped to one family.

    Args:
        design: name of the top.
        family: what it was mapped to.
        board: the board that it was made for; its budget counts where ``board.family`` is ``family``.
        yosys: version.
        layers: node name to netlist, in stream order.
        wall_seconds: whole run.
        operators: node name to operator.
    """

    design: str
    family: Family
    board: Board
    yosys: str
    layers: dict[str, NodeCells]
    wall_seconds: float
    operators: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Usage:
        """Resources of all nodes."""
        return sum_usage(layer.usage for layer in self.layers.values())

    @property
    def packing(self) -> Packing:
        """Packing estimate of all nodes; LUTs of different nodes share no site."""
        return sum_packings(layer.packing for layer in self.layers.values())

    @property
    def percent(self) -> dict[str, float] | None:
        """Share of the board's budget in percent; None where the board is of another family."""
        return percent_of(self.total, self.board) if self.board.family is self.family else None

    def to_json(self) -> dict[str, Any]:
        """Return the content of the report."""
        own = self.board.family is self.family
        return {
            "path": PATH_LABEL,
            "design": self.design,
            "family": self.family,
            "board": self.board.name if own else None,
            "part": self.board.part if own else None,
            "yosys": self.yosys,
            "path_packed": PACKED_LABEL,
            "total": _counts(self.total, self.packing),
            "budget": budget_of(self.board) if own else None,
            "percent": self.percent,
            "functions": functions_to_json(self.operators, {name: layer.usage for name, layer in self.layers.items()}),
            "layers": {name: layer.to_json() for name, layer in self.layers.items()},
            "wall_seconds": round(self.wall_seconds, 2),
        }

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_json())


def _counts(usage: Usage, packing: Packing) -> dict[str, Any]:
    """Return mapped cells and, beside them, the LUT sites that they take and the further ones that carries block."""
    return {**usage.to_json(), "packed": packing.packed, "packed_slots": packing.slots}
