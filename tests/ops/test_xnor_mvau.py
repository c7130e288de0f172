"""The XNOR unit as it is generated, in both of its bodies: results, and every cycle of every frame."""

from __future__ import annotations

import numpy as np
import pytest
from units import RESTARTED, generated, in_python, stream
from xnor_units import FRAMES, Unit

from xnorflow.artifact.streams import pack, unpack
from xnorflow.cycles.graph import chain
from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.cycle_graph import machines_of
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.xnor_array import WeightStyle
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design

BODIES = {"plain": (), "pipeline": ("SYNTHESIS",), "primitives": ("XNORFLOW_LUT6",)}
STALLS = {"none": 0.0, "in": (0.4, 0.0), "out": (0.0, 0.4), "both": 0.3}

UNITS = {
    "least": Unit(2, 1, 2, 1),
    "one_word": Unit(4, 3, 4, 3),
    "one_word_sums": Unit(21, 5, 21, 5, thresholded=False),
    "two_words": Unit(128, 8, 64, 8),
    "three_words_sums": Unit(9, 4, 3, 4, thresholded=False),
    "three_words_one_fold": Unit(16, 9, 16, 3),
    "four_words": Unit(144, 8, 72, 4),
    "five_words": Unit(21, 10, 21, 2),
    "simd_2": Unit(8, 6, 2, 3),
    "pe_1": Unit(28, 4, 7, 1),
    "rom_is_full_signed_sums": Unit(12, 32, 3, 4, thresholded=False, signed=True),
    "block": Unit(28, 27, 7, 3),
    "block_one_neuron_fold": Unit(144, 2, 4, 2, thresholded=False),
    "block_one_synapse_fold": Unit(6, 34, 6, 1),
    "two_words_block": Unit(12, 4, 6, 4, ram_style="block"),
    "six_words_block": Unit(12, 9, 6, 3, ram_style="block"),
    "rom_of_33": Unit(6, 33, 6, 1, ram_style="distributed"),
    "rom_of_64_sums": Unit(16, 32, 4, 2, thresholded=False, ram_style="distributed"),
    "simd_144": Unit(432, 6, 144, 2, thresholded=False),
    "wide_block": Unit(128, 68, 64, 4),
    "unrolled": Unit(64, 64, 64, 64),
    "whole_window": Unit(576, 8, 576, 4),
    "whole_window_block": Unit(1152, 34, 576, 2),
    "four_words_of_144": Unit(576, 16, 144, 16),
    "two_windows": Unit(36, 8, 12, 4, windows=2),
    "three_windows_of_sums": Unit(21, 6, 7, 2, thresholded=False, windows=3),
    "two_windows_of_one_word": Unit(9, 4, 9, 4, windows=2),
    "two_windows_of_constants": Unit(10, 6, 5, 3, windows=2),
    "four_windows_one_neuron_fold": Unit(30, 3, 5, 3, windows=4),
    "two_windows_one_synapse_fold": Unit(14, 12, 14, 2, thresholded=False, signed=True, windows=2),
    "two_windows_block": Unit(28, 27, 7, 3, windows=2),
    "two_windows_simd_144": Unit(576, 32, 144, 8, windows=2),
}
FULL = (
    "two_windows_simd_144",
    "simd_144",
    "wide_block",
    "unrolled",
    "whole_window",
    "whole_window_block",
    "four_words_of_144",
    "four_windows_one_neuron_fold",
    "three_windows_of_sums",
    "two_windows_block",
)
NAMES = [pytest.param(name, marks=[pytest.mark.full] if name in FULL else []) for name in UNITS]


def style_of(words, ram_style="auto"):
    shape = MvauShape(2 * words, 1, 2, 1, 1, 8, 1, ram_style)
    return WeightStyle.of(words, in_bram=shape.weights_in_bram)


def test_all_styles_and_ends_of_their_ranges_are_there():
    words = {item.words for item in UNITS.values() if item.ram_style == "auto"}
    assert {1, 2, 3, 4, 5, 32} <= words and min(count for count in words if count > 32) <= 34
    assert [style_of(count) for count in (4, 5, 32, 33)] == [
        WeightStyle.CONSTANT, WeightStyle.LOGIC, WeightStyle.LOGIC, WeightStyle.BLOCK
    ]  # fmt: skip
    assert [style_of(count, "block") for count in (4, 5)] == [WeightStyle.BLOCK] * 2
    assert [style_of(count, "distributed") for count in (4, 33, 64)] == [
        WeightStyle.CONSTANT, WeightStyle.LOGIC, WeightStyle.LOGIC
    ]  # fmt: skip


