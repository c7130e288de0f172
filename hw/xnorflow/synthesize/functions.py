"""Where the resources of a design go: its nodes by what they are there for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from xnorflow.artifact.design import kind_of
from xnorflow.synthesize.cells import Usage, sum_usage

__all__ = ["Function", "function_of", "functions_to_json"]


class Function(StrEnum):
    """What a node is there for; in the order of the tables."""

    MATRIX_UNITS = "matrix units"
    WINDOWS = "windows"
    POOLS = "pools"
    FIFOS = "FIFOs"
    WIDTH_CONVERTERS = "width converters"
    REQUANTIZE = "thresholds, requantize"
    JOINS = "joins, forks, repeats"
    ARGMAX = "argmax"
    OTHER = "other"


_OPERATORS = {
    "XnorMVAU": Function.MATRIX_UNITS, "BinaryWeightMVAU": Function.MATRIX_UNITS, "FewBitMVAU": Function.MATRIX_UNITS,
    "SlidingWindow": Function.WINDOWS, "WindowPool": Function.POOLS, "BoundedFIFO": Function.FIFOS,
    "WidthConverter": Function.WIDTH_CONVERTERS, "Requantize": Function.REQUANTIZE, "StreamAdd": Function.JOINS,
    "StreamGate": Function.JOINS, "StreamFork": Function.JOINS, "ChannelRepeat": Function.JOINS,
    "LabelSelect": Function.ARGMAX,
}  # fmt: skip


def function_of(op_type: str) -> Function:
    """Return what nodes of an operator are there for, with or without ``_rtl`` or ``_hls`` behind its name."""
    return _OPERATORS.get(kind_of(op_type), Function.OTHER)


def functions_to_json(operators: Mapping[str, str], usages: Mapping[str, Usage]) -> dict[str, dict[str, Any]]:
    """Return each function that occurs with its nodes, resources and share of all LUTs.

    Args:
        operators: node name to operator; nodes without one count as ``other``.
        usages: node name to resources.

    Returns:
        function to ``nodes`` (how many), the fields of :class:`Usage` and ``percent_LUT``, one decimal.
    """
    total = sum_usage(usages.values()).LUT
    groups: dict[Function, list[Usage]] = {function: [] for function in Function}
    for name, usage in usages.items():
        groups[function_of(operators.get(name, ""))].append(usage)
    found: dict[str, dict[str, Any]] = {}
    for function, parts in groups.items():
        if parts:
            used = sum_usage(parts)
            share = round(100 * used.LUT / total, 1) if total else 0.0
            found[function.value] = {"nodes": len(parts), **used.to_json(), "percent_LUT": share}
    return found
