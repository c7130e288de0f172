"""First layers on DSP multipliers as they are generated: results, every cycle of every frame, and cells by yosys."""

from __future__ import annotations

import numpy as np
import pytest
from binary_weight_units import FRAMES, BinaryWeights
from costs import measure
from units import PART, RESTARTED, generated, in_python, stream

from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.streams import pack, unpack
from xnorflow.cycles.graph import chain
from xnorflow.cycles.run import predict_cycles
from xnorflow.lower.cycle_graph import machines_of
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design

STALLS = {"none": 0.0, "in": (0.4, 0.0), "out": (0.0, 0.4), "both": 0.3}
UNITS = {
    "least": BinaryWeights(1, 1, 1, 1),
    "least_pair": BinaryWeights(2, 2, 1, 2, bits=2),
    "simd_1": BinaryWeights(27, 8, 1, 8),
    "simd_1_pe_odd": BinaryWeights(27, 9, 1, 3),
    "simd_1_pe_1": BinaryWeights(12, 4, 1, 1),
    "simd_3": BinaryWeights(27, 12, 3, 4),
    "simd_3_pe_odd": BinaryWeights(27, 5, 3, 5),
    "simd_9_sums": BinaryWeights(27, 10, 9, 5, thresholded=False),
    "whole_frame": BinaryWeights(27, 6, 27, 2),
    "whole_frame_pe_odd": BinaryWeights(12, 6, 12, 3),
    "one_word": BinaryWeights(9, 7, 9, 7),
    "one_word_sums": BinaryWeights(5, 3, 5, 3, thresholded=False),
    "sums": BinaryWeights(8, 6, 1, 3, thresholded=False),
    "block": BinaryWeights(30, 16, 3, 2),
    "block_few_words": BinaryWeights(12, 6, 2, 3, ram_style="block"),
    "two_bits": BinaryWeights(12, 6, 3, 3, bits=2),
    "widest": BinaryWeights(8, 4, 2, 4, bits=18),
    "widest_sums": BinaryWeights(16, 3, 1, 3, bits=18, thresholded=False),
    "many_inputs": BinaryWeights(784, 4, 4, 2),
}


def built(item, folder):
    """Return the compiled unit, its two streams, and the graph that says its cycles."""
    model, operator = item.operator()
    np.testing.assert_array_equal(in_python(model, operator, {"x": item.frames[:, None]}), item.expected)
    files, top = generated(model, operator, folder)
    assert lint_design(top, files) == []
    library = compile_design(top, files, folder / "obj", ports=PortNames.axi())
    source = stream("in0_V", operator.get_folded_input_shape(), operator.get_input_datatype())
    sink = stream("out0_V", operator.get_folded_output_shape(), operator.get_output_datatype())
    (machine,) = machines_of(model, model.graph.node[0], operator)
    return library, source, sink, chain({"unit": machine}, source.beats)


@pytest.mark.parametrize("name", UNITS)
def test_results_and_cycles(tmp_path, name):
    """Clean under -Wall; equal to numpy with any stalls; a frame every ``words`` cycles, latency as the head says."""
    item = UNITS[name]
    library, source, sink, graph = built(item, tmp_path)
    for stall in STALLS.values():
        with StreamModel(library, tmp_path) as unit:
            run = unit.run(
                pack(item.frames, source), FRAMES * sink.beats, frame_in=source.beats, frame_out=sink.beats,
                stall_probability=stall, seed=3, timeout_cycles=2000,
            )  # fmt: skip
        np.testing.assert_array_equal(unpack(run.beats, sink), item.expected)
        predicted = predict_cycles(graph, FRAMES, stall_probability=stall, seed=3)
        np.testing.assert_array_equal(run.frame_starts, predicted.input_first)
        np.testing.assert_array_equal(run.frame_ends, predicted.output_last)
        if stall == 0.0:
            folds = item.mw // item.simd
            behind = 1 if item.simd == 1 else item.simd if folds == 1 else item.simd + 1
            assert set(run.intervals) == set(np.diff(run.frame_starts)) == {item.words}
            assert run.first_output - run.frame_starts[0] == folds - 1 + 5 + behind


