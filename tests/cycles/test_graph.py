"""What a graph says of itself, and of what is wrong with it."""

from __future__ import annotations

import pytest

from xnorflow.cycles.graph import INPUT, OUTPUT, Channel, Graph, chain
from xnorflow.cycles.machines import Add, Argmax, Dwc, Fifo, Fork, Mvau, Pool, Repeat, Requantize, Swg

SERIES = {"windows": Swg(4, 4, 6, 2), "mvau": Mvau(54, 8, 2, 2), "out": Fifo(4)}


def test_beats_and_cycles_follow_from_the_machines():
    graph = chain(SERIES, 48)
    assert graph.channels == (
        Channel(INPUT, "windows", 48, "input -> windows"),
        Channel("windows", "mvau", 4 * 27, "windows -> mvau"),
        Channel("mvau", "out", 4 * 4, "mvau -> out"),
        Channel("out", OUTPUT, 4 * 4, "out -> output"),
    )
    assert graph.output_beats == 16
    assert graph.cycles == {"windows": 4 * 27, "mvau": 4 * 27 * 4, "out": 16}
    assert graph.least_interval == 432
    assert graph.fifos == ("out",)


def test_parallel_channels_have_names_of_their_own():
    graph = Graph({"f": Fork(), "a": Add()}, ((INPUT, "f"), ("f", "a"), ("f", "a"), ("a", OUTPUT)), 3)
    assert [channel.name for channel in graph.channels] == ["input -> f", "f -> a", "f -> a (2)", "a -> output"]


def test_converters_of_equal_widths_are_wires():
    graph = chain({"one": Dwc(4, 4), "two": Dwc(8, 8), "fifo": Fifo(1), "three": Dwc(2, 2)}, 5)
    assert [channel.name for channel in graph.channels] == ["input -> fifo", "fifo -> output"]
    assert graph.description() == "channels 2\nfifo 0 1 1\n"
    assert chain({"one": Dwc(4, 4)}, 5).least_interval == 5


def test_machines_can_be_replaced():
    graph = chain(SERIES, 48).with_machines({"out": Fifo(99)})
    assert graph.machines == {**SERIES, "out": Fifo(99)}
    with pytest.raises(ValueError, match=r"^no machine 'in', expected one of windows, mvau, out$"):
        graph.with_machines({"in": Fifo(1)})


@pytest.mark.parametrize(
    ("machines", "edges", "beats", "message"),
    [
        ({"input": Fifo(1)}, (), 1, "a machine is called 'input', which is the name of an end"),
        ({"a": Fifo(1)}, ((INPUT, "a"), ("a", "b")), 1, "edge a -> b: no machine 'b'"),
        ({"a": Fifo(1)}, ((INPUT, "a"), (OUTPUT, "a")), 1, "edge output -> a: no machine 'output'"),
        ({"a": Fifo(1)}, ((INPUT, "a"), ("a", OUTPUT), ("a", OUTPUT)), 1, "output: 2 edges into it, expected 1"),
        ({"a": Fork(3)}, ((INPUT, "a"), ("a", OUTPUT)), 1, "a: 1 edges out of it, expected 3"),
        ({"a": Add()}, ((INPUT, "a"), ("a", OUTPUT)), 1, "a: 1 edges into it, expected 2"),
        ({}, ((INPUT, OUTPUT), (INPUT, OUTPUT)), 1, "input: 2 edges out of it, expected 1"),
        ({"a": Fifo(1)}, ((INPUT, OUTPUT), ("a", "a")), 1, "the machines a form a cycle or follow one"),
        (
            {"a": Mvau(6, 2, 2, 1)},
            ((INPUT, "a"), ("a", OUTPUT)),
            4,
            "a: 4 beats a frame come in, expected a multiple of 3",
        ),
        (
            {"f": Fork(), "d": Dwc(2, 1), "a": Add()},
            ((INPUT, "f"), ("f", "d"), ("f", "a"), ("d", "a"), ("a", OUTPUT)),
            4,
            "a: its inputs have 4 and 8 beats a frame, expected as many",
        ),
        ({}, ((INPUT, OUTPUT),), 0, "frame_beats is 0, expected at least 1"),
        ({"a": Fifo(2**31)}, ((INPUT, "a"), ("a", OUTPUT)), 1, "a: 2147483648 is beyond the counters of the RTL"),
    ],
)
def test_wrong_graphs_are_refused(machines, edges, beats, message):
    with pytest.raises(ValueError) as caught:
        Graph(machines, edges, beats)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fifo(0), "Fifo: depth is 0, expected at least 1"),
        (lambda: Fork(1), "Fork: outputs is 1, expected at least 2"),
        (lambda: Repeat(1, 1), "Repeat: times is 1, expected at least 2"),
        (lambda: Pool(1, 0), "Pool: folds is 0, expected at least 1"),
        (lambda: Dwc(3, 2), "Dwc: widths 3 and 2, expected a whole ratio"),
        (lambda: Mvau(6, 6, 4, 1), "Mvau: simd is 4, expected a divisor of mw, 6"),
        (lambda: Mvau(6, 6, 1, 4), "Mvau: pe is 4, expected a divisor of mh, 6"),
        (lambda: Mvau(6, 6, 1, 1, 2, 0), "Mvau: weight_bits is 0, expected at least 1"),
        (lambda: Mvau(6, 6, 1, 1, 1, 2), "Mvau: weight_bits is 2, expected 1 where input_bits is 1"),
        (lambda: Argmax(10, 3), "Argmax: pe is 3, expected a divisor of labels, 10"),
        (lambda: Requantize("sum"), "Requantize: mode is 'sum', expected thresholds, affine or table"),
        (lambda: Requantize("affine", slopes=3), "Requantize: steps 1, slopes 3, expected at least 1; 1 or 2"),
        (lambda: Swg(4, 4, 4, 3), "Swg: simd is 3, expected a divisor of channels, 4"),
        (lambda: Swg(4, 0, 4, 2), "expected sizes of at least 1 and paddings of at least 0"),
        (lambda: Swg(4, 4, 4, 2, padding=(0, 0, 3, 0)), "expected paddings smaller than the kernel"),
        (lambda: Swg(4, 2, 4, 2), "expected a kernel that fits into the padded map"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).endswith(message)
