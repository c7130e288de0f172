"""Means, errors and the rule that marks differences, against numbers worked out by hand."""

import math

import pytest

from xnorflow.train.compare.statistics import BOUND, Difference, Sample, chance_beyond, difference


def test_a_sample_of_four():
    sample = Sample((2.0, 4.0, 4.0, 6.0))  # squares 4 + 0 + 0 + 4, over 3
    assert sample.count == 4 and sample.mean == 4.0
    assert sample.deviation == pytest.approx(math.sqrt(8 / 3), rel=1e-15)
    assert sample.error == pytest.approx(math.sqrt(2 / 3), rel=1e-15)


def test_one_value_has_no_spread():
    assert (Sample((3.0,)).mean, Sample((3.0,)).deviation, Sample((3.0,)).error) == (3.0, None, None)
    assert difference(Sample((3.0,)), Sample((1.0, 2.0))) is None
    assert difference(Sample((1.0, 2.0)), Sample((3.0,))) is None


def test_the_error_of_a_difference():
    # variances 8/3 and 2, of 4 and 2 values: sqrt(2/3 + 1)
    found = difference(Sample((2.0, 4.0, 4.0, 6.0)), Sample((0.0, 2.0)))
    assert found is not None and found.value == 3.0
    assert found.error == pytest.approx(math.sqrt(5 / 3), rel=1e-15)
    assert found.marked  # 3 > 2 * 1.291


@pytest.mark.parametrize(
    ("value", "error", "marked"),
    [(2.0, 1.0, False), (2.001, 1.0, True), (-2.001, 1.0, True), (-1.9, 1.0, False), (0.5, 0.0, False)],
)
def test_only_more_than_two_standard_errors_are_marked(value, error, marked):
    assert Difference(value, error).marked is marked


def test_how_often_chance_exceeds_two_standard_errors():
    """Student's t: for 2 degrees of freedom P(|t| <= 2) = 2 / sqrt(2 + 4); for 4, 1/sqrt(2) (1 + 1/4)."""
    assert chance_beyond(BOUND, [2]) == pytest.approx(1 - 2 / math.sqrt(6), rel=1e-12)
    assert chance_beyond(BOUND, [3, 3]) == pytest.approx(1 - 1.25 / math.sqrt(2), rel=1e-12)
    assert chance_beyond(BOUND, [100_000]) == pytest.approx(math.erfc(math.sqrt(2)), rel=1e-4)  # the normal's 4.55 %


@pytest.mark.parametrize("counts", [[], [1], [2, 3]])
def test_where_no_chance_can_be_told(counts):
    assert chance_beyond(BOUND, counts) is None