@pytest.mark.parametrize("item", [BinaryWeights(9, 4, 3, 2), BinaryWeights(6, 4, 1, 2), BinaryWeights(4, 6, 4, 2)])
def test_reset_in_a_frame_leaves_nothing(tmp_path, item):
    """Reset at any moment of the first frames, whatever is in the pipeline then: frames behind it are right."""
    model, operator = item.operator()
    files, top = generated(model, operator, tmp_path)
    source = stream("in0_V", operator.get_folded_input_shape(), operator.get_input_datatype())
    sink = stream("out0_V", operator.get_folded_output_shape(), operator.get_output_datatype())
    text = RESTARTED.format(bits=source.tdata_bits, out=sink.tdata_bits, top=top)
    (tmp_path / "restarted.sv").write_text(text, encoding="utf-8")
    files = [*files, tmp_path / "restarted.sv"]
    library = compile_design("restarted", files, tmp_path / "obj", ports=PortNames.axi())
    beats = np.pad(pack(item.frames[:6], source), ((0, 0), (0, 1)))
    reset, pause = np.zeros((2, 1, beats.shape[1]), np.uint8)
    reset[0, -1], pause[0, -1] = 1, 2
    for before in range(2 * source.beats + 1):
        for pauses in range(operator.count_latency() + 12):
            job = np.concatenate([beats[-before:] if before else beats[:0], *[pause] * pauses, reset, beats])
            with StreamModel(library, tmp_path, seed=before + 1) as restarted:
                run = restarted.run(job, 6 * sink.beats, stall_probability=(0.0, 0.2), timeout_cycles=2000)
                assert restarted.idle(100) == 0
            np.testing.assert_array_equal(unpack(run.beats, sink), item.expected[:6], f"{before} {pauses}")


def test_all_ends_are_reached():
    """Sums of both signs' largest magnitude, and neurons that fire always or never."""
    for item in (item for item in UNITS.values() if item.mh > 2):
        reach = item.mw << (item.bits - 1)
        assert item.sums[0, 0] == -reach and item.sums[0, -1] == reach
        if item.thresholded:
            fired = item.expected.mean(axis=0)
            assert fired.min() == 0 and fired.max() == 1


def test_lut_and_dsp_give_the_same(tmp_path):
    for kind in ("auto", "lut", "dsp"):
        item = BinaryWeights(12, 6, 3, 2, res_type=kind)
        (tmp_path / kind).mkdir()
        library, source, sink, _ = built(item, tmp_path / kind)
        with StreamModel(library, tmp_path / kind) as unit:
            run = unit.run(pack(item.frames, source), FRAMES * sink.beats, timeout_cycles=2000)
        np.testing.assert_array_equal(unpack(run.beats, sink), item.expected)


@pytest.mark.parametrize(
    ("item", "bits", "sums"),
    [
        (BinaryWeights(16, 4, 1, 2, bits=18), 18, 24),
        (BinaryWeights(32, 4, 1, 2, bits=18, thresholded=False), 18, 24),
        (BinaryWeights(4, 2, 1, 2, bits=19), 19, 23),
    ],
)
def test_numbers_that_multipliers_do_not_hold(tmp_path, item, bits, sums):
    model, operator = item.operator()
    assert not operator.multipliers().fits
    with pytest.raises(GenerateError) as error:
        generated(model, operator, tmp_path)
    assert str(error.value) == (
        f"node unit, resType: 'dsp' for inputs of {bits} bits, sums of {sums}; allowed: dsp for inputs of up to 18 "
        "bits and sums of up to 23; choose lut"
    )


MEASURED = {
    "accumulated": BinaryWeights(27, 16, 1, 16),
    "in_block_ram": BinaryWeights(27, 64, 1, 16),
    "chain": BinaryWeights(9, 12, 9, 4),
    "both": BinaryWeights(27, 64, 3, 16),
    # The rest: for the full tests
    "unrolled_neurons": BinaryWeights(27, 64, 1, 64),
    "unrolled_neurons_block": BinaryWeights(27, 64, 1, 64, ram_style="block"),
    "two_folds": BinaryWeights(12, 32, 1, 16),
    "pe_odd": BinaryWeights(6, 10, 1, 5),
    "pe_odd_of_few_bits": BinaryWeights(12, 10, 2, 5, bits=4),
    "sums": BinaryWeights(27, 10, 3, 5, thresholded=False),
    "deep": BinaryWeights(48, 32, 4, 4),
    "wide": BinaryWeights(27, 64, 9, 16),
    "wider": BinaryWeights(27, 64, 3, 64),
    "whole_windows": BinaryWeights(27, 64, 27, 16),
    "whole_windows_of_few": BinaryWeights(27, 64, 27, 8),
    "four_bits": BinaryWeights(12, 64, 6, 32, bits=4),
}


def near(names, folder):
    """Multipliers and blocks are exact, LUTs within 10 %, or 8 where that is more."""
    for item in (MEASURED[name] for name in names):
        model, operator = item.operator()
        (cost,) = measure({str(item): (model, operator)}, folder)
        assert cost.cells["DSP48E1"] == operator.dsp_estimation(PART), item
        assert cost.bram18 == cost.mapped_bram18, item
        assert abs(cost.luts - cost.mapped_luts) <= max(8, 0.1 * cost.mapped_luts), str(cost)


@pytest.mark.full
def test_estimates(tmp_path):
    near(MEASURED, tmp_path)


def test_a_product_of_few_bits_is_no_multiplier():
    """A last neuron alone: its products with inputs of 6 bits have 8, which yosys makes of LUTs."""
    found = [BinaryWeights(12, 5, 2, 5, bits=bits).operator()[1].dsp_estimation(PART) for bits in (6, 7)]
    assert found == [2 * 2, 2 * 3]
