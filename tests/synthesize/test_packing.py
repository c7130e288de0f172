"""Packing estimates: every rule on a netlist made by hand, whole modules through yosys, and size."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import time

import pytest

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.processes import Command, run_commands
from xnorflow.artifact.progress import SilentProgress
from xnorflow.synthesize.counts import count_netlist, counting_rules, read_counts
from xnorflow.synthesize.netlist import Cell, Netlist, read_netlist
from xnorflow.synthesize.packing import Packing, estimate_packing, sum_packings
from xnorflow.synthesize.pairing import Function, pair_functions
from xnorflow.synthesize.yosys import find_yosys

NUMBERS = itertools.count(1000)  # nets that a test does not name


def lut(*inputs, output=None):
    kind = "INV" if inputs == ("inverted",) else f"LUT{len(inputs)}"
    return Cell(kind, {f"I{i}": [bit] for i, bit in enumerate(inputs)}, {"O": [output or next(NUMBERS)]})


def lut6_2(o5, o6, *inputs):
    return Cell("LUT6_2", {f"I{i}": [bit] for i, bit in enumerate(inputs)}, {"O5": [o5], "O6": [o6]})


def carry(select, data=None, carry_in="0", total=None, out=None, width=4):
    """A carry cell; what is not given is constant, or a net that nobody reads."""
    pad = ["0"] * (width - len(select))
    fresh = [next(NUMBERS) for _ in range(2 * width)]
    return Cell(
        f"CARRY{width}",
        {"CI": [carry_in], "CYINIT": ["0"], "S": [*select, *pad], "DI": [*(data or ["0"] * len(select)), *pad]},
        {"O": [*(total or []), *fresh][:width], "CO": [*(out or []), *fresh[width:]][:width]},
    )


def register(data):
    return Cell("FDRE", {"C": [1], "CE": ["1"], "R": ["0"], "D": [data]}, {"Q": [next(NUMBERS)]})


def estimate(*cells, leaving=()):
    return estimate_packing(Netlist(list(cells), list(leaving)))


def lut_counts(*cells, leaving=()):
    found = estimate(*cells, leaving=leaving)
    return found.cells, found.packed, found.slots


@pytest.mark.parametrize(
    ("first", "second", "packed"),
    [
        ((2, 3, 4, 5, 6), (2, 3, 4, 5, 6), 1),
        ((2, 3, 4, 5, 6), (6, 5), 1),
        ((2, 3, 4, 5, 6), (6, 7), 2),
        ((2, 3, 4), (4, 5, 6), 1),
        ((2, 3, 4), (5, 6, 7), 2),
        ((2, 3, 4), (5, 6), 1),
        ((2, 3, 4, 5, 6, 7), (2, 3), 2),
        ((2, 3, 4, 5, "0", "1"), (2, 3), 2),  # a LUT6 is never paired
        ((2, 2, 3, 3, 4), (5, 6), 1),  # five pins, three nets
    ],
)
def test_two_functions_share_a_site_with_at_most_five_inputs(first, second, packed):
    assert lut_counts(lut(*first), lut(*second)) == (2, packed, 0)
    assert lut_counts(lut(*second), lut(*first)) == (2, packed, 0)


def test_pairs_with_most_inputs_in_common_come_first():
    functions = [Function(inputs) for inputs in [(2, 3), (2, 3, 4, 5), (2, 3, 4, 5, 6), (7, 8), (2, 9), (10, 11)]]
    # 1 and 2 share four inputs; of the rest 0 and 4 share one; 3 and 5 none.
    assert pair_functions(functions) == ([(2, 1), (0, 4)], [(3, 5)])


def test_unrelated_pairs_are_told():
    found = estimate(lut(2, 3, 4), lut(5, 6), lut(7, 8), lut(8, 9))
    assert (found.cells, found.packed, found.unrelated) == (4, 2, 1)


def test_inverters_count_as_lut1():
    inverters = [Cell("INV", {"I": [net]}, {"O": [next(NUMBERS)]}) for net in (2, 3, 4)]
    assert lut_counts(inverters[0]) == (1, 1, 0)
    assert lut_counts(*inverters, lut(2, 3, 5, 6)) == (4, 2, 0)


def test_instantiated_lut6_2_and_memories():
    pair = lut6_2(20, 21, 2, 3, 4, 5, 6, "1")
    assert lut_counts(pair, lut6_2(22, 23, 2, 3, 4, 5, 6, "1"), lut(2, 3)) == (3, 3, 0)
    memory = Cell("RAM32M", {"ADDRA": [2]}, {"DOA": [30]})
    shift = Cell("SRLC32E", {"D": [2]}, {"Q": [31]})
    found = estimate(memory, shift, lut(2, 3))
    assert (found.cells, found.packed, found.LUTRAM) == (6, 6, 5)


def test_each_select_input_of_a_used_position_has_a_lut_or_blocks_a_slot():
    adder = carry([20, 21, 22, 23], [2, 3, 4, 5], total=[40, 41, 42, 43])
    luts = [lut(2 + i, 12 + i, output=20 + i) for i in range(4)]
    assert lut_counts(adder, *luts, leaving=[40, 41, 42, 43]) == (4, 4, 0)
    # From flip-flops, from a constant, from another module.
    counter = carry([20, 12, 13, "1"], total=[40, 41, 42, 43])
    assert lut_counts(counter, luts[0], leaving=[40, 41, 42, 43]) == (1, 1, 3)


def test_positions_behind_the_end_are_idle():
    short = carry([20, 21], total=[40, 41])
    found = estimate(short, lut(2, 3, output=20), lut(4, 5, output=21), leaving=[41])
    assert (found.packed, found.slots, found.idle) == (2, 0, 2)
    assert estimate(short, leaving=[40]).slots == 1
    assert estimate(short).slots == 0
    through = carry(["1", "1", "1", "1"], out=[50, 51, 52, 53])
    assert estimate(through, leaving=[52]).slots == 3


def test_a_carry_that_a_later_cell_needs_uses_all_positions():
    low = carry([2], out=[50, 51, 52, 53])
    middle = carry([], carry_in=53, out=[60, 61, 62, 63])
    high = carry([3], carry_in=63, total=[70])
    found = estimate(high, middle, low, leaving=[70])  # listed from the top down
    assert (found.slots, found.idle) == (9, 3)
    assert estimate(low, middle, high, leaving=[70]) == found
    assert estimate(low, middle, high).slots == 0
    assert estimate(low, middle, high, leaving=[51]).slots == 2


def test_a_carry8_has_eight_positions():
    eight = carry([*range(2, 10)], total=[*range(40, 48)], width=8)
    found = estimate(eight, leaving=[45])
    assert (found.slots, found.idle, found.CARRY) == (6, 2, 1)


def test_a_lut_is_in_one_place():
    both = carry([20, 20], total=[40, 41])
    assert lut_counts(both, lut(2, 3, output=20), leaving=[40, 41]) == (1, 1, 1)


def test_the_select_input_takes_output_o6_only():
    cells = carry([20], total=[40]), carry([21], total=[41]), lut6_2(20, 21, 2, 3, 4, 5, 6, "1")
    assert lut_counts(*cells, leaving=[40, 41]) == (1, 1, 1)


def accumulator(*luts, leaving=(), registered=True):
    """Two positions whose sums go to flip-flops, or out."""
    chain = carry([20, 21], [30, 31], total=[40, 41])
    sums = [register(40), register(41)] if registered else []
    return lut_counts(chain, *luts, *sums, leaving=[*leaving, *([] if registered else [40, 41])])


def test_two_functions_of_select_inputs_never_share_a_site():
    selects = [lut(2, 3, output=20), lut(2, 3, output=21)]
    assert accumulator(*selects) == (2, 2, 0)
    assert accumulator(*selects, lut(2, 3), lut(2, 3)) == (4, 2, 0)


def test_the_function_of_the_same_position_goes_first():
    selects, data = [lut(2, 3, 4, output=20), lut(5, 6, output=21)], lut(2, 3, output=30)
    # 30 could be with either; beside the first it saves the way in.
    assert accumulator(*selects, data, lut(5, 6, 2)) == (4, 2, 0)


@pytest.mark.parametrize(
    ("leaving", "registered", "packed"),
    [([], True, 1), ([], False, 1), ([30], True, 1), ([30], False, 2)],
)
def test_outputs_leave_by_one_multiplexer(leaving, registered, packed):
    """The data function may be read elsewhere, or the sum may be read by logic, but not both."""
    found = accumulator(lut(2, 3, output=20), lut(2, 3, output=30), leaving=leaving, registered=registered)
    assert found == (2, packed, 1)


def test_no_other_function_beside_a_sum_that_logic_reads():
    functions = lut(2, 3, output=20), lut(2, 3)
    assert accumulator(*functions, registered=True) == (2, 1, 1)
    assert accumulator(*functions, registered=False) == (2, 2, 1)


def test_inputs_of_a_muxf7_need_o6():
    wide = Cell("MUXF7", {"I0": [20], "I1": [21], "S": [9]}, {"O": [50]})
    assert lut_counts(wide, lut(2, 3, output=20), lut(2, 3, output=21)) == (2, 2, 0)
    assert lut_counts(wide, lut(2, 3, output=20), lut(2, 3)) == (2, 1, 0)


def test_sums():
    parts = Packing(3, 2, 1, 0, 4, 5, 6, 7, 0.5, 1, 2), Packing(cells=1, packed=1, BRAM36=1.5)
    assert sum_packings(parts) == Packing(4, 3, 1, 0, 4, 5, 6, 7, 2.0, 1, 2)
    assert sum_packings(parts).total == 4
    assert Packing.from_json(parts[0].to_json()) == parts[0]


def netlist(folder, text, family="xc7"):
    """Map module ``top`` with yosys and count it as the stage does."""
    (folder / "top.sv").write_text(text)
    yosys = find_yosys(folder, SilentProgress())
    script = (
        "read_slang -j 1 --top top top.sv; "
        f"synth_xilinx -family {family} -noiopad -noclkbuf -flatten -top top; "
        "tee -q -o a.stat stat -json -tech xilinx -top top; select top; write_json -selected a.netlist"
    )
    command = Command((*yosys.command, "-q", "-p", script), folder / "log", cwd=folder)
    with contextlib.closing(run_commands([command])) as outcomes:
        assert next(outcomes).code == 0, (folder / "log").read_text()
    return read_counts(count_netlist(folder, "a", "top"))


ADDER = """module top (
  input logic clk_i, input logic [7:0] a_i, b_i, output logic [8:0] sum_o, output logic [7:0] count_o);
  always_ff @(posedge clk_i) begin sum_o <= 9'(a_i) + 9'(b_i); count_o <= count_o + 8'd1; end
