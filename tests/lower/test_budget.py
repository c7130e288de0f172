"""Folding for a budget: as fast as fits, exactly, by the estimates that the report gives; and what it says if not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hardware_layers import DOMAIN, convolution, layers_of, xnor
from map_files import small_cnv
from onnx import helper
from pydantic import ValidationError
from qonnx_files import perceptron

from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.catalog import load_board
from xnorflow.lower import steps
from xnorflow.lower.config import BoardFill, BuildSettings, FoldingBudget, Objective
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.fold_search import Room, nearest
from xnorflow.lower.fold_to_fit import fold_to_fill, fold_to_fit, room_of
from xnorflow.lower.folding import set_folding
from xnorflow.lower.layer_options import layer_options
from xnorflow.lower.passes.merge_fifos import MergeFIFOs

prepare_finn()

from xnorflow.ops import bounded_fifo  # noqa: E402

BOARD = load_board("Pynq-Z2")


def folds(model):
    from xnorflow.lower.folding import folding_of

    return {name: values for name, values in folding_of(model).items() if name != "Defaults"}


# --- Layers -----------------------------------------------------------------------------------------------------------


def test_options_are_all_divisors_with_the_operators_own_numbers():
    layers = layer_options(convolution(), BOARD.part)
    swg, mvau, pool, last = (layer.options for layer in layers)
    assert [(layer.inputs, layer.outputs) for layer in layers] == [
        ((), ("stream1",)), (("stream1",), ("stream2",)), (("stream2",), ("stream3",)), (("stream3",), ())
    ]  # fmt: skip
    by_pixels = [{"SIMD": simd, "parallel_window": 0, "M": 1} for simd in (1, 2, 3, 4, 6, 12)]
    whole_windows = [{"SIMD": 12, "parallel_window": 1, "M": together} for together in (1, 2, 4, 8)]
    assert [option.settings for option in swg] == [*by_pixels, *whole_windows]
    assert [option.cycles for option in swg] == [*(64 * 9 * 12 // simd for simd in (1, 2, 3, 4, 6, 12)), *4 * [10 * 10]]
    assert [option.bits_out for option in swg] == [
        *((simd,) for simd in (1, 2, 3, 4, 6, 12)), *((108 * together,) for together in (1, 2, 4, 8))
    ]  # fmt: skip
    foldings = [{(option.settings["PE"], option.settings["SIMD"]) for option in options} for options in (mvau, last)]
    assert [len(pairs) for pairs in foldings] == [6 * 12, 14 * 2] and len(pool) == 6
    settings = {"PE": 20, "SIMD": 108, "ram_style": "auto", "M": 1}
    whole = next(option for option in mvau if option.settings == settings)
    assert (whole.bits_in, whole.bits_out, whole.cycles, whole.bram18) == ((108,), (20,), 64, 0)


@pytest.mark.parametrize(("cycles", "scarce"), [(16, "LUT"), (32, "BRAM36"), (64, "BRAM36"), (64, "LUT")])
def test_weights_go_where_there_is_room(cycles, scarce):
    """With few LUTs into block RAM, with no block RAM into LUTs, of the same folding in as many cycles."""
    model = layers_of(xnor(256, 64))
    (layer,) = layer_options(model, BOARD.part)
    as_fast = [option for option in layer.options if option.cycles == cycles]
    fewest = min(option.luts for option in as_fast if (option.bram18 > 0) == (scarce == "LUT"))
    folding = fold_to_fit(model, BOARD, FoldingBudget(LUT=fewest, BRAM36=100 if scarce == "LUT" else 0))
    style = folding.options[0].settings["ram_style"]
    assert folding.cycles == cycles and (folding.bram18 > 0) == (scarce == "LUT")
    assert style == {(16, "LUT"): "block", (64, "BRAM36"): "distributed"}.get((cycles, scarce), "auto")


def first_layer():
    """A convolution of 3 channels of 8 bits to 64, of which only the matrix unit is to be folded."""
    return layers_of(xnor(27, 64, "INT8", vectors=(1, 30, 30)))


def test_a_first_layer_takes_multipliers_where_a_budget_lets_it():
    """At 36 cycles a pixel, 3 x 16 products of LUTs, or of 24 multipliers and fewer than half the LUTs, as measured."""
    model = first_layer()
    (layer,) = layer_options(model, BOARD.part)
    assert {option.settings["resType"] for option in layer.options} == {"lut", "dsp"}
    assert all((option.dsp > 0) == (option.settings["resType"] == "dsp") for option in layer.options)
    assert all(
        "resType" not in option.settings for option in layer_options(model, BOARD.part, multipliers=False)[0].options
    )
    luts = {
        kind: min(option.luts for option in layer.options
                  if option.settings["resType"] == kind and option.cycles <= 36 * 900 and option.dsp <= 198)
        for kind in ("lut", "dsp")
    }  # fmt: skip
    assert luts["dsp"] < luts["lut"] / 2
    room = (luts["dsp"] + luts["lut"]) // 2
    with_them = fold_to_fit(model, BOARD, FoldingBudget(LUT=room))
    assert with_them.cycles <= 36 * 900 and 0 < with_them.dsp <= 198
    assert folds(model)["27_64"]["resType"] == "dsp"
    without = fold_to_fit(model, BOARD, FoldingBudget(LUT=room, DSP=0))
    assert without.cycles > 36 * 900 and without.dsp == 0 and folds(model)["27_64"]["resType"] == "lut"
    few = fold_to_fit(model, BOARD, FoldingBudget(LUT=room, DSP=16))
    assert with_them.cycles < few.cycles < without.cycles and 0 < few.dsp <= 16
    filled = [fold_to_fill(model, BOARD, BoardFill(LUT=1, DSP=percent)) for percent in (1, 90)]
    assert filled[0].dsp <= 2 < filled[1].dsp <= 198 and filled[1].cycles < filled[0].cycles


def test_without_a_budget_no_layer_takes_multipliers():
    model = first_layer()
    assert fold_to_fit(model, BOARD).dsp == 0 and folds(model)["27_64"]["resType"] == "auto"


def test_a_budget_that_names_multipliers_is_told_what_the_smallest_takes():
    model = layers_of(xnor(27, 64, "INT8"))
    with pytest.raises(ConfigError, match=r"^build.budget: LUT=50, BRAM36=0, DSP=8, which no folding .* allowed: LUT="):
        fold_to_fit(model, BOARD, FoldingBudget(LUT=50, BRAM36=0, DSP=8))


def test_layers_over_maps_fold_by_channels_and_no_faster_than_they_can():
    model = convolution()
    fold_to_fit(model, load_board("ZCU104"), FoldingBudget(LUT=100_000))
    chosen = folds(model)
    windows = chosen["conv0_swg"]
    assert (windows["SIMD"], windows["parallel_window"]) == (12, 1) and 64 * 20 // chosen["pool0"]["PE"] <= 100
    folding = fold_to_fit(model, BOARD, FoldingBudget(LUT=450, BRAM36=2))
    assert folds(model)["conv0_swg"]["parallel_window"] == 0
    assert folding.luts <= 450 and 64 * 20 // folds(model)["pool0"]["PE"] <= folding.cycles


def test_branches_are_followed_stream_by_stream():
    """A fork, 16 values of 4 bits on either branch, one of them requantized, and their sum."""

    def vectors(kind, inputs, outputs, source, sink, **attributes):
        return helper.make_node(
            kind, inputs, outputs, name=outputs[0], domain=DOMAIN, backend="fpgadataflow", NumChannels=16,
            numInputVectors=[1, 4, 4], inputDataType=source, outputDataType=sink, **attributes,
        )  # fmt: skip

    nodes = [
        vectors("StreamFork", ["in"], ["a", "b"], "INT4", "INT4"),
        vectors("Requantize", ["a", "table"], ["c"], "INT4", "INT6"),
        vectors("StreamAdd", ["c", "b"], ["out"], "INT6", "INT7", otherDataType="INT4"),
    ]  # fmt: skip
    model = SimpleNamespace(graph=SimpleNamespace(node=nodes))
    fork, function, total = layer_options(model, BOARD.part)
    assert (fork.outputs, function.inputs, total.inputs, total.outputs) == (("a", "b"), ("a",), ("c", "b"), ())
    widest = [layer.options[-1] for layer in (fork, function, total)]
    assert [(one.bits_in, one.bits_out) for one in widest] == [((), (64, 64)), ((64,), (96,)), ((96, 64), ())]
    assert fold_to_fit(model, BOARD, FoldingBudget(LUT=10_000)).cycles == 16
    assert set(folds(model)) == {"a", "c", "out"}


# --- The estimates are the report's -----------------------------------------------------------------------------------


@pytest.fixture
def folded(tmp_path, build, monkeypatch):
    """Build a network; return the folding that was chosen, and LUTs, blocks and cycles of the report."""

    def run(network, budget):
        found = []

        def fold(model, board, wanted, **options):
            found.append(fold_to_fit(model, board, wanted, **options))
            return found[-1]

        monkeypatch.setattr(steps, "fold_to_fit", fold)
        build(network.save(tmp_path / "model.onnx"), target_cycles=None, budget=budget)
        report = build.folder / "report"
        total = json.loads((report / "estimate_layer_resources.json").read_text())["total"]
        cycles = json.loads((report / "estimate_layer_cycles.json").read_text())
        return found[0], (total["LUT"], total["BRAM_18K"], max(cycles.values()))

    return run


@pytest.mark.parametrize("budget", [{"LUT": 2500, "BRAM36": 4}, {"LUT": 1500}, None])
def test_a_convolution_takes_what_the_report_says_but_for_its_fifos(budget, folded, monkeypatch):
    """Without windows FIFOs hold a product's inputs; here their depths are found once the folding is there."""
    monkeypatch.setattr(bounded_fifo, "fifo_luts", lambda bits, depth: 0)
    folding, report = folded(small_cnv(), budget)
    assert (folding.luts, folding.bram18, folding.cycles) == report
    assert budget is None or (report[0] <= budget["LUT"] and report[1] <= 2 * budget.get("BRAM36", 140))


