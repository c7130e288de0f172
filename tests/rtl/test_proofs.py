"""Proven by SAT, for all inputs: what stands for LUTs and carry chains is the plain sum; see proofs.py."""

from __future__ import annotations

import numpy as np
import pytest
from proofs import delayed, is_proven, plain_sum, succeeds

from xnorflow.counters.compressor import compressor_latency, compressor_name, render_compressor, row_width
from xnorflow.counters.shapes import COUNTERS, Atom
from xnorflow.counters.tree import weight_tree
from xnorflow.ops.mvau_rtl import hex_words
from xnorflow.ops.xnor_array import ArrayShape, WeightStyle, render_array
from xnorflow.ops.xnor_cost import LOGIC_WORDS


def full_from(values, first):
    """Return parameters of which those from ``first`` on are for the full tests."""
    return [pytest.param(value, marks=[pytest.mark.full] if value >= first else []) for value in values]


def counter_text(counter, weights):
    """Return a counter and the plain sum of its bits."""
    starts = np.cumsum([0, *(atom.positions for atom in counter.atoms)])
    pairs = sum(1 << start for start, atom in zip(starts, counter.atoms, strict=False) if atom is Atom.PAIR)
    ports = f"(input logic [{len(weights) - 1}:0] bits_i, output logic [{starts[-1]}:0] count_o)"
    return (
        f"module gold {ports};\n  assign count_o = {plain_sum('bits_i', weights, starts[-1] + 1)};\nendmodule\n"
        f"module gate {ports};\n  xnorflow_counter #(.Positions({starts[-1]}), .Pairs(4'd{pairs})) u (.*);\nendmodule\n"
    )


def weights_of(counter):
    """Return the weight of each bit of a counter: of the chain's start, then of its atoms."""
    weights, place = [1], 0
    for atom in counter.atoms:
        weights += [1 << place] * atom.bits
        place += atom.positions
    return weights


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: "_".join(counter.atoms))
def test_counter_is_the_sum(yosys, counter):
    assert is_proven(yosys, counter_text(counter, weights_of(counter)))


@pytest.mark.parametrize("place", [0, 6, 12])
def test_another_sum_is_not_proven(yosys, place):
    """A bit of a wrong weight is found, wherever it is."""
    weights = weights_of(COUNTERS[0])
    weights[place] += 1
    assert not is_proven(yosys, counter_text(COUNTERS[0], weights))


def compressor_text(bits, cycles):
    """Return a compressor's two rows, added, and the plain sum as many cycles later."""
    width, name = row_width((bits,)), compressor_name((bits,))
    ports = f"(input logic clk_i, input logic [{bits - 1}:0] bits_i, output logic [{width}:0] sum_o)"
    total = plain_sum("bits_i_late", [1] * bits, width + 1)
    return (
        f"module gold {ports};\n{delayed('bits_i', bits, cycles)}  assign sum_o = {total};\nendmodule\n"
        f"module gate {ports};\n  logic [{width - 1}:0] row_a, row_b;\n"
        f"  {name} u_dut (.clk_i, .bits_i, .row_a_o(row_a), .row_b_o(row_b));\n"
        f"  assign sum_o = row_a + row_b;\nendmodule\n"
    )


@pytest.mark.parametrize("bits", full_from([*range(1, 17), 20, 24, *range(25, 41)], 25))
def test_compressor_is_the_sum(yosys, bits):
    cycles = compressor_latency((bits,))
    assert is_proven(yosys, compressor_text(bits, cycles), cycles + 1, generated=render_compressor((bits,)))


def test_another_latency_is_not_proven(yosys):
    wrong = compressor_latency((12,)) + 1
    text = compressor_text(12, wrong)
    assert not is_proven(yosys, text, wrong + 1, generated=render_compressor((12,)))


