"""Holding a design against a board: the message says which resource, how much, where and what to do."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.boards.catalog import load_board
from xnorflow.synthesize.budget import budget_of, check_budget, check_usage, percent_of
from xnorflow.synthesize.cells import Usage

BOARD = load_board("Pynq-Z2")


def estimate(lut: float = 0, bram18: float = 0, dsp: float = 0) -> dict[str, float]:
    """One entry as FINN writes it."""
    return {"BRAM_18K": bram18, "BRAM_efficiency": 1.0, "LUT": lut, "URAM": 0, "URAM_efficiency": 1, "DSP": dsp}


def test_estimates_exactly_at_the_budget_fit():
    layers = {"fc0": estimate(53_000, 280), "fc1": estimate(200, 0, 220)}
    check_budget({**layers, "total": estimate(53_200, 280, 220)}, BOARD)
    check_budget(layers, BOARD)


def test_too_many_luts_by_the_estimate():
    with pytest.raises(SynthesizeError) as caught:
        check_budget({"fc0": estimate(60_000), "fc1": estimate(900.5), "total": estimate(60_900.5)}, BOARD)
    assert str(caught.value) == (
        "design for Pynq-Z2: 60,900.5 LUT estimated, 114 % of the board's 53,200 (most in fc0: 60,000); "
        "allowed: at most 53,200 LUT; fold more: a lower target_fps or a higher target_cycles; "
        "or a board that has room: AUP-ZU3, KV260, Ultra96, ZCU104"
    )


def test_without_a_total_layers_are_added_up():
    with pytest.raises(SynthesizeError, match=r"140\.5 BRAM36 estimated, 100 % of the board's 140 \(most in b: 80\)"):
        check_budget({"a": estimate(bram18=121), "b": estimate(bram18=160)}, BOARD)


def test_worst_resource_is_named():
    with pytest.raises(SynthesizeError, match=r": 440 DSP estimated, 200 % of the board's 220 "):
        check_budget({"fc0": estimate(60_000, 0, 440)}, BOARD)


def test_no_board_has_room():
    with pytest.raises(SynthesizeError, match=r"fold more: a lower target_fps or a higher target_cycles$"):
        check_budget({"fc0": estimate(1_000_000)}, BOARD)


def test_mapped_cells():
    layers = {"fc0": Usage(LUT=100, LUTRAM=10, FF=110_000), "fc1": Usage(LUT=53_100)}
    with pytest.raises(
        SynthesizeError, match=r"^design for Pynq-Z2: 110,000 FF mapped, 103 % of the board's 106,400 \(mo"
    ):
        check_usage(Usage(LUT=53_200, LUTRAM=10, FF=110_000), layers, BOARD)
    check_usage(Usage(53_200, 17_400, 106_400, 140.0, 220, 10**6, 10**6), layers, BOARD)


def test_percent():
    assert budget_of(BOARD) == {"LUT": 53_200, "LUTRAM": 17_400, "FF": 106_400, "BRAM36": 140, "DSP": 220}
    usage = Usage(LUT=5_320, LUTRAM=1_740, FF=53_200, BRAM36=3.5, DSP=1)
    assert percent_of(usage, BOARD) == {"LUT": 10.0, "LUTRAM": 10.0, "FF": 50.0, "BRAM36": 2.5, "DSP": 0.5}
