"""All rows of the benchmark, in the order of the table."""

from __future__ import annotations

from fnmatch import fnmatchcase

from xnorflow.artifact.errors import ConfigError
from xnorflow.bench.designs import DesignParameters, Figure, design_row
from xnorflow.bench.integer import integer_row
from xnorflow.bench.networks import build_row, simulation_row
from xnorflow.bench.routed import routed_row
from xnorflow.bench.row import Goal, Peer, Row
from xnorflow.bench.unit import UnitParameters, count_row, unit_row

__all__ = ["ROWS", "find_rows"]

_FINN_UNIT = "FINN's matrix-vector unit by Vivado on UltraScale+, arXiv 2201.11409"
_EXAMPLES = "finn-examples on a Pynq-Z1 board at 100 MHz"
_FIRST = "the first measurement of this row, beside other work on both processors"
_FINN_PAPER = "FINN on a ZC706 at 200 MHz, arXiv 1612.07119"
_WIDE = UnitParameters(mw=1024, mh=64, pe=64, simd=64)
_NARROW = UnitParameters(mw=1024, mh=64, pe=16, simd=64)
_FOLDED = UnitParameters(mw=576, mh=64, pe=16, simd=576, weight_style="distributed")
_UNROLLED = UnitParameters(mw=256, mh=64, pe=64, simd=256, weight_style="distributed")
_ECP5 = UnitParameters(mw=576, mh=64, pe=16, simd=64)

_TFC_UNROLLED = DesignParameters("TFC_1W1A", (("target_cycles", 1),), 1000)
_TFC_FAST = DesignParameters("TFC_1W1A", (("target_cycles", 12),), 1000)
_SFC = DesignParameters("SFC_1W1A", (("target_cycles", 16),), 1000)
_SFC_EARLY = DesignParameters("SFC_1W1A", (("target_cycles", 16), ("minimize", "latency"), ("fill", {"LUT": 70})), 1000)
_CNV_FAST = DesignParameters("CNV_1W1A", (("budget", {"LUT": 48_000, "BRAM36": 140}),))
_CNV_SMALL = DesignParameters("CNV_1W1A", (("target_fps", 3_051),))

_UNITS = (
    Row(
        "unit_pe64_simd64",
        "LUT per binary MAC, whole unit with control and thresholds, weights in BRAM, PE=64, SIMD=64, xc7",
        Peer("3.03, RTL and HLS", _FINN_UNIT),
        Goal("<= 1.25"),
        unit_row(_WIDE),
    ),
    Row(
        "unit_pe16_simd64",
        "LUT per binary MAC, the same unit with PE=16, SIMD=64",
        Peer("2.7 HLS, 3.7 RTL", _FINN_UNIT),
        Goal("<= 1.4"),
        unit_row(_NARROW),
    ),
    Row(
        "constants_count",
        "LUT per binary MAC, weights folded at most 4 deep as constants, N=576: count and weight memory",
        Peer("1.57, plain code with unfolded constants", "yosys, packed"),
        Goal("<= 0.75"),
        count_row(_FOLDED),
    ),
    Row(
        "constants_unit",
        "LUT per binary MAC, weights folded at most 4 deep as constants, N=576: whole unit",
        Peer("1.57, plain code with unfolded constants", "yosys, packed"),
        Goal("<= 0.95"),
        unit_row(_FOLDED),
    ),
    Row(
        "unrolled_256x64",
        "LUT per binary MAC, fully unrolled constants with thresholds, 256 x 64",
        Peer("0.50 by column compression, 0.51 by shared sums of three inputs", "yosys, packed, without thresholds"),
        Goal("<= 0.40"),
        unit_row(_UNROLLED),
    ),
)