def built(item, model, operator, folder, body):
    """Return the compiled unit, its two streams, and the graph that says its cycles."""
    files, top = generated(model, operator, folder)
    assert lint_design(top, files, defines=BODIES[body]) == []
    library = compile_design(top, files, folder / "obj", ports=PortNames.axi(), defines=BODIES[body])
    source = stream("in0_V", operator.get_folded_input_shape(), operator.get_input_datatype())
    sink = stream("out0_V", operator.get_folded_output_shape(), operator.get_output_datatype())
    machines = machines_of(model, model.graph.node[0], operator)
    assert len(machines) == (1 if item.windows == 1 else 3)
    return library, source, sink, chain({f"unit{place}": one for place, one in enumerate(machines)}, source.beats)


def check_run(item, folder, library, source, sink, graph, stall):
    """Compare all results of a run, and the cycle of each frame's first and last beat."""
    frames = FRAMES // item.windows
    with StreamModel(library, folder) as model:
        run = model.run(
            pack(item.frames.reshape(frames, -1), source), frames * sink.beats, frame_in=source.beats,
            frame_out=sink.beats, stall_probability=stall, seed=3, timeout_cycles=2000,
        )  # fmt: skip
    np.testing.assert_array_equal(unpack(run.beats, sink).reshape(FRAMES, -1), item.expected)
    predicted = predict_cycles(graph, frames, stall_probability=stall, seed=3)
    np.testing.assert_array_equal(run.frame_starts, predicted.input_first)
    np.testing.assert_array_equal(run.frame_ends, predicted.output_last)
    return run


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", NAMES)
def test_results_and_cycles(tmp_path, name, body):
    """Clean under -Wall; equal to numpy with any stalls; a frame every ``words`` cycles, latency as the head says."""
    item = UNITS[name]
    model, operator = item.operator()
    pixels = item.frames.reshape(FRAMES // item.windows, *operator.get_normal_input_shape())
    in_numpy = in_python(model, operator, {"x": pixels})
    np.testing.assert_array_equal(in_numpy.reshape(FRAMES, -1), item.expected)
    design = built(item, model, operator, tmp_path, body)
    for stall in STALLS.values():
        run = check_run(item, tmp_path, *design, stall)
        if stall == 0.0:
            folds, neuron_folds = item.mw // item.simd, item.mh // item.pe
            assert set(run.intervals[3:]) == {item.words} == {operator.get_exp_cycles()}
            expected = folds - 1 + 5 + operator.count_latency()
            if item.windows == 1:
                assert set(run.intervals) == set(np.diff(run.frame_starts)) == {item.words}
            else:  # a width converter each in front and behind, where there is anything to convert
                expected += (folds > 1) + (neuron_folds > 1) * (folds * (neuron_folds - 1) + 1)
            assert run.first_output - run.frame_starts[0] == expected


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["pe_1", "three_words_sums"])
def test_reset_in_a_frame_leaves_nothing(tmp_path, name, body):
    """Reset at any moment of the first frames, whatever is in the pipeline then: frames behind it are right."""
    item = UNITS[name]
    model, operator = item.operator()
    files, top = generated(model, operator, tmp_path)
    source = stream("in0_V", operator.get_folded_input_shape(), operator.get_input_datatype())
    sink = stream("out0_V", operator.get_folded_output_shape(), operator.get_output_datatype())
    text = RESTARTED.format(bits=source.tdata_bits, out=sink.tdata_bits, top=top)
    (tmp_path / "restarted.sv").write_text(text, encoding="utf-8")
    files = [*files, tmp_path / "restarted.sv"]
    library = compile_design("restarted", files, tmp_path / "obj", ports=PortNames.axi(), defines=BODIES[body])
    count = 6
    beats = np.pad(pack(item.frames[:count], source), ((0, 0), (0, 1)))
    reset, pause = np.zeros((2, 1, beats.shape[1]), np.uint8)
    reset[0, -1], pause[0, -1] = 1, 2
    for before in range(2 * source.beats + 1):
        for pauses in range(operator.count_latency() + 12):
            job = np.concatenate([beats[-before:] if before else beats[:0], *[pause] * pauses, reset, beats])
            with StreamModel(library, tmp_path, seed=before + 1) as restarted:
                run = restarted.run(job, count * sink.beats, stall_probability=(0.0, 0.2), timeout_cycles=2000)
                assert restarted.idle(100) == 0
            np.testing.assert_array_equal(unpack(run.beats, sink), item.expected[:count], f"{before} {pauses}")
