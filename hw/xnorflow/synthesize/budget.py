"""Whether a design fits a board: before synthesis by the estimates, afterwards by the mapped cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.boards.catalog import Board, board_names, load_board
from xnorflow.synthesize.cells import Usage

__all__ = ["budget_of", "check_budget", "check_usage", "percent_of"]

_TOTAL = "total"
_ESTIMATED = {"LUT": ("LUT", 1.0), "BRAM_18K": ("BRAM36", 0.5), "DSP": ("DSP", 1.0)}
"""FINN's key of a resource to ours, and what one of it is in ours."""


def budget_of(board: Board) -> dict[str, int]:
    """Return what ``board`` has of each resource that has a budget, by the names of :class:`Usage`."""
    return {"LUT": board.lut, "LUTRAM": board.lutram, "FF": board.ff, "BRAM36": board.bram36, "DSP": board.dsp}


def percent_of(usage: Usage, board: Board) -> dict[str, float]:
    """Return the share of the budget that ``usage`` takes, in percent with one decimal."""
    used = usage.to_json()
    return {name: round(100 * used[name] / available, 1) for name, available in budget_of(board).items()}


def check_budget(estimates: Mapping[str, Mapping[str, Any]], board: Board) -> None:
    """Refuse a design whose estimates exceed ``board``.

    Args:
        estimates: content of FINN's ``report/estimate_layer_resources.json``: layer to ``BRAM_18K``, ``LUT``, ``DSP``,
            and the sums under ``total`` (added up here where absent).
        board: the budget.

    Raises:
        SynthesizeError: a resource is exceeded; the message names the worst one, how much of it is needed and there,
            the layer that takes most and what to do.
    """
    layers = {name: _from_finn(layer) for name, layer in estimates.items() if name != _TOTAL}
    if _TOTAL in estimates:
        total = _from_finn(estimates[_TOTAL])
    else:
        total = {name: sum(layer[name] for layer in layers.values()) for name, _ in _ESTIMATED.values()}
    _check("estimated", total, layers, board)


def check_usage(total: Usage, layers: Mapping[str, Usage], board: Board) -> None:
    """Refuse a design whose mapped cells exceed ``board``.

    Raises:
        SynthesizeError: as :func:`check_budget`.
    """
    _check("mapped", total.to_json(), {name: layer.to_json() for name, layer in layers.items()}, board)


def _from_finn(layer: Mapping[str, Any]) -> dict[str, float]:
    return {ours: float(layer.get(finn, 0)) * unit for finn, (ours, unit) in _ESTIMATED.items()}


def _fits(total: Mapping[str, float], board: Board) -> bool:
    return all(total.get(name, 0) <= available for name, available in budget_of(board).items())


def _check(kind: str, total: Mapping[str, float], layers: Mapping[str, Mapping[str, float]], board: Board) -> None:
    if _fits(total, board):
        return
    budget = budget_of(board)
    worst = max(budget, key=lambda name: total.get(name, 0) / budget[name])
    needed, available = total[worst], budget[worst]
    found = f"{_number(needed)} {worst} {kind}, {100 * needed / available:.0f} % of the board's {available:,}"
    if layers:
        largest = max(layers, key=lambda name: layers[name].get(worst, 0))
        found += f" (most in {largest}: {_number(layers[largest].get(worst, 0))})"
    roomier = [name for name in board_names() if _fits(total, load_board(name))]
    fix = "fold more: a lower target_fps or a higher target_cycles"
    if roomier:
        fix += f"; or a board that has room: {', '.join(roomier)}"
    raise SynthesizeError(f"design for {board.name}", found, f"at most {available:,} {worst}", fix)


def _number(value: float) -> str:
    return f"{value:,.1f}" if value % 1 else f"{int(value):,}"