@pytest.mark.parametrize("budget", [{"BRAM36": 0}, {"LUT": 600}, None])
def test_a_perceptron_takes_what_the_report_says(budget, folded, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(MergeFIFOs, "apply", lambda self, model: (model, False))
        folding, report = folded(perceptron(), budget)
    assert (folding.luts, folding.bram18, folding.cycles) == report
    assert budget is None or (report[0] <= budget.get("LUT", 10**9) and report[1] <= 2 * budget.get("BRAM36", 140))


def test_merged_fifos_are_in_the_report_only(folded):
    """The search does not know them: what it finds takes less in the end."""
    folding, report = folded(perceptron(), None)
    assert report[0] < folding.luts and report[1:] == (folding.bram18, folding.cycles)


# --- The board is the budget where none is given ----------------------------------------------------------------------


def test_room_is_the_budgets_and_what_it_leaves_out_the_boards():
    assert room_of(BOARD) == Room(0.7 * 53200, 0.9 * 280, 0.9 * 220)
    assert room_of(BOARD, FoldingBudget(LUT=900)) == Room(900, 0.9 * 280, 0.9 * 220)
    assert room_of(BOARD, FoldingBudget(BRAM36=3)) == Room(0.7 * 53200, 6, 0.9 * 220)
    assert room_of(BOARD, FoldingBudget(DSP=7)) == Room(0.7 * 53200, 0.9 * 280, 7)
    assert room_of(BOARD, FoldingBudget(LUT=900, BRAM36=0, DSP=0)) == Room(900, 0, 0)


def test_without_a_budget_the_board_decides():
    """784-1024-1024-1024-10 at 128 cycles takes 230 BRAM36 and 47,789 LUT; a Zynq-7020 has 140 and 53,200."""
    model = layers_of(xnor(784, 1024), xnor(1024, 1024), xnor(1024, 1024), xnor(1024, 10))
    small, large = fold_to_fit(model, BOARD), fold_to_fit(model, load_board("ZCU104"))
    assert 128 == large.cycles < small.cycles <= 512
    assert room_of(BOARD).share(small.luts, small.bram18) <= 1
    assert room_of(load_board("ZCU104")).share(large.luts, large.bram18) <= 1


def test_without_a_budget_128_cycles_are_enough_and_with_one_they_are_not():
    model = layers_of(xnor(784, 64, "INT8"), xnor(64, 64), xnor(64, 64), xnor(64, 10))
    assert fold_to_fit(model, BOARD).cycles == 128
    assert fold_to_fit(model, BOARD, FoldingBudget(LUT=30_000)).cycles < 64


def test_a_network_too_large_for_its_board_gets_the_folding_that_comes_nearest():
    model = layers_of(xnor(2**13, 2**13))
    folding = fold_to_fit(model, BOARD)
    assert room_of(BOARD).share(folding.luts, folding.bram18) > 1
    assert folding.options[0].settings == next(iter(folds(model).values()))


def test_more_room_is_never_slower():
    model = convolution()
    cycles = [fold_to_fit(model, BOARD, FoldingBudget(LUT=luts)).cycles for luts in (500, 600, 700, 900, 1100, 1500)]
    assert cycles == sorted(cycles, reverse=True) and cycles[0] > cycles[-1] == 100


# --- As fast as the board holds ---------------------------------------------------------------------------------------


def test_maximize_takes_the_boards_own_numbers_with_a_margin():
    """784-64-64-64-10 could be folded down to one cycle, which 80 % of a Zynq-7020's LUTs are too few for."""
    model = layers_of(xnor(784, 64, "INT8"), xnor(64, 64), xnor(64, 64), xnor(64, 10))
    fastest = fold_to_fill(model, BOARD, BoardFill())
    assert fastest == fold_to_fit(model, BOARD, FoldingBudget(LUT=42560, BRAM36=140))
    assert 1 < fastest.cycles < 128 and 0.5 * 53200 < fastest.luts <= 0.8 * 53200
    half = fold_to_fill(model, BOARD, BoardFill(LUT=40, BRAM36=5))
    assert half.cycles > fastest.cycles and half.luts <= 0.4 * 53200 and half.bram18 <= 14
    assert fold_to_fill(model, load_board("ZCU104"), BoardFill()).cycles < fastest.cycles


def test_a_board_that_nothing_fits_is_named_by_maximize():
    with pytest.raises(
        ConfigError, match=r"^build.maximize: LUT=532, BRAM36=0, which no folding .*; raise build.fill, "
    ):
        fold_to_fill(layers_of(xnor(2**11, 2**11)), BOARD, BoardFill(LUT=1, BRAM36=0))


def test_a_build_is_folded_for_its_board(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    build(path, target_cycles=None, maximize=Objective.FPS, fill=BoardFill(LUT=1))
    report = build.folder / "report"
    total = json.loads((report / "estimate_layer_resources.json").read_text())["total"]
    assert 0.4 * 532 < total["LUT"] <= 532  # 1 % of 53,200


# --- What is wrong is named -------------------------------------------------------------------------------------------


def test_a_budget_that_nothing_fits_says_what_the_smallest_takes():
    model = convolution()
    with pytest.raises(ConfigError) as caught:
        fold_to_fit(model, BOARD, FoldingBudget(LUT=100, BRAM36=0))
    smallest = nearest(layer_options(model, BOARD.part), Room(100, 0))
    blocks = (smallest.bram18 + 1) // 2
    assert str(caught.value) == (
        "build.budget: LUT=100, BRAM36=0, which no folding of this network fits into; "
        f"allowed: LUT={smallest.luts:,}, BRAM36={blocks} and more, which the smallest folding is estimated to take, "
        f"at {smallest.cycles:,} cycles a frame; raise the budget, or build a smaller network"
    )
    fold_to_fit(model, BOARD, FoldingBudget(LUT=smallest.luts, BRAM36=blocks))


def test_a_budget_and_a_target_exclude_each_other(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match=r"build.target_cycles: given together with budget; allowed: one of them; re"):
        build(path, target_cycles=5, budget={"LUT": 5})
    with pytest.raises(ConfigError, match=r"build.budget: given together with maximize; allowed: one of them; remove"):
        build(path, target_cycles=None, budget={"LUT": 5}, maximize=Objective.FPS)
    with pytest.raises(ConfigError, match=r"build.target_fps: given together with maximize"):
        build(path, target_cycles=None, target_fps=5, maximize=Objective.FPS)
    with pytest.raises(ConfigError, match=r"build.fill: given without maximize and minimize; allowed: toge"):
        build(path, target_cycles=5, fill=BoardFill(LUT=50))
    with pytest.raises(ConfigError, match=r"build.budget: given together with folding"):
        build(path, target_cycles=None, budget={"LUT": 5}, folding=tmp_path / "folding.json")


@pytest.mark.parametrize("budget", [{}, {"LUT": 0}, {"BRAM36": -1}, {"LUT": 2.5}, {"DSP": -1}, {"FF": 3}, 20_000])
def test_budgets_that_say_nothing_or_too_much(budget):
    with pytest.raises(ValidationError):
        BuildSettings(budget=budget)


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        ({"conv0_swg": {"SIMD": 5}}, r"conv0_swg, SIMD: 5 does not divide IFMChannels=12; allowed: 1, 2, 3, 4, 6, 12;"),
        ({"conv0_swg": {"SIMD": 24}}, r"conv0_swg, SIMD: 24 does not divide IFMChannels=12; allowed: 1, 2, 3, 4, 6,"),
        ({"conv0_swg": {"PE": 2}}, r"layer conv0_swg, PE: no such key; allowed: SIMD, M; remove it"),
        ({"pool0": {"PE": 8}}, r"layer pool0, PE: 8 does not divide IFMChannels=20; allowed: 1, 2, 4, 5, 10, 20; ch"),
        ({"pool0": {"PE": 0}}, r"layer pool0, PE: 0 does not divide IFMChannels=20"),
        ({"pool0": {"SIMD": 2}}, r"layer pool0, SIMD: no such key; allowed: PE; remove it"),
        ({"108_20": {"SIMD": 64}}, r"layer 108_20, SIMD: 64 does not divide MW=108; allowed: 1, 2, 3, 4, 6, 9, 12, 18"),
    ],
)  # fmt: skip
def test_foldings_of_convolutions_that_do_not_fit(folding, message):
    with pytest.raises(ConfigError, match=message):
        set_folding(convolution(), folding)


def test_foldings_of_convolutions_that_fit():
    model = convolution()
    given = {
        "conv0_swg": {"SIMD": 12, "parallel_window": 1, "M": 4}, "pool0": {"PE": 10},
        "108_20": {"PE": 4, "SIMD": 27, "M": 2, "ram_style": "block"},
    }  # fmt: skip
    set_folding(model, given)
    assert {name: values for name, values in folds(model).items() if name in given} == given


@pytest.mark.parametrize("value", [2, -1, "1"])
def test_whole_windows_or_pixel_by_pixel(value):
    with pytest.raises(
        ConfigError, match=r"layer conv0_swg, parallel_window: .* 0, or 1 for windows of several pixels"
    ):
        set_folding(convolution(), {"conv0_swg": {"parallel_window": value}})