def carries_text(width, stages):
    """Return carries of two trees, counted, and the positions in which two vectors agree."""
    bits, nodes = width.bit_length() + 1, width // 2
    ports = (
        f"(input logic clk_i, input logic [{width - 1}:0] data_i, input logic [{width - 1}:0] weight_i,\n"
        f"  output logic [{bits - 1}:0] count_o)"
    )
    late = delayed("data_i", width, stages) + delayed("weight_i", width, stages)
    lacking = f"{width}'d{0 if width % 2 else 1 << (nodes - 1)}"  # the 1 that an even number of weights lacks
    trees = "".join(
        f"  xnorflow_parity_tree #(.Width({width}), .Stages({stages})) u_{name} (\n"
        f"    .clk_i, .data_i({value}), .tree_o({name})\n  );\n"
        for name, value in (("data", "data_i"), ("weights", f"weight_i ^ {lacking}"))
    )
    return (
        f"module gold {ports};\n{late}  logic [{width - 1}:0] equal;\n  assign equal = data_i_late ~^ weight_i_late;\n"
        f"  assign count_o = {plain_sum('equal', [1] * width, bits)};\nendmodule\n"
        f"module gate {ports};\n  logic [{width - 1}:0] data, weights;\n"
        f"  logic [{nodes - 1}:0] carries;\n  logic odd;\n"
        f"{trees}  xnorflow_xnor_carries #(.Width({width})) u_dut (\n"
        "    .data_tree_i(data), .weight_tree_i(weights), .carries_o(carries), .odd_o(odd)\n  );\n"
        f"  assign count_o = {plain_sum('carries', [2] * nodes, bits)} + {bits}'(odd);\nendmodule\n"
    )


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("width", full_from(range(2, 17), 13))
def test_carries_are_the_count(yosys, width, stages):
    assert is_proven(yosys, carries_text(width, stages), stages + 1)


ARRAYS = {  # SIMD, PE, weight words, and perhaps bits of an input, windows
    "one_word": (7, 3, 1),
    "least": (2, 1, 1),
    "two_words": (6, 3, 2),
    "three_words": (5, 4, 3),
    "four_words": (8, 5, 4),
    "logic": (5, 3, 5),
    "logic_full": (4, 1, 32),
    "block": (7, 2, 33),
    "two_windows_constants": (5, 3, 3, 1, 2),
    "three_windows_logic": (4, 2, 5, 1, 3),
    "two_windows_block": (4, 2, 33, 1, 2),
    "wide_constants": (12, 3, 4),
    "wide_logic": (11, 2, 17),
    "wide_block": (12, 2, 40),
}


def array_text(shape):
    """Return two arrays, of whose rows the counts are made; the word's number stays in its range."""
    bits, sums = shape.simd.bit_length() + 1, shape.lanes * shape.row_width
    ports = (
        f"(input logic clk_i, input logic [{shape.word_width - 1}:0] word_i,\n"
        f"  input logic [{shape.beat_bits - 1}:0] beat_i, output logic [{shape.lanes * bits - 1}:0] count_o)"
    )
    counts = "".join(
        f"  assign count_o[{p * bits} +: {bits}] = {bits}'(2 * (32'(row_a[{p * shape.row_width} +: {shape.row_width}])"
        f" + 32'(row_b[{p * shape.row_width} +: {shape.row_width}])) + 32'(odd[{p}]));\n"
        for p in range(shape.lanes)
    )
    return "".join(
        f"module {name} {ports};\n  logic [{sums - 1}:0] row_a, row_b;\n  logic [{shape.lanes - 1}:0] odd;\n"
        f"  array_{name} u_array (\n    .clk_i, .word_i({shape.word_width}'(word_i < {shape.words} ? word_i : 0)),\n"
        f"    .beat_i, .row_a_o(row_a), .row_b_o(row_b), .odd_o(odd)\n  );\n{counts}endmodule\n"
        for name in ("gold", "gate")
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.full] if name.startswith("wide") else []) for name in ARRAYS]
)
def test_both_bodies_of_an_array_are_equal(yosys, name):
    shape = ArrayShape(*ARRAYS[name])
    bits = np.random.default_rng(5).integers(0, 2, (shape.words, shape.pe * shape.simd), np.uint8)
    trees = weight_tree(bits.reshape(-1, shape.simd)).reshape(bits.shape)
    for file, words in (("bits.mem", bits), ("trees.mem", trees)):
        (yosys.folder / file).write_text(hex_words(words), encoding="utf-8")
    texts = [
        render_array(
            f"array_{body}",
            shape,
            WeightStyle.of(shape.words, in_bram=shape.words > LOGIC_WORDS),
            bits,
            ("bits.mem", "trees.mem"),
        )
        for body in ("gold", "gate")
    ]
    generated = "\n".join([texts[0], "`define XNORFLOW_LUT6", texts[1], render_compressor(shape.heights)])
    assert is_proven(yosys, array_text(shape), shape.latency + 4, generated=generated)


