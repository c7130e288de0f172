"""Folding for what there is room for: a budget that the user gives, or the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xnorflow.artifact.errors import ConfigError
from xnorflow.lower.config import Backend, FoldingBudget
from xnorflow.lower.fold_search import Folding, Room, fastest, nearest
from xnorflow.lower.folding import hardware_layers
from xnorflow.lower.layer_options import layer_options

if TYPE_CHECKING:
    from xnorflow.boards.catalog import Board
    from xnorflow.lower.config import BoardFill

__all__ = ["ENOUGH_CYCLES", "budget_of", "fold_to_fill", "fold_to_fit", "room_of"]

ENOUGH_CYCLES = 128
"""Cycles a frame that are fast enough where nobody asked for any speed."""


def room_of(board: Board, budget: FoldingBudget | None = None) -> Room:
    """Return what a design may take: the budget, and what it leaves out by the board.

    Of a board that is 70 % of its LUTs, since cells that fit on paper do not all place, and 90 % of its block RAM and
    its DSP slices.
    """
    luts, bram36, dsp = (None, None, None) if budget is None else (budget.LUT, budget.BRAM36, budget.DSP)
    return Room(
        0.7 * board.lut if luts is None else luts, 2 * (0.9 * board.bram36 if bram36 is None else bram36),
        0.9 * board.dsp if dsp is None else dsp,
    )  # fmt: skip


def budget_of(board: Board, fill: BoardFill) -> FoldingBudget:
    """Return what a part of a board is."""
    return FoldingBudget(
        LUT=board.lut * fill.LUT // 100, BRAM36=board.bram36 * fill.BRAM36 // 100, DSP=board.dsp * fill.DSP // 100
    )


def fold_to_fill(model: Any, board: Board, fill: BoardFill, *, backend: Backend = Backend.RTL) -> Folding:
    """Give all layers the fastest folding whose estimates fit into the given part of the board.

    Args:
        model: as for :func:`fold_to_fit`.
        board: which the design is for.
        fill: how much of it may be taken.
        backend: as for :func:`fold_to_fit`.

    Raises:
        ConfigError: nothing fits; the message says what the smallest folding takes.
    """
    return fold_to_fit(model, board, budget_of(board, fill), "build.maximize", backend=backend)


def fold_to_fit(
    model: Any,
    board: Board,
    budget: FoldingBudget | None = None,
    where: str = "build.budget",
    *,
    backend: Backend = Backend.RTL,
) -> Folding:
    """Give all layers the fastest folding whose estimates fit.

    Without a budget, first layers stay without DSP slices, what needs fewer than ``ENOUGH_CYCLES`` a frame is not
    looked for, and where nothing fits the folding that comes nearest stays, for the check against the board to say by
    how much it is too large.

    Args:
        model: ModelWrapper of abstract hardware layers, one behind the other; changed in place.
        board: which the design is for.
        budget: what it may take; None: what the board has room for.
        where: the setting that the budget comes from, for the message.
        backend: what is generated; HLS computes one pixel at a time, in LUTs.

    Returns:
        the folding, which takes the fewest LUTs of those as fast.

    Raises:
        ConfigError: nothing fits into the budget; the message says what the smallest folding takes.
    """
    in_rtl = backend is not Backend.HLS
    layers = layer_options(model, board.part, together=in_rtl, multipliers=in_rtl and budget is not None)
    room = room_of(board, budget)
    folding = fastest(layers, room, ENOUGH_CYCLES if budget is None else 1)
    if folding is None:
        folding = nearest(layers, room)
        if budget is not None:
            raise _too_small(where, folding, room)
    for (_, operator), option in zip(hardware_layers(model), folding.options, strict=True):
        for key, value in option.settings.items():
            operator.set_nodeattr(key, value)
    return folding


def _too_small(where: str, smallest: Folding, room: Room) -> ConfigError:
    wider = "raise the budget," if where == "build.budget" else "raise build.fill, take a larger board,"
    return ConfigError(
        where,
        f"LUT={room.luts:,.0f}, BRAM36={room.bram18 / 2:,.10g}{_dsp(room.dsp, smallest)}, "
        "which no folding of this network fits into",
        f"LUT={smallest.luts:,}, BRAM36={-(-smallest.bram18 // 2):,}{_dsp(smallest.dsp, smallest)} and more, "
        f"which the smallest folding is estimated to take, at {smallest.cycles:,} cycles a frame",
        f"{wider} or build a smaller network",
    )


def _dsp(count: float, smallest: Folding) -> str:
    """Return the part of the message about DSP slices: none where the smallest folding does without."""
    return f", DSP={count:,.0f}" if smallest.dsp else ""
