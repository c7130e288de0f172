"""A unit routed on an ECP5, against the same in plain behavioral code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.streams import StreamSpec
from xnorflow.bench.row import Bench, Measure, Measurement
from xnorflow.bench.unit import UnitParameters, make_plain_unit, make_unit

__all__ = ["routed_row"]

BOARD = "ecp5-evn"  # LFE5UM5G-85F of speed grade 8
AIM_MHZ = 400.0


def routed_row(parameters: UnitParameters, *, ratio: bool) -> Measure:
    """Return what routes a unit alone and the plain one, by the same flow in the same run.

    Args:
        parameters: the unit.
        ratio: whether the value is our clock over the plain one's, or our clock in MHz.
    """

    def measure(bench: Bench) -> Measurement:
        key = f"routed {parameters}"
        if key not in bench.shared:
            bench.shared[key] = _route(parameters, bench)
        details = bench.shared[key]
        ours, plain = details["unit"]["fmax_mhz"], details["plain"]["fmax_mhz"]
        if ratio:
            return Measurement(round(ours / plain, 2), "", details["path"], details)
        return Measurement(round(ours, 1), "MHz", details["path"], details, round(plain, 1))

    return measure


def _route(parameters: UnitParameters, bench: Bench) -> dict[str, Any]:
    from xnorflow.synthesize.ecp5 import Ecp5Settings, route_ecp5

    rtl = bench.work / "rtl"
    rtl.mkdir(parents=True)
    nodes = [make_unit(parameters, rtl), make_plain_unit(parameters, rtl)]
    _describe(parameters, nodes).save(bench.work / "design.json")
    reports = {}
    for name, node in zip(("unit", "plain"), nodes, strict=True):
        settings = Ecp5Settings(board=BOARD, frequency_mhz=AIM_MHZ, node=node.name)
        reports[name] = route_ecp5(bench.work, settings, bench.progress)
    details = {name: {"fmax_mhz": report.routed.fmax_mhz, **report.to_json()} for name, report in reports.items()}
    return {"path": reports["unit"].path, "macs": parameters.macs, **details}


def _describe(parameters: UnitParameters, nodes: list[DesignNode]) -> Design:
    """Return a description that has the two units as nodes; there is no top."""
    placed = tuple(replace(node, sources=tuple(f"rtl/{source}" for source in node.sources)) for node in nodes)
    sources = dict.fromkeys(source for node in placed for source in node.sources)
    source = StreamSpec("in0_V", "BIPOLAR", 1, parameters.mw, parameters.simd)
    sink = StreamSpec("out0_V", "BINARY", 1, parameters.mh, parameters.pe)
    return Design(
        top="unit", sources=tuple(sources), rtl_dir="rtl", board="Pynq-Z2", part="xc7z020clg400-1", clock_ns=10.0,
        cycles_per_frame=1, latency_cycles=1, input=source, output=sink, nodes=placed, artifact_sha256="",
    )  # fmt: skip