def accumulator_text(acc_width, row_width, one_step, primitives):
    """Return an accumulator and the sum as its head states it."""
    rows = ", ".join(f"input logic [{row_width - 1}:0] row_{row}_i" for row in "ab")
    ports = (
        f"(input logic clk_i, valid_i, last_i, odd_i, {rows},\n"
        f"  input logic [{acc_width - 1}:0] start_i, output logic [{acc_width - 1}:0] sum_o)"
    )
    settings = {"AccWidth": acc_width, "RowWidth": row_width, "OneStep": one_step, "Primitives": primitives}
    parameters = ", ".join(f".{key}({int(value)})" for key, value in settings.items())
    loaded = not one_step and not primitives  # the register takes the next start value in a last step
    after = "start_i" if loaded else "'0"
    kept = "" if one_step else f"    if (valid_i) held <= last_i ? {after} : total;\n"
    base = "held" if loaded else "held | start_i"
    held = "  assign held = '0;\n" if one_step else ""
    return (
        f"module gold {ports};\n  logic [{acc_width - 1}:0] held, total;\n{held}"
        f"  assign total = {acc_width}'(32'({base}) + 2 * (32'(row_a_i) + 32'(row_b_i)) + 32'(odd_i));\n"
        f"  always_ff @(posedge clk_i) begin\n{kept}"
        f"    sum_o <= {{~total[{acc_width - 1}], total[{acc_width - 2}:0]}};\n  end\nendmodule\n"
        f"module gate {ports};\n"
        f"  xnorflow_row_accumulator #({parameters}) u_dut (.last_i(last_i & valid_i), .*);\nendmodule\n"
    )


@pytest.mark.parametrize("primitives", [False, True], ids=["plain", "primitives"])
@pytest.mark.parametrize("one_step", [False, True], ids=["steps", "one_step"])
@pytest.mark.parametrize(("acc_width", "row_width"), [(2, 1), (4, 2), (7, 3), (8, 6), (9, 9), (12, 10), (6, 8)])
def test_accumulator_is_the_sum(yosys, acc_width, row_width, one_step, primitives):
    """After a last step, a start value makes the register anything; then come a step and its result."""
    text = accumulator_text(acc_width, row_width, one_step, primitives)
    assert is_proven(yosys, text, 4, "-set-at 1 in_valid_i 1 -set-at 1 in_last_i 1")


CELLS = """module {name} (
  input logic [5:0] in_i, input logic [3:0] data_i, select_i, input logic carry_i, start_i,
  output logic [71:0] lut_o, low_o, high_o, output logic [3:0] carry_o, sum_o
);
  localparam logic [63:0] Tables [8] = '{{{tables}}};
  for (genvar i = 0; i < 72; i++) begin : gen_table
    localparam logic [63:0] Table = (i < 64) ? 64'd1 << (i % 64) : Tables[i % 8];
    LUT6 #(.INIT(Table)) u_lut (
      .I0(in_i[0]), .I1(in_i[1]), .I2(in_i[2]), .I3(in_i[3]), .I4(in_i[4]), .I5(in_i[5]), .O(lut_o[i])
    );
    LUT6_2 #(.INIT(Table)) u_two (
      .I0(in_i[0]), .I1(in_i[1]), .I2(in_i[2]), .I3(in_i[3]), .I4(in_i[4]), .I5(in_i[5]),
      .O5(low_o[i]), .O6(high_o[i])
    );
  end
  CARRY4 u_chain (
    .DI(data_i), .S(select_i), .CI(carry_i), .CYINIT(start_i), .CO(carry_o), .O(sum_o)
  );
endmodule
"""


def test_our_cells_are_those_of_yosys(yosys):
    """LUTs with each of their bits set alone and with random tables; the carry chain with all of its inputs."""
    rng = np.random.default_rng(6)
    tables = ", ".join(f"64'h{int(table):x}" for table in rng.integers(0, 1 << 63, 8))
    for name in ("gold", "gate"):
        (yosys.folder / f"{name}.sv").write_text(CELLS.format(name=name, tables=tables), encoding="utf-8")
    assert succeeds(
        yosys(
            "read_slang -j 1 --no-synthesis-define --top gate xilinx_cells.sv gate.sv; "
            "select -assert-none t:LUT6 t:LUT6_2 t:CARRY4; "
            "read_slang -j 1 --top gold xilinx_cells.sv gold.sv; select -assert-count 145 gold/t:LUT6* gold/t:CARRY4; "
            "techmap -autoproc -map +/xilinx/cells_sim.v t:LUT6 t:LUT6_2 t:CARRY4; proc; opt_clean; "
            "miter -equiv -flatten gold gate miter; sat -verify -prove trigger 0 miter"
        )
    )
