"""Figures for notebooks and for the report: what is in them, equal bytes for equal numbers, inline in a page."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from xnorflow.flow.figures import accuracy_curve
from xnorflow.render.networks import draw_networks, read_network
from xnorflow.render.plots import pareto_plot, picture_grid, stacked_bars, xy_plot
from xnorflow.render.svg import INK, Svg
from xnorflow.render.waves import Wave, draw_waves


def texts(svg):
    """Return what is written in a figure."""
    named = svg.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
    return [element.text for element in ElementTree.fromstring(named).iter("text")]


def metrics(stage, count):
    return [
        {"stage": stage, "epoch": epoch, "loss": 1 / epoch, "train_accuracy_float": 0.5, "test_accuracy_float": 0.6}
        for epoch in range(1, count + 1)
    ]


def test_a_figure_is_drawn_inline_and_takes_the_color_of_the_page():
    figure = stacked_bars(["a", "b"], {"beats": [1, 2], "waits": [3, 0]}, unit="%", name="bars")
    assert isinstance(figure, Svg) and figure._repr_html_() == f"<div>{figure}</div>"
    assert figure.startswith("<svg") and INK not in figure and "currentColor" in figure
    assert figure == stacked_bars(["a", "b"], {"beats": [1, 2], "waits": [3, 0]}, unit="%", name="bars")
    assert {"a", "b", "beats", "waits", "%"} <= set(texts(figure))


def test_each_stage_of_a_training_has_its_own_curves():
    several = texts(accuracy_curve(metrics("teacher", 4) + metrics("binary", 9)))
    assert {"teacher: test, float", "binary: test, float", "binary: training, float"} <= set(several)
    assert "loss" not in several, "losses of stages do not compare"
    assert {"test, float", "training, float", "loss"} <= set(texts(accuracy_curve(metrics("binary", 9))))


def test_pictures_are_embedded_with_their_titles():
    images = np.random.default_rng(1).random((5, 1, 8, 8))
    grid = picture_grid(images, list("abcde"), title="five", name="grid", columns=3)
    assert grid.count("<image") == 5 and grid.count("data:image/png") == 5
    assert set("abcde") | {"five"} <= set(texts(grid))


def test_points_and_lines_say_where_they_come_from():
    plot = xy_plot({"model": [(0, 1), (1, 2)]}, {"RTL": [(1, 2)]}, xlabel="stalls", ylabel="cycles", name="xy")
    assert {"model", "RTL", "stalls", "cycles"} <= set(texts(plot))
    front = {"1": (5000.0, 1e8), "128": (550.0, 8e5)}
    plot = pareto_plot([(900.0, 1e5)], front, {"yosys": [(560.0, 8e5)]}, xlabel="LUT", ylabel="frames/s", name="p")
    assert {"1", "128", "yosys", "LUT", "frames/s", "foldings, estimate", "Pareto front, estimate"} <= set(texts(plot))


def test_waves_show_lines_words_and_what_is_not_defined():
    data = [0x1234, 0x1234, 0xAB, 0xAB, 0x7, 0x7]
    waves = [Wave("valid", [0, 0, 1, 1, 1, 1]), Wave("data", data, 16, [False, False, True, True, True, True])]
    figure = draw_waves(waves, 0, 6, name="w", title="unit, simulated")
    assert {"clock", "valid", "data", "00ab", "0007", "unit, simulated"} <= set(texts(figure))
    assert "1234" not in texts(figure), "not valid there"


def test_long_words_are_cut_at_the_top():
    words = [int("0123456789abcdef", 16)] * 2 + [0] * 38
    found = texts(draw_waves([Wave("data", words, 64)], 0, 40, name="w"))
    cut = [text for text in found if text.startswith("\N{HORIZONTAL ELLIPSIS}")]
    assert cut and "0123456789abcdef".endswith(cut[0][1:])


@pytest.mark.parametrize(("start", "stop"), [(3, 3), (-1, 2), (0, 7)])
def test_cycles_that_are_not_there_are_refused(start, stop):
    with pytest.raises(ValueError, match="expected some within"):
        draw_waves([Wave("valid", [0] * 6)], start, stop, name="w")


@pytest.fixture
def residual(tmp_path):
    """An ONNX file: quantized weights, a product, a branch around a sign, a sum."""
    nodes = [
        helper.make_node("BipolarQuant", ["weights", "one"], ["signs"], domain="qonnx.custom_op.general"),
        helper.make_node("MatMul", ["x", "signs"], ["sums"]),
        helper.make_node("BipolarQuant", ["sums", "one"], ["bits"], domain="qonnx.custom_op.general"),
        helper.make_node("Mul", ["bits", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "sums"], ["y"]),
    ]
    floats = TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, floats, [1, 8]) for name in ("sums", "bits", "scaled")]
    constants = [
        onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)
        for name, shape in (("weights", (4, 8)), ("one", ()), ("factor", (8,)))
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", floats, [1, 4])],
        [helper.make_tensor_value_info("y", floats, [1, 8])], constants, value_info=values,
    )  # fmt: skip
    onnx.save(helper.make_model(graph), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_a_network_is_read_without_what_is_computed_from_constants(residual):
    graph = read_network(residual)
    assert [node.title for node in graph.nodes] == ["MatMul", "BipolarQuant", "Mul", "Add"]
    times = "\N{MULTIPLICATION SIGN}"
    assert graph.nodes[0].note == f"4{times}8 bipolar" and graph.nodes[0].takes == ((-1, "4 float32"),)
    assert graph.nodes[3].takes == ((2, "8 float32"), (0, "8 float32"))
    assert graph.nodes[2].takes == ((1, "8 bipolar"),)
    assert graph.ranks == [0, 1, 2, 3] and graph.result == "8 float32"


def test_networks_are_drawn_side_by_side(residual):
    figure = draw_networks({"before": residual, "after": read_network(residual)}, name="n")
    found = texts(figure)
    assert found.count("MatMul") == 2 and {"before", "after", "product", "threshold, sign"} <= set(found)
    with pytest.raises(OSError):
        read_network(residual.with_name("none.onnx"))