endmodule
"""


@pytest.mark.parametrize("family", ["xc7", "xcup"])
def test_adder_and_counter_through_yosys(tmp_path, family):
    cells, found = netlist(tmp_path, ADDER, family)
    assert cells == {"CARRY4": 5, "FDRE": 17, "INV": 1, "LUT2": 8}
    # Each bit's LUT stands in its carry position. Slots: the sum's ninth bit, and bits 1 to 7 of the counter.
    assert (found.cells, found.packed, found.slots, found.idle) == (9, 9, 8, 3)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".log") == ["a.json", "log", "top.sv"]


POPCOUNT = """module top (input logic [5:0] x_i, output logic [2:0] count_o);
  always_comb begin count_o = '0; for (int i = 0; i < 6; i++) count_o = count_o + 3'(x_i[i]); end
endmodule
"""


def test_popcount_of_six_through_yosys(tmp_path):
    cells, found = netlist(tmp_path, POPCOUNT)
    assert cells == {"CARRY4": 1, "LUT3": 1, "LUT5": 2, "LUT6": 1}
    # The LUT6 and a LUT5 are alone; the LUT3 of DI1 is beside the LUT5 of S1. Bit 2 is the carry behind them: a slot.
    assert (found.cells, found.packed, found.slots, found.idle) == (4, 3, 1, 1)


@pytest.mark.full
def test_hundred_thousand_luts_within_a_minute():
    """Half of them on one net of high fan-out."""
    numbers = random.Random(1)
    cells = []
    for place in range(100_000):
        near = [2 + place // 3 + numbers.randrange(12) for _ in range(numbers.choice([1, 2, 3, 4, 5]))]
        cells.append(lut(*near, *([1] if place % 2 else [])))
    start = time.process_time()
    found = estimate(*cells)
    assert time.process_time() - start < 60
    assert 50_000 <= found.packed < 85_000
    assert estimate(*cells) == found


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"modules": {"other": {}}}', '{"modules": {"top": {"ports": {}, "cells": {"a": {"type": "X"}}}}}'],
)
def test_netlist_that_is_none(tmp_path, content):
    path = tmp_path / "a.netlist"
    path.write_text(content)
    with pytest.raises(SynthesizeError, match=r"^netlist .*a\.netlist: missing, or no netlist of module top; all"):
        read_netlist(path, "top")


def test_counts_that_are_none(tmp_path):
    path = tmp_path / "a.json"
    for content in ("", "[]", json.dumps({"cells": {}, "packing": {"packed": 1}})):
        path.write_text(content)
        with pytest.raises(SynthesizeError, match=r"^counts .*a\.json: missing or damaged; synthesize again$"):
            read_counts(path)


def test_rules_are_part_of_the_key():
    assert "def estimate_packing" in counting_rules() and "def pair_functions" in counting_rules()
