"""From yosys's cell types to the resources of a chip."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import SynthesizeError

__all__ = ["FLIP_FLOPS", "Usage", "read_cells", "sum_usage", "usage_of"]

FLIP_FLOPS = ("FDRE", "FDSE", "FDCE", "FDPE", "LDCE", "LDPE")
"""Flip-flops and latches; all take their data at port D."""

# LUTs that serve as memory, by primitive (UG474 and UG574, distributed RAM and shift registers).
_LUTRAM = {
    "RAM16X1S": 1, "RAM16X1D": 2, "RAM32X1S": 1, "RAM32X2S": 2, "RAM32X1D": 2, "RAM32M": 4, "RAM32M16": 8,
    "RAM32X16DR8": 8, "RAM64X1S": 1, "RAM64X1D": 2, "RAM64M": 4, "RAM64M8": 8, "RAM64X8SW": 8,
    "RAM128X1S": 2, "RAM128X1D": 4, "RAM256X1S": 4, "RAM256X1D": 8, "RAM512X1S": 8,
    "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1,
}  # fmt: skip
_LUT = {"INV": 1, "LUT6_2": 1, **{f"LUT{inputs}": 1 for inputs in range(1, 7)}}
_FF = dict.fromkeys(FLIP_FLOPS, 1)
_BRAM36 = {"RAMB18E1": 0.5, "RAMB18E2": 0.5, "RAMB36E1": 1.0, "RAMB36E2": 1.0}
_DSP = {"DSP48E1": 1, "DSP48E2": 1}
_CARRY = {"CARRY4": 1, "CARRY8": 1}
_MUXF = {"MUXF7": 1, "MUXF8": 1, "MUXF9": 1}


@dataclass(frozen=True)
class Usage:
    """Resources of a netlist; mapped cells, so two small LUTs that one physical LUT could hold count twice.

    Args:
        LUT: all LUTs, those that serve as memory included.
        LUTRAM: of these, the ones that serve as memory or shift register.
        FF: flip-flops and latches.
        BRAM36: block RAMs of 36 Kbit; one of 18 Kbit is a half.
        DSP: DSP slices.
        CARRY: carry-chain cells; yosys writes CARRY4 for both families.
        MUXF: the wide multiplexers beside the LUTs.
    """

    LUT: int = 0
    LUTRAM: int = 0
    FF: int = 0
    BRAM36: float = 0.0
    DSP: int = 0
    CARRY: int = 0
    MUXF: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields; the names are the keys of the reports."""
        return asdict(self)


def read_cells(path: Path) -> dict[str, int]:
    """Read cell type to count from what ``stat -json`` wrote.

    Raises:
        SynthesizeError: the file is missing or not such a report.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        return {str(kind): int(count) for kind, count in cells.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise SynthesizeError(f"yosys report {path}", "missing or not a cell count", fix="synthesize again") from reason


def usage_of(cells: Mapping[str, int]) -> Usage:
    """Count resources; cells of no cost (constants, buffers) and unknown ones count nothing."""

    def count(weights: Mapping[str, float]) -> float:
        return sum(number * weights.get(kind, 0) for kind, number in cells.items())

    return Usage(
        LUT=int(count(_LUT) + count(_LUTRAM)),
        LUTRAM=int(count(_LUTRAM)),
        FF=int(count(_FF)),
        BRAM36=float(count(_BRAM36)),
        DSP=int(count(_DSP)),
        CARRY=int(count(_CARRY)),
        MUXF=int(count(_MUXF)),
    )


def sum_usage(parts: Iterable[Usage]) -> Usage:
    """Add up."""
    total: dict[str, Any] = Usage().to_json()
    for part in parts:
        for key, value in part.to_json().items():
            total[key] += value
    return Usage(**total)