_DESIGNS = (
    Row(
        "tfc_unrolled",
        "LUT of TFC_1W1A fully unrolled, a frame a cycle (100 M frames/s at 100 MHz inside the fabric), xc7z020",
        Peer("58,192", "LUTNet's unrolled MNIST network, its README"),
        Goal("<= 25,000"),
        design_row(_TFC_UNROLLED, Figure.LUTS),
    ),
    Row(
        "cnv_frames",
        "frames/s of CNV_1W1A on xc7z020 at 100 MHz, simulated, at most 53,200 LUT and 140 BRAM36 as mapped",
        Peer("3,020", _EXAMPLES),
        Goal(">= 30,000, then 50,000"),
        design_row(_CNV_FAST, Figure.FRAMES),
    ),
    Row(
        "cnv_luts",
        "LUT of CNV_1W1A at 3,051 frames/s",
        Peer("20,600 to 26,000", "explorations of FINN's CNV, BNN-PYNQ's README"),
        Goal("<= 8,000"),
        design_row(_CNV_SMALL, Figure.LUTS),
    ),
    Row(
        "tfc_frames",
        "frames/s of TFC_1W1A at 100 MHz, packed input of 98 bytes",
        Peer("837,019 with an input of 784 bytes", _EXAMPLES),
        Goal(">= 8,000,000"),
        design_row(_TFC_FAST, Figure.FRAMES),
    ),
    Row(
        "sfc_luts",
        "LUT of SFC_1W1A at 16 cycles a frame (12.4 M frames/s at 200 MHz)",
        Peer("91,131", _FINN_PAPER),
        Goal("<= 30,000"),
        design_row(_SFC, Figure.LUTS),
    ),
    Row(
        "sfc_latency",
        "cycles to the first result of SFC_1W1A at 16 cycles a frame, folded for latency in 70 % of an xc7z020",
        Peer("62 (0.31 us)", _FINN_PAPER),
        Goal("<= 40"),
        design_row(_SFC_EARLY, Figure.LATENCY),
        reason="four layers whose sums and thresholds take 8 to 10 cycles each, and two that wait for the one before",
    ),
    Row(
        "ecp5_fmax",
        "MHz of the PE=16, SIMD=64 unit, routed on an ECP5 of speed grade 8 (LFE5UM5G-85F)",
        Peer("54 on speed grade 6, plain code without pipeline", "nextpnr-ecp5"),
        Goal(">= 180"),
        routed_row(_ECP5, ratio=False),
    ),
    Row(
        "ecp5_ratio",
        "routed MHz of that unit over the same unit in plain behavioral code, same chip",
        Peer("1, plain code", "nextpnr-ecp5"),
        Goal(">= 3"),
        routed_row(_ECP5, ratio=True),
        reason="wires are 70 % of the longest path, and placements of one netlist came to 248 and 286 MHz",
    ),
)

_SPEEDS = (
    Row(
        "simulation_cycles",
        "cycles/s of CNV_1W1A at 8,100 cycles a frame in Verilator, 2 processes",
        Peer("173,466", _FIRST),
        Goal(">= 867,000, five times the first measurement"),
        simulation_row("CNV_1W1A", 768, 8100, frames_a_second=False),
    ),
    Row(
        "simulation_frames",
        "frames/s of CNV_1W1A at 8,100 cycles a frame in Verilator, 2 processes",
        Peer("21.1", _FIRST),
        Goal(">= 105, five times the first measurement"),
        simulation_row("CNV_1W1A", 768, 8100, frames_a_second=True),
    ),
    Row(
        "integer_tfc",
        "images/s of TFC_1W1A's integer.onnx",
        Peer("19", "QONNX execution"),
        Goal(">= 100,000"),
        integer_row("TFC_1W1A", 65_536, (64, 256, 1024, 4096, 16384), (1, 2)),
    ),
    Row(
        "integer_cnv",
        "images/s of CNV_1W1A's integer.onnx",
        Peer("-"),
        Goal(">= 300"),
        integer_row("CNV_1W1A", 512, (1, 4, 16, 64, 256), (1, 2)),
    ),
    Row(
        "cnv_minutes",
        "minutes from QONNX to a simulated and synthesized CNV_1W1A on 2 cores",
        Peer("hours", "the same with Vivado"),
        Goal("<= 10"),
        build_row("CNV_1W1A"),
    ),
)

ROWS = (*_UNITS, *_DESIGNS, *_SPEEDS)


def find_rows(patterns: tuple[str, ...], rows: tuple[Row, ...] = ROWS) -> tuple[Row, ...]:
    """Return the rows whose id one of ``patterns`` (``*`` and ``?`` as in file names) matches; all without patterns.

    Raises:
        ConfigError: a pattern matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(row.id, pattern) for row in rows):
            raise ConfigError(
                "option --only", f"no row is called {pattern!r}", ", ".join(row.id for row in rows),
                "take one of these; * stands for any letters",
            )  # fmt: skip
    return tuple(row for row in rows if not patterns or any(fnmatchcase(row.id, pattern) for pattern in patterns))
