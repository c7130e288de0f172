"""The matrix-vector unit with weights of a few bits: widths by values, and Python against the generated RTL."""

from __future__ import annotations

import numpy as np
import pytest
from units import PART, check, in_python, in_rtl, unit

from xnorflow.artifact.errors import GenerateError
from xnorflow.cycles.machines import Mvau
from xnorflow.lower.cycle_graph import machines_of
from xnorflow.ops.mvau_cost import MvauShape

MW, MH = 12, 6


def product(weights, source="INT8", kind="INT8", thresholds=None, simd=4, pe=3, vectors=(1,)):
    """Return a model of one unit and its operator, widths not yet minimized."""
    mw, mh = weights.shape
    inputs = {"x": ([*vectors, mw], source), "W": ([mw, mh], kind)}
    if thresholds is not None:
        inputs["T"] = ([mh, 1], "INT32")
    model, operator = unit(
        "FewBitMVAU", inputs, [*vectors, mh], MW=mw, MH=mh, SIMD=simd, PE=pe, inputDataType=source,
        weightDataType=kind, outputDataType="INT32" if thresholds is None else "BINARY", binaryXnorMode=0, ActVal=0,
        noActivation=int(thresholds is None), numInputVectors=list(vectors),
    )  # fmt: skip
    model.set_initializer("W", weights.astype(np.float32))
    if thresholds is not None:
        model.set_initializer("T", np.asarray(thresholds, np.float32)[:, None])
    return model, operator


def minimized(*arguments, **settings):
    model, operator = product(*arguments, **settings)
    operator.minimize_weight_bit_width(model)
    operator.minimize_accumulator_width(model)
    return model, operator


def weights_of(low, high, seed=1):
    """Return weights (MW, MH) of a range; the first neuron's are all highest, the last one's all lowest."""
    found = np.random.default_rng(seed).integers(low, high + 1, (MW, MH))
    found[:, 0], found[:, -1] = high, low
    return found


def frames_of(bits, frames=12, vectors=(1,)):
    """Return inputs of the whole range: the first two all lowest and all highest."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    found = np.random.default_rng(2).integers(low, high + 1, (frames, *vectors, MW))
    found[0], found[1] = low, high
    return {"x": found}


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(-1, 1, 2), (0, 1, 2), (0, 0, 2), (-2, 1, 2), (-1, 2, 3), (-128, 5, 8)]
)
def test_weights_get_the_least_width(low, high, bits):
    model, operator = product(weights_of(low, high))
    assert operator.minimize_weight_bit_width(model, datatype_only=True).name == "INT8"
    assert operator.minimize_weight_bit_width(model).name == operator.get_nodeattr("weightDataType") == f"INT{bits}"
    assert operator.weight_bits() == bits


def test_sums_get_the_least_width_by_values_or_by_datatypes():
    weights = np.zeros((MW, MH))
    weights[:2, 0], weights[3, 1] = 1, -1
    model, operator = product(weights, kind="INT2")
    assert operator.minimize_accumulator_width(model).name == "INT9"  # -256 to 254
    assert operator.get_nodeattr("outputDataType") == operator.get_nodeattr("accDataType") == "INT9"
    assert operator.minimize_accumulator_width(model, datatype_only=True).name == "INT13"  # 12 * -128 * -2
    assert product(weights, kind="INT2", thresholds=[0] * MH)[1].minimize_accumulator_width(model).name == "INT9"
    assert minimized(np.zeros((MW, MH)))[1].get_nodeattr("outputDataType") == "INT2"


UNITS = {
    "ternary": (-1, 1, 8, 4, 3),
    "ternary_one_by_one": (-1, 1, 4, 1, 1),
    "three_bits_at_once": (-4, 3, 3, 12, 6),
    "eight_bits": (-128, 127, 8, 3, 2),
    "no_negative": (0, 3, 2, 6, 6),
}


@pytest.mark.parametrize("name", UNITS)
def test_sums_are_those_of_the_rtl(tmp_path, name):
    low, high, bits, simd, pe = UNITS[name]
    weights = weights_of(low, high)
    model, operator = minimized(weights, f"INT{bits}", simd=simd, pe=pe, vectors=(1, 2, 1))
    frames = frames_of(bits, vectors=(1, 2, 1))
    found = check(model, operator, frames, tmp_path)
    np.testing.assert_array_equal(found, (frames["x"] @ weights).reshape(len(found), -1))


@pytest.mark.parametrize("kind", ["INT5", "TERNARY"])
def test_widths_that_are_not_minimized_are_kept(tmp_path, kind):
    weights = weights_of(-1, 1)
    model, operator = product(weights, "INT4", kind)
    got, _ = in_rtl(model, operator, frames_of(4), tmp_path)
    np.testing.assert_array_equal(got, (frames_of(4)["x"] @ weights).reshape(len(got), -1))


def test_thresholds_up_to_never_and_always(tmp_path):
    weights = weights_of(-1, 1)
    reach = 12 * 8
    thresholds = [reach + 1, -reach - 1, 0, 3, 12 * 8, -12 * 8 + 1]
    model, operator = minimized(weights, "INT4", thresholds=thresholds)
    frames = frames_of(4)
    expected = (frames["x"] @ weights).reshape(-1, MH) >= thresholds
    np.testing.assert_array_equal(in_python(model, operator, frames), expected)
    got, _ = in_rtl(model, operator, frames, tmp_path)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("weights", "settings", "message"), [
    (weights_of(-4, 3), {"kind": "INT2"}, "node unit: INT8 inputs, weights of -4 to 3 as INT2; allowed: inputs"),
    (weights_of(0, 3), {"kind": "UINT2"}, "weights of 0 to 3 as UINT2"),
    (weights_of(-1, 1), {"kind": "INT2", "source": "UINT4"}, "UINT4 inputs"),
    (weights_of(-1, 1), {"kind": "INT2", "source": "BIPOLAR"}, "BIPOLAR inputs"),
    (weights_of(-1, 1), {"kind": "INT2", "simd": 5}, "SIMD=5, PE=3 for MW=12, MH=6"),
    (weights_of(-1, 1), {"kind": "INT2", "thresholds": [0.5] * 6}, r"thresholds of shape \(6, 1\)"),
])  # fmt: skip
def test_units_that_no_module_is(tmp_path, weights, settings, message):
    model, operator = product(weights, **settings)
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match=message):
        operator.generate_hdl(model, PART, 10.0)


def test_reads_and_gives_one_stream():
    _, operator = minimized(weights_of(-1, 1))
    names = operator.get_verilog_top_module_intf_names()
    assert names["s_axis"] == [("in0_V", 32)] and names["m_axis"] == [("out0_V", 40)]
    assert operator.dsp_estimation(PART) == 0


def test_the_cycle_model_knows_the_unit():
    model, operator = minimized(weights_of(-1, 1))
    assert machines_of(model, model.graph.node[0], operator) == [Mvau(12, 6, 4, 3, 8, 2)]


def test_cost_grows_with_the_weights():
    """A bit of a weight costs what it costs in mapped netlists: 1,261 LUT with 2 bits, 1,206 with 4 bits and inputs."""
    assert MvauShape(27, 8, 9, 4, 8, 16, 2).luts == pytest.approx(1261, rel=0.06)
    assert MvauShape(72, 16, 9, 4, 4, 14, 4).luts == pytest.approx(1206, rel=0.06)
    assert MvauShape(64, 32, 16, 4, 8, 22, 8).bram18 == 15
