"""What place and route found: ``report/ecp5_route.json``."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import write_json
from xnorflow.boards.ecp5_catalog import Ecp5Board

__all__ = ["Amount", "CriticalPath", "RouteReport", "Routed", "read_routed", "read_utilization"]

# nextpnr's kinds of sites to the names in use here; a TRELLIS_COMB is one LUT4: logic, in a carry chain or memory.
_SITES = {"TRELLIS_COMB": "LUT4", "TRELLIS_FF": "FF", "DP16KD": "DP16KD", "MULT18X18D": "MULT18"}


@dataclass(frozen=True)
class Amount:
    """Sites of one kind: those in use, and all of the device."""

    used: int
    available: int

    @property
    def percent(self) -> float:
        """Share in use, in percent."""
        return 100 * self.used / self.available if self.available else 0.0


@dataclass(frozen=True)
class CriticalPath:
    """The path between registers that limits the clock.

    Args:
        start: register or memory that it starts at.
        end: register or memory that it ends at.
        logic_ns: what cells take of it, clock-to-output and setup included.
        routing_ns: what wires take of it.
        levels: LUTs and carry cells between the two.
    """

    start: str
    end: str
    logic_ns: float
    routing_ns: float
    levels: int


@dataclass(frozen=True)
class Routed:
    """nextpnr's own report.

    Args:
        fmax_mhz: of the clock; None where no path goes from register to register.
        amounts: by LUT4, FF, DP16KD and MULT18.
        critical_path: the one that gives ``fmax_mhz``.
    """

    fmax_mhz: float | None
    amounts: dict[str, Amount]
    critical_path: CriticalPath | None


@dataclass(frozen=True)
class RouteReport:
    """A design, or a unit of it, placed and routed.

    Args:
        design: name of the accelerator.
        node: the unit that was routed alone, out of context; None: the whole design with its serial line and pins.
        board: device, package, speed grade.
        clock_mhz: clock aimed at; the one that runs on the board where ``node`` is None.
        baud: of the serial line; None without one.
        frames_per_second: what the accelerator does at ``clock_mhz``, and what the serial line carries.
        seed: of the placement.
        routed: what nextpnr found.
        bitstream: its path below the build folder; None without one.
        tools: tool to version.
        seconds: tool to wall time.
    """

    design: str
    node: str | None
    board: Ecp5Board
    clock_mhz: float
    baud: int | None
    frames_per_second: dict[str, float]
    seed: int
    routed: Routed
    bitstream: str | None
    tools: dict[str, str]
    seconds: dict[str, float]

    @property
    def path(self) -> str:
        """Where the numbers are from, in words."""
        alone = ", unit alone" if self.node else ""
        return f"routed, nextpnr-ecp5, {self.board.part}{alone}"

    @property
    def met(self) -> bool:
        """Whether the design is as fast as was aimed at."""
        return self.routed.fmax_mhz is None or self.routed.fmax_mhz >= self.clock_mhz

    def to_json(self) -> dict[str, Any]:
        """Return the content of the report."""
        amounts, path = self.routed.amounts, self.routed.critical_path
        return {
            "path": self.path,
            "design": self.design,
            "node": self.node,
            "board": self.board.name,
            "device": self.board.device,
            "package": self.board.package,
            "speed_grade": self.board.speed,
            "clock_mhz": self.clock_mhz,
            "fmax_mhz": self.routed.fmax_mhz,
            "met": self.met,
            "seed": self.seed,
            "used": {name: amount.used for name, amount in amounts.items()},
            "available": {name: amount.available for name, amount in amounts.items()},
            "percent": {name: round(amount.percent, 1) for name, amount in amounts.items()},
            "critical_path": asdict(path) if path else None,
            "baud": self.baud,
            "frames_per_second": self.frames_per_second,
            "bitstream": self.bitstream,
            "tools": self.tools,
            "seconds": {tool: round(seconds, 1) for tool, seconds in self.seconds.items()},
        }

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_json())


def read_utilization(log: str) -> dict[str, Amount]:
    """Read the table of sites that nextpnr prints before it places, by our names; empty without one."""
    rows = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", log, re.MULTILINE)
    return {_SITES[site]: Amount(int(used), int(available)) for site, used, available in rows if site in _SITES}


def read_routed(path: Path) -> Routed:
    """Read what ``nextpnr-ecp5 --report`` wrote.

    Raises:
        SynthesizeError: the file is missing or not such a report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sites = content["utilization"]
        amounts = {
            name: Amount(int(sites[site]["used"]), int(sites[site]["available"])) for site, name in _SITES.items()
        }
        clocks = {str(name): float(clock["achieved"]) for name, clock in content["fmax"].items()}
        slowest = min(clocks, key=lambda name: clocks[name], default=None)
        if slowest is None:
            return Routed(None, amounts, None)
        return Routed(round(clocks[slowest], 2), amounts, _path_of(slowest, content["critical_paths"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
        raise SynthesizeError(f"nextpnr report {path}", "missing or not a report", fix="synthesize again") from reason


def _path_of(clock: str, paths: list[dict[str, Any]]) -> CriticalPath | None:
    """Return the path between registers of ``clock``."""
    ends = f"posedge {clock}"
    for path in paths:
        if path["from"] == path["to"] == ends and path["path"]:
            steps = path["path"]
            routing = sum(float(step["delay"]) for step in steps if step["type"] == "routing")
            logic = sum(float(step["delay"]) for step in steps if step["type"] != "routing")
            levels = sum(step["type"] == "logic" for step in steps)
            start, end = (_register_of(point["cell"]) for point in (steps[0]["from"], steps[-1]["to"]))
            return CriticalPath(start, end, round(logic, 2), round(routing, 2), levels)
    return None


def _register_of(cell: str) -> str:
    """Return the name that the source has for what yosys calls e.g. ``u_unit.sum_TRELLIS_FF_Q_3_DI_LUT4_Z``."""
    return re.sub(r"_(TRELLIS_FF|TRELLIS_DPR16X4|DP16KD|LUT4|CCU2C)_.*", "", cell)
