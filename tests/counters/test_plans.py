"""Counters and the plans made of them: what they take and give, sums, rows, cost, and the same plan each time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xnorflow.counters.compressor import compressor_latency, compressor_luts, row_width
from xnorflow.counters.plan import ROWS, plan_rows
from xnorflow.counters.shapes import COUNTERS

BITS = [*range(1, 41), 72, 144, 288]
TAKES = {
    "pair_pair": (7, 0, 6), "pair": (7,), "pair_single_single": (7, 0, 2, 2), "pair_single": (7, 0, 2),
    "single_pair_single": (3, 6, 0, 2), "single_single_pair": (3, 2, 6), "single_pair": (3, 6),
    "single_single_single_single": (3, 2, 2, 2), "single_single_single": (3, 2, 2), "single_single": (3, 2),
    "single": (3,),
}  # fmt: skip


def name_of(counter):
    return "_".join(counter.atoms)


def padded(takes, counter):
    """Return what it takes, with the zero of a pair at the end of the chain."""
    return takes + (0,) * (sum(atom.positions for atom in counter.atoms) - len(takes))


def test_counters_take_what_their_names_say():
    assert {name_of(counter) for counter in COUNTERS} == set(TAKES)
    for counter in COUNTERS:
        assert counter.takes == padded(TAKES[name_of(counter)], counter)


@pytest.mark.parametrize("counter", COUNTERS, ids=name_of)
def test_a_counter_gives_every_sum_of_what_it_takes(counter):
    """Its outputs hold the largest sum, with none to spare: each of 2**gives values comes out."""
    positions = sum(atom.positions for atom in counter.atoms)
    assert counter.luts == positions <= 4
    assert counter.gives == positions + 1
    assert counter.removes == sum(counter.takes) - counter.gives <= 2 * counter.luts
    columns = (range(bits + 1) for bits in counter.takes)
    sums = {sum(count << place for place, count in enumerate(counts)) for counts in itertools.product(*columns)}
    assert sums == set(range(1 << counter.gives))


def test_most_bits_a_lut_come_first():
    ratios = [counter.removes / counter.luts for counter in COUNTERS]
    assert ratios[:2] == [2, 2] and max(ratios) == 2


def corners(bits, rng):
    """Return vectors (vectors, bits): random ones, dense and sparse ones, one bit set or clear, none and all."""
    dense = [rng.random((40, bits)) < share for share in (0.5, 0.1, 0.9)]
    single = np.eye(bits, dtype=bool)
    return np.concatenate([*dense, single, ~single, np.zeros((1, bits), bool), np.ones((1, bits), bool)]).astype(int)


def value(columns):
    """Return the sum of bits (vectors,) in columns of weight 1, 2, 4..."""
    return sum(sum(column) << place for place, column in enumerate(columns))


def through(level, columns):
    """Return the columns behind a level, each counter computed from the bits that it takes."""
    left = [list(column) for column in columns]
    given = [[] for _ in level.after]
    for use in level.uses:
        total = 0
        for offset, bits in enumerate(use.counter.takes):
            if bits:
                taken = [left[use.column + offset].pop(0) for _ in range(bits)]
                total = total + (sum(taken) << offset)
        for offset in range(use.counter.gives):
            given[use.column + offset].append(total >> offset & 1)
    left += [[] for _ in range(len(given) - len(left))]
    assert not any(left[len(given) :])
    return [a + b for a, b in zip(left, given, strict=False)]


@pytest.mark.parametrize("bits", BITS)
def test_a_plan_keeps_the_sum(bits):
    """Bits are taken no more than once, all of them arrive, and two rows or fewer are left."""
    vectors = corners(bits, np.random.default_rng(bits))
    columns = [list(vectors.T)]
    plan = plan_rows((bits,))
    assert plan.heights == (bits,)
    for level in plan.levels:
        assert tuple(map(len, columns)) == level.before
        columns = through(level, columns)
        assert tuple(map(len, columns)) == level.after
        np.testing.assert_array_equal(value(columns), vectors.sum(axis=1))
    assert tuple(map(len, columns)) == plan.result and max(plan.result) <= ROWS == 2
    assert (len(plan.levels) == 0) == (bits <= 2)


@pytest.mark.parametrize("bits", BITS)
def test_a_plan_costs_half_a_lut_a_bit(bits):
    """No counter removes more than two bits per LUT: below that there is nothing, above it little is lost."""
    plan = plan_rows((bits,))
    assert plan.luts == compressor_luts((bits,)) == sum(use.counter.luts for level in plan.levels for use in level.uses)
    assert 2 * plan.luts >= bits - sum(plan.result)
    assert plan.luts <= 0.55 * bits + (0 if bits > 30 else 2)


@pytest.mark.parametrize("bits", BITS)
def test_rows_hold_the_sum(bits):
    """Rows of ``row_width`` bits hold what is left of the columns, and one of them would hold the sum."""
    assert row_width((bits,)) >= len(plan_rows((bits,)).result)
    assert bits < 1 << row_width((bits,)) <= 4 * bits
    assert compressor_latency((bits,)) == len(plan_rows((bits,)).levels) <= bits.bit_length()


def test_a_plan_is_the_same_each_time():
    for heights in ((40,), (144,), (9, 4, 7)):
        first = plan_rows(heights)
        plan_rows.cache_clear()
        assert plan_rows(heights) == first


@pytest.mark.parametrize("heights", [(3, 0, 5), (1, 9), (0, 0, 7), (2, 2, 2), (9, 4, 7), (6, 13, 1, 20)])
def test_columns_of_several_weights(heights):
    rng = np.random.default_rng(sum(heights))
    columns = [list(rng.integers(0, 2, (height, 200))) for height in heights]
    expected = value(columns)
    for level in plan_rows(heights).levels:
        columns = through(level, columns)
    assert max(map(len, columns)) <= ROWS
    np.testing.assert_array_equal(value(columns), expected)


@pytest.mark.parametrize("heights", [(), (0,), (2,), (1, 2), (2, 0, 0)])
def test_rows_are_left_alone(heights):
    plan = plan_rows(heights)
    assert plan.levels == () and plan.luts == 0 and sum(plan.result) == sum(heights)
