"""The ECP5 boards, and what stands between their pins and an accelerator."""

from __future__ import annotations

import re

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.ecp5_catalog import ecp5_board_names, load_ecp5_board
from xnorflow.synthesize.ecp5_top import render_board_top, render_lpf

NAMES = ("colorlight-i5", "ecp5-evn", "ulx3s-12f", "ulx3s-25f", "ulx3s-45f", "ulx3s-85f")


def test_names():
    assert ecp5_board_names() == NAMES
    assert load_ecp5_board("ULX3S-85F") is load_ecp5_board("ulx3s-85f")


@pytest.mark.parametrize(
    ("name", "option", "part"),
    [
        ("ulx3s-12f", "--12k", "LFE5U-12F, speed grade 6"),
        ("ulx3s-85f", "--85k", "LFE5U-85F, speed grade 6"),
        ("ecp5-evn", "--um5g-85k", "LFE5UM5G-85F, speed grade 8"),
    ],
)
def test_devices(name, option, part):
    board = load_ecp5_board(name)
    assert (board.nextpnr_option, board.part) == (option, part)


@pytest.mark.parametrize(
    ("name", "fix"), [("ulx3s", "did you mean 'ulx3s-85f'?"), ("Pynq", "choose one of these"), ("ecp5-ev", "did you")]
)
def test_an_unknown_board(name, fix):
    with pytest.raises(ConfigError) as caught:
        load_ecp5_board(name)
    assert str(caught.value).startswith(f"ECP5 board {name!r}: unknown; allowed: {', '.join(NAMES)}; {fix}"[:90])
    assert fix.split("'")[0] in caught.value.fix


@pytest.mark.parametrize("name", NAMES)
def test_pins_and_ports_are_the_same(name):
    board = load_ecp5_board(name)
    assert len({pin.site for pin in board.pins.values()}) == len(board.pins)
    lpf = render_lpf(board)
    located = dict(re.findall(r'LOCATE COMP "(\w+)" SITE "(\w+)";', lpf))
    assert located == {port: pin.site for port, pin in board.pins.items()}
    assert f'FREQUENCY PORT "clock" {board.clock_mhz:g} MHZ;' in lpf
    text = render_board_top(board, pll=True)
    assert set(re.findall(r"^  (?:input|output) +wire (\w+),?$", text, re.MULTILINE)) == set(board.pins)


def test_active_low_pins():
    evn = render_board_top(load_ecp5_board("ecp5-evn"), pll=False)
    assert "locked & reset}" in evn and "assign led = ~(" in evn and "assign ap_clk = clock;" in evn
    ulx3s = render_board_top(load_ecp5_board("ulx3s-25f"), pll=True)
    assert "locked & ~reset}" in ulx3s and "assign led = (" in ulx3s and "assign high = 1'b1;" in ulx3s
    assert "xnorflow_pll i_pll" in ulx3s
    assert "reset}" not in render_board_top(load_ecp5_board("colorlight-i5"), pll=True)
