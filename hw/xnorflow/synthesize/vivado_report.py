"""What Vivado found, read from its reports into FINN's files and keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.files import write_json

__all__ = ["NEEDED", "OocReport", "Timing", "check_timing", "read_ooc", "read_timing"]

NEEDED = ("LUT", "FF", "BRAM", "DSP", "WNS")
"""Keys without which FINN's reading of the reports is not whole; it leaves out what it does not find."""
_HEAD = re.compile(r"^\s*WNS\(ns\)\s+TNS\(ns\).*WHS\(ns\)", re.MULTILINE)
_MET, _MISSED = "All user specified timing constraints are met.", "Timing constraints are not met."
_WHS_COLUMN = 4


@dataclass(frozen=True)
class Timing:
    """The head of a timing summary.

    Args:
        wns: worst setup slack in ns, negative where it fails.
        whs: worst hold slack in ns.
        met: Vivado's own verdict, on all clocks and checks.
        path: source and destination of the worst setup path; None where it names none.
    """

    wns: float
    whs: float
    met: bool
    path: tuple[str, str] | None


@dataclass(frozen=True)
class OocReport:
    """A design placed and routed alone.

    Args:
        design: name of its top.
        board: whose chip it was made for.
        part: the chip.
        clock_ns: clock period aimed at.
        finn: content of FINN's ``ooc_synth_and_timing.json``: LUT, FF, DSP, BRAM, WNS, fmax_mhz and so on.
        timing: of the same reports.
        seconds: wall time of the steps that ran.
    """

    design: str
    board: str
    part: str
    clock_ns: float
    finn: dict[str, Any]
    timing: Timing
    seconds: dict[str, float]

    @property
    def path(self) -> str:
        """How the figures were found."""
        return f"routed out of context, Vivado {self.finn['vivado_version']}, {self.part}"

    def save(self, path: Path) -> None:
        """Write FINN's content with what its figures are of; FINN's readers take no notice of further keys."""
        write_json(path, {
            "path": self.path, "design": self.design, "board": self.board, "part": self.part, **self.finn,
            "WHS": self.timing.whs, "met": self.timing.met,
        })  # fmt: skip


def read_timing(path: Path) -> Timing:
    """Read a ``report_timing_summary``.

    Raises:
        SynthesizeError: it is missing, or holds no slack of setup and hold, as where nothing was constrained.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as reason:
        raise _unreadable(path, reason.strerror or str(reason)) from reason
    head = _HEAD.search(text)
    rows = [line.split() for line in text[head.end() :].splitlines()[1:3]] if head else []
    values = rows[-1] if len(rows) == 2 else []
    if len(values) <= _WHS_COLUMN or not all(_is_number(values[column]) for column in (0, _WHS_COLUMN)):
        raise _unreadable(path, "no slack: is there a clock, and a path between registers?")
    if (_MET in text) == (_MISSED in text):
        raise _unreadable(path, "no verdict on the timing constraints")
    path_ends = re.search(r"Slack.*?\n\s*Source:\s*(\S+).*?\n\s*Destination:\s*(\S+)", text, re.DOTALL)
    ends = (path_ends[1], path_ends[2]) if path_ends else None
    return Timing(float(values[0]), float(values[_WHS_COLUMN]), _MET in text, ends)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+\.\d+", text) is not None


def _unreadable(path: Path, found: str) -> SynthesizeError:
    return SynthesizeError(f"report {path}", found, "one of Vivado's usual form", "see the log beside it")


def read_ooc(folder: Path, cycles_per_frame: int) -> tuple[dict[str, Any], Timing]:
    """Read the reports of one design, out of context, with FINN's own readers.

    Args:
        folder: holds ``ooc_utilization.rpt``, ``ooc_timing.rpt``, ``ooc_power.rpt`` and ``ooc_metadata.txt``.
        cycles_per_frame: of the design.

    Returns:
        Content of FINN's ``ooc_synth_and_timing.json`` but for the places of files, and the timing.

    Raises:
        SynthesizeError: a report is missing or does not hold what it should.
    """
    from xnorflow.lower.finn_compat import prepare_finn

    prepare_finn()
    from finn.util.vivado import parse_ooc_synth_results

    timing = read_timing(folder / "ooc_timing.rpt")
    found = parse_ooc_synth_results(folder) or {}
    lacking = [key for key in (*NEEDED, "clk_period_ns", "vivado_version") if key not in found]
    if lacking:
        raise _unreadable(folder / "ooc_utilization.rpt", f"no {' and no '.join(lacking)} in it or the files beside it")
    found["estimated_throughput_fps"] = found["fmax_mhz"] * 1e6 / cycles_per_frame
    return found, timing


def check_timing(timing: Timing, clock_ns: float, where: str, report: Path) -> None:
    """Refuse a design that is too slow for its clock.

    Raises:
        SynthesizeError: naming slack, what clock would do, and the worst path.
    """
    if timing.met and min(timing.wns, timing.whs) >= 0:
        return
    path = f", from {timing.path[0]} to {timing.path[1]}" if timing.path else ""
    if timing.wns >= 0:
        raise SynthesizeError(
            where, f"hold slack {timing.whs:g} ns, setup slack {timing.wns:g} ns at {clock_ns:g} ns: timing not met",
            "none below 0", f"see {report}",
        )  # fmt: skip
    reached = 1000 / (clock_ns - timing.wns)
    raise SynthesizeError(
        where, f"setup slack {timing.wns:g} ns at {clock_ns:g} ns{path}: timing not met",
        f"a clock of at most {reached:.2f} MHz",
        f"give a lower --frequency, or build with a longer --clock-ns; see {report}",
    )  # fmt: skip
