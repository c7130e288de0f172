"""Sums and gates of two streams: datatypes, and Python against the generated RTL."""

from __future__ import annotations

import numpy as np
import pytest
from units import PART, check, in_python, unit

from xnorflow.artifact.errors import GenerateError
from xnorflow.cycles.machines import Add, Gate
from xnorflow.lower.cycle_graph import machines_of

SHAPE = [1, 2, 3, 8]


def join(kind, first, second, pe=4, **attributes):
    """Return a model of one join, datatypes inferred, and its operator."""
    model, operator = unit(
        kind, {"a": (SHAPE, first), "b": (SHAPE, second)}, SHAPE, NumChannels=8, PE=pe, numInputVectors=SHAPE[:-1],
        inputDataType="INT2", outputDataType="INT2", **attributes,
    )  # fmt: skip
    operator.infer_node_datatype(model)
    return model, operator


def whole_range(operator, frames=6, **limits):
    """Return random values of both inputs (frames, *SHAPE) up to their limits, the ends among them."""
    rng, found = np.random.default_rng(1), {}
    for index, name in enumerate("ab"):
        kind = operator.get_input_datatype(index)
        low, high = limits.get(name, (int(kind.min()), int(kind.max())))
        found[name] = rng.integers(low, high + 1, (frames, *SHAPE))
        found[name][0], found[name][1] = low, high
    found["b"][2:4] = found["b"][1::-1]
    found["a"][2:4] = found["a"][:2]
    return found


SUMS = {
    "as_they_are": ("INT8", "INT5", 0, 0, "INT9"),
    "planes_of_counts": ("UINT7", "UINT7", 1, 0, "INT10"),
    "bits": ("BINARY", "BINARY", 0, 3, "INT5"),
    "mixed": ("INT4", "UINT6", 2, 0, "INT8"),
    "apart": ("INT4", "BINARY", 3, 0, "INT7"),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_those_of_the_rtl(tmp_path, name):
    first, second, shift_a, shift_b, kind = SUMS[name]
    model, operator = join("StreamAdd", first, second, ShiftA=shift_a, ShiftB=shift_b)
    assert operator.get_nodeattr("outputDataType") == model.get_tensor_datatype("y").name == kind
    frames = whole_range(operator)
    found = check(model, operator, frames, tmp_path)
    sums = (frames["a"] << shift_a) + (frames["b"] << shift_b)
    np.testing.assert_array_equal(found, sums.reshape(len(sums), -1))


def test_sums_saturate_where_the_output_is_too_narrow(tmp_path):
    model, operator = join("StreamAdd", "INT6", "UINT4", ShiftB=2)
    operator.set_nodeattr("outputDataType", "INT5")
    found = check(model, operator, whole_range(operator), tmp_path)
    assert (found.min(), found.max()) == (-16, 15)


def test_both_streams_are_ports():
    _, operator = join("StreamAdd", "INT8", "UINT5")
    names = operator.get_verilog_top_module_intf_names()
    assert names["s_axis"] == [("in0_V", 32), ("in1_V", 24)] and names["m_axis"] == [("out0_V", 40)]


@pytest.mark.parametrize(("kind", "machine"), [("StreamAdd", Add()), ("StreamGate", Gate())])
def test_the_cycle_model_knows_both(kind, machine):
    model, operator = join(kind, "INT8", "BINARY")
    assert machines_of(model, model.graph.node[0], operator) == [machine]


def test_shifts_cost_no_adder_where_only_one_operand_has_bits():
    luts = [join("StreamAdd", "UINT8", "UINT8", ShiftA=shift)[1].lut_estimation(PART) for shift in (0, 2, 8)]
    assert luts[0] == 8 + 4 * (10 + 8) and luts[1] == 8 + 4 * (12 + 6) and luts[2] == 8 + 4 * 17


# Values, codes, Scale, Offset, MaxShift, ends of the values, result.
GATES = {
    "one_or_two": ("INT6", "BINARY", 1, 0, 1, None, "INT7"),
    "counts": ("UINT7", "UINT2", 2, -64, 3, (0, 64), "INT11"),
    "signed_counts": ("INT9", "UINT2", 2, -192, 2, (0, 192), "INT11"),
    "offset": ("UINT4", "UINT3", 1, 5, 4, None, "INT10"),
    "smallest": ("BINARY", "BINARY", 2, -1, 1, None, "INT3"),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_are_those_of_the_rtl(tmp_path, name):
    values, codes, scale, offset, most, ends, kind = GATES[name]
    model, operator = join(
        "StreamGate", values, codes, 2, codeDataType="UINT2", Scale=scale, Offset=offset, MaxShift=most
    )
    assert operator.get_nodeattr("codeDataType") == codes
    assert operator.get_nodeattr("outputDataType") == model.get_tensor_datatype("y").name == kind
    frames = whole_range(operator, b=(0, most), **({"a": ends} if ends else {}))
    found = check(model, operator, frames, tmp_path)
    wanted = (scale * frames["a"] + offset) << frames["b"]
    np.testing.assert_array_equal(found, wanted.reshape(len(wanted), -1))


def test_streams_of_a_gate_have_their_own_widths():
    _, operator = join("StreamGate", "UINT7", "UINT2", 4, MaxShift=3)
    assert [operator.get_instream_width(index) for index in (0, 1)] == [28, 8]
    assert operator.get_folded_input_shape(1) == operator.get_folded_output_shape() == (1, 2, 3, 2, 4)
    assert operator.get_exp_cycles() == 12 and operator.lut_estimation(PART) > 28


@pytest.mark.parametrize(("limits", "message"), [
    ({"b": (0, 3)}, "node unit: codes are 0 to 3, expected 0 to 2"),
    ({"a": (0, 65), "b": (0, 2)}, "node unit: counts are 0 to 65, expected 0 to 64"),
])  # fmt: skip
def test_values_that_a_gate_is_not_made_for(limits, message):
    model, operator = join("StreamGate", "UINT7", "UINT2", MaxShift=2, Scale=2, Offset=-64)
    frames = {
        name: np.concatenate(values[:2], axis=1)[None] for name, values in whole_range(operator, **limits).items()
    }
    with pytest.raises(ValueError, match=message):
        in_python(model, operator, frames)


@pytest.mark.parametrize(("kind", "first", "second", "attributes", "message"), [
    ("StreamAdd", "BIPOLAR", "INT4", {}, "node unit: values of BIPOLAR; allowed: INT<n>, UINT<n> or BINARY"),
    ("StreamGate", "INT8", "INT2", {}, "node unit: codes of INT2, MaxShift=1; allowed: codes of 1 to 3 bits"),
    ("StreamGate", "INT8", "UINT4", {}, "codes of UINT4, MaxShift=1"),
    ("StreamGate", "INT8", "UINT2", {"MaxShift": 4}, "codes of UINT2, MaxShift=4"),
    ("StreamGate", "UINT8", "UINT2", {"Scale": 2}, "Scale=2, Offset=0; allowed: with Scale=2 an Offset of minus"),
])  # fmt: skip
def test_joins_that_no_module_does(tmp_path, kind, first, second, attributes, message):
    model, operator = join(kind, first, second, **attributes)
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match=message):
        operator.generate_hdl(model, PART, 10.0)


def test_a_gate_into_too_few_bits_is_refused(tmp_path):
    model, operator = join("StreamGate", "INT8", "UINT2", MaxShift=3)
    operator.set_nodeattr("outputDataType", "INT10")
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match="node unit: results of -1,024 to 1,016 as INT10; allowed: an INT<n>"):
        operator.generate_hdl(model, PART, 10.0)
