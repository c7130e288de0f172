"""The board catalogue: real figures, and a helpful refusal of anything else."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.catalog import Family, board_names, load_board

FIGURES = {
    "AUP-ZU3": ("xczu3eg-sfvc784-2-e", Family.XCUP, 70_560, 141_120, 28_800, 216, 360),
    "KV260": ("xck26-sfvc784-2LV-c", Family.XCUP, 117_120, 234_240, 57_600, 144, 1_248),
    "Pynq-Z1": ("xc7z020clg400-1", Family.XC7, 53_200, 106_400, 17_400, 140, 220),
    "Pynq-Z2": ("xc7z020clg400-1", Family.XC7, 53_200, 106_400, 17_400, 140, 220),
    "Ultra96": ("xczu3eg-sbva484-1-e", Family.XCUP, 70_560, 141_120, 28_800, 216, 360),
    "ZCU104": ("xczu7ev-ffvc1156-2-e", Family.XCUP, 230_400, 460_800, 101_760, 312, 1_728),
}


def test_names_are_complete_and_sorted():
    assert board_names() == tuple(sorted(FIGURES))


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_the_data_sheets(name):
    board = load_board(name)
    assert (board.part, board.family, board.lut, board.ff, board.lutram, board.bram36, board.dsp) == FIGURES[name]
    assert board.name == name
    assert board.clock_ns == 10.0
    assert board.lutram < board.lut


def test_case_does_not_matter():
    assert load_board("pynq-z2") is load_board("Pynq-Z2")


def test_unknown_board_names_the_nearest_and_all():
    with pytest.raises(ConfigError) as caught:
        load_board("PynqZ2")
    assert str(caught.value) == (
        "board 'PynqZ2': unknown; allowed: AUP-ZU3, KV260, Pynq-Z1, Pynq-Z2, Ultra96, ZCU104; did you mean 'Pynq-Z2'?"
    )


def test_board_unlike_any_other_lists_all():
    with pytest.raises(ConfigError, match=r"^board 'xyzzy': unknown; allowed: AUP-ZU3, .*ZCU104; choose one of these$"):
        load_board("xyzzy")
