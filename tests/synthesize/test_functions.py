"""Where resources go, by what nodes are there for."""

from __future__ import annotations

import xnorflow.ops
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.synthesize.cells import Usage
from xnorflow.synthesize.functions import Function, function_of, functions_to_json


def test_every_operator_has_a_function_of_its_own():
    prepare_finn()
    found = {name: function_of(name) for name in xnorflow.ops.__all__}
    assert [name for name, function in found.items() if function is Function.OTHER] == []
    assert set(found.values()) == set(Function) - {Function.OTHER}
    assert function_of("XnorMVAU") is function_of("XnorMVAU_rtl") is Function.MATRIX_UNITS
    assert function_of("StreamingDuplicator_hls") is Function.OTHER


def test_functions_add_up_and_share_the_luts():
    usages = {
        "a": Usage(LUT=60, FF=5, BRAM36=1.5), "b": Usage(LUT=20, LUTRAM=8), "c": Usage(LUT=15, FF=7), "d": Usage(LUT=5),
    }  # fmt: skip
    operators = {"a": "XnorMVAU_rtl", "b": "BoundedFIFO_rtl", "c": "XnorMVAU_rtl"}
    found = functions_to_json(operators, usages)
    assert list(found) == ["matrix units", "FIFOs", "other"]
    assert found["matrix units"] == {
        "nodes": 2, "LUT": 75, "LUTRAM": 0, "FF": 12, "BRAM36": 1.5, "DSP": 0, "CARRY": 0, "MUXF": 0,
        "percent_LUT": 75.0,
    }  # fmt: skip
    assert (found["FIFOs"]["percent_LUT"], found["other"]["percent_LUT"]) == (20.0, 5.0)


def test_a_design_without_luts_has_no_shares():
    assert functions_to_json({"a": "BoundedFIFO_rtl"}, {"a": Usage(FF=3)})["FIFOs"]["percent_LUT"] == 0.0
    assert functions_to_json({}, {}) == {}
