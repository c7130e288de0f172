"""M, the windows or pixels side by side in a beat: what it may be, and where the search chooses it."""

from __future__ import annotations

import pytest
from hardware_layers import convolution, layers_of, over_maps, xnor

from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.catalog import load_board
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.fold_search import Room, fastest
from xnorflow.lower.folding import set_folding
from xnorflow.lower.layer_options import Layer, layer_options

prepare_finn()

BOARD = load_board("Pynq-Z2")


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        ({"conv0_swg": {"M": 3}}, r"layer conv0_swg, M: 3 does not divide the 8 output .*; allowed: 1, 2, 4, 8; "),
        ({"108_20": {"M": 0}}, r"layer 108_20, M: 0 does not divide the 8 output pixels of a row"),
        ({"108_20": {"M": "2"}}, r"layer 108_20, M: '2' does not divide the 8 output pixels of a row"),
        ({"320_5": {"M": 2}}, r"layer 320_5, M: no such key; allowed: PE, SIMD; "),
        ({"conv0_swg": {"M": 2, "SIMD": 12}}, r"layer conv0_swg, M: 2 with parallel_window=0; allowed: 1, or par.*=1"),
        ({"108_20": {"M": 2}}, r"layer 108_20, M: 2 with SIMD=1; allowed: 1, or SIMD=2 and more; set M to 1 or raise"),
        ({"pool0": {"M": 2}}, r"layer pool0, M: no such key; allowed: PE"),
        ({"conv0_swg": {"MM": 2}}, r"layer conv0_swg, MM: no such key; allowed: SIMD, M; did you mean M\?"),
    ],
)  # fmt: skip
def test_what_does_not_fit(folding, message):
    with pytest.raises(ConfigError, match=message):
        set_folding(convolution(), folding)


def test_multipliers_compute_one_pixel_at_a_time():
    model = layers_of(xnor(108, 20, "INT8", vectors=(1, 8, 8)))
    with pytest.raises(ConfigError, match=r"layer 108_20, M: 2 with resType=dsp; allowed: 1, or resType lut or auto"):
        set_folding(model, {"108_20": {"M": 2, "SIMD": 9, "resType": "dsp"}})
    (layer,) = layer_options(model, BOARD.part)
    assert {option.settings["M"] for option in layer.options if option.settings["resType"] == "dsp"} == {1}


def test_pixels_are_put_together_wherever_weights_are_shared():
    """Every divisor of a row but where weights are constants or one input comes at a time; beats are whole pixels."""
    _, mvau, _, last = (layer.options for layer in layer_options(convolution(), BOARD.part))
    folds = {(option.settings["PE"], option.settings["SIMD"]) for option in mvau}
    assert len(folds) == 6 * 12 and all("M" not in option.settings for option in last)
    for pe, simd in folds:
        options = {one.settings["M"]: one for one in mvau if one.settings["PE"] == pe and one.settings["SIMD"] == simd}
        words = 108 * 20 // pe // simd
        assert list(options) == ([1, 2, 4, 8] if simd > 1 and words > 4 else [1])
        for together, option in options.items():
            assert option.cycles == 64 * words // together
            if together > 1:
                assert (option.bits_in, option.bits_out) == ((together * 108,), (together * 20,))
                assert option.bram18 == options[1].bram18


def test_the_search_puts_pixels_together_where_it_pays():
    """A large convolution at a pixel in 16 cycles: a weight read for two pixels takes fewer LUTs, windows included."""
    model = layers_of(
        over_maps("SlidingWindow", "swg", 64, (10, 10)), xnor(576, 128, vectors=(1, 8, 8)),
        over_maps("WindowPool", "pool", 128, (8, 8), (2, 2), (2, 2)),
    )  # fmt: skip
    layers = layer_options(model, BOARD.part)
    alone = [
        Layer(one.inputs, one.outputs, tuple(o for o in one.options if o.settings.get("M", 1) == 1)) for one in layers
    ]
    together, apart = (fastest(some, Room(60_000, 0), 1024) for some in (layers, alone))
    assert together.cycles == apart.cycles == 1024 and together.luts < 0.95 * apart.luts
    chosen = [option.settings.get("M") for option in together.options]
    assert chosen[0] == chosen[1] > 1
