"""Measuring functions on small things: the units compute the same, and each kind of row comes to a result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.bench.integer import integer_row
from xnorflow.bench.networks import build_row, simulation_row
from xnorflow.bench.row import Bench
from xnorflow.bench.unit import UnitParameters, make_plain_unit, make_unit, unit_row, unit_vectors
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design, lint_design

TINY = UnitParameters(mw=48, mh=8, pe=4, simd=16)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, SilentProgress(), jobs=1)


@pytest.mark.parametrize("parameters", [
    TINY, *(pytest.param(replace(TINY, **folding), marks=pytest.mark.full) for folding in ({"pe": 8}, {"simd": 48})),
    replace(TINY, pe=1, simd=1),
])  # fmt: skip
@pytest.mark.parametrize("make", [make_unit, make_plain_unit])
def test_both_units_compute_the_same(tmp_path, make, parameters):
    node = make(parameters, tmp_path)
    weights, thresholds = unit_vectors(parameters)
    inputs = np.random.default_rng(2).integers(0, 2, (100, parameters.mw))
    counts = (inputs[:, :, None] == weights[None]).sum(axis=1)
    source = StreamSpec("in0_V", "BINARY", 1, parameters.mw, parameters.simd)
    sink = StreamSpec("out0_V", "BINARY", 1, parameters.mh, parameters.pe)
    sources = [tmp_path / name for name in node.sources]
    library = compile_design(node.name, sources, tmp_path / "obj", ports=PortNames.axi())
    with StreamModel(library, tmp_path) as design:
        run = design.run(
            pack(inputs, source), 100 * sink.beats, frame_in=source.beats, frame_out=sink.beats, stall_probability=0.3
        )
    found = unpack(run.beats, sink)
    np.testing.assert_array_equal(found, counts >= thresholds)
    assert 0 < found.mean() < 1


@pytest.mark.parametrize("parameters", [TINY, replace(TINY, pe=8, simd=48), replace(TINY, pe=1, simd=1)])
def test_plain_code_is_clean(tmp_path, parameters):
    node = make_plain_unit(parameters, tmp_path)
    assert lint_design(node.name, [tmp_path / name for name in node.sources]) == []


@pytest.mark.full
def test_a_unit_is_measured(bench):
    measured = unit_row(TINY)(bench)
    details = measured.details
    assert (measured.unit, measured.path) == ("LUT/MAC", "yosys, packed estimate + carry slots, xc7")
    assert details["macs"] == 64 and details["parameters"]["weight_style"] == "block"
    for value, kind in ((measured.value, "unit"), (measured.plain, "plain")):
        counts = details[kind]
        assert value == round(counts["total"] / 64, 3) and counts["total"] == counts["packed"] + counts["slots"]
        assert 64 * 0.5 < counts["packed"] <= counts["cells"] and counts["BRAM36"] == 1.0
        assert counts["FF"] == sum(number for cell, number in counts["cells_by_type"].items() if cell.startswith("FD"))
    assert measured.plain == pytest.approx(measured.value * details["plain_to_unit"], rel=0.01)


def test_weights_go_where_they_are_told(tmp_path):
    for style, held in (("block", 'rom_style = "block"'), ("distributed", "u_weight_0")):
        folder = tmp_path / style
        folder.mkdir()
        make_unit(replace(TINY, weight_style=style), folder)
        assert held in (folder / "unit_array.sv").read_text()


def test_a_folding_that_does_not_divide(tmp_path):
    with pytest.raises(GenerateError, match="SIMD=7"):
        make_unit(replace(TINY, simd=7), tmp_path)


def test_integer_onnx_is_timed(bench):
    measured = integer_row("DIGITS_TFC_1W1A", 64, (8, 64), (1,))(bench)
    tries = measured.details["tries"]
    assert [(entry["batch"], entry["threads"]) for entry in tries] == [(8, 1), (64, 1)]
    assert measured.value == max(entry["images_a_second"] for entry in tries) > 0
    assert measured.path.startswith("onnxruntime, batches of ") and measured.unit == "images/s"


@pytest.mark.full
def test_a_simulation_is_timed_once_for_both_rows(bench):
    cycles = simulation_row("DIGITS_TFC_1W1A", 12, 64, frames_a_second=False)(bench)
    frames = simulation_row("DIGITS_TFC_1W1A", 12, 64, frames_a_second=True)(bench)
    assert cycles.details == frames.details
    details = cycles.details
    assert details["cycles"] >= 12 * details["cycles_a_frame"] and details["processes"] == 2
    assert cycles.value / frames.value == pytest.approx(details["cycles"] / 12, rel=0.01)
    assert frames.value > details["frames_a_second_build_included"] > 0
    assert (cycles.unit, frames.unit) == ("cycles/s", "frames/s")


@pytest.mark.full
def test_a_whole_build_is_timed(bench):
    measured = build_row("DIGITS_TFC_1W1A")(bench)
    details = measured.details
    parts = sum(details[f"{stage}_seconds"] for stage in ("lower", "generate", "simulate", "synthesize"))
    assert 0.8 * parts < details["seconds"] < 1.5 * parts + 5
    assert measured.value == round(details["seconds"] / 60, 2)
    assert details["frames_differing"] == 0 and details["packing"]["cells"] == details["mapped"]["LUT"]
