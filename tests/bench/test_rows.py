"""The registry, goals, and the table that is made of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.bench.registry import ROWS, find_rows
from xnorflow.bench.results import Entry
from xnorflow.bench.row import Goal
from xnorflow.bench.table import BEGIN, END, bench_table, format_value, replace_table

REPOSITORY = Path(__file__).resolve().parents[2]
ENTRY = Entry("what", 1.5, "LUT/MAC", None, "counted", "abc", "2026-01-31", 2.0, 2, {})


def test_rows_have_names_of_their_own():
    names = [row.id for row in ROWS]
    assert len(set(names)) == len(names) and all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert len({row.what for row in ROWS}) == len(ROWS)
    assert all(row.peer.text and "|" not in row.what for row in ROWS)


def test_what_is_measured_now():
    able = {row.id for row in ROWS if row.measure is not None}
    assert able >= {"unit_pe64_simd64", "unit_pe16_simd64", "integer_tfc", "integer_cnv", "cnv_minutes"}


@pytest.mark.parametrize(
    ("text", "number", "met", "missed"),
    [
        ("<= 1.25", 1.25, 1.25, 1.26),
        (">= 30,000, then 50,000", 30000, 30000, 29999),
        ("<= 25,000 LUT", 25000, 0, 25001),
    ],
)
def test_goals(text, number, met, missed):
    goal = Goal(text)
    assert goal.number == number and goal.is_met(met) and not goal.is_met(missed)


@pytest.mark.parametrize("text", ["", "1.25", "< 1.25", "<=1.25", "<= few"])
def test_goals_that_are_none(text):
    with pytest.raises(ValueError, match="does not begin with <= or >= and a number"):
        Goal(text)


def test_rows_are_found_by_pattern():
    assert [row.id for row in find_rows(("unit_*",))] == ["unit_pe64_simd64", "unit_pe16_simd64"]
    assert [row.id for row in find_rows(("cnv_minutes", "sfc_lut?"))] == ["sfc_luts", "cnv_minutes"]
    assert find_rows(()) == ROWS


def test_unknown_rows_are_refused():
    with pytest.raises(ConfigError, match=r"^option --only: no row is called 'units'; allowed: unit_pe64_simd64, "):
        find_rows(("cnv_minutes", "units"))


@pytest.mark.parametrize(
    ("value", "text"), [(1.7695, "1.77"), (12.0, "12"), (0.5, "0.5"), (328127, "328,127"), (1234.5, "1,234")]
)
def test_numbers_are_shown_shortly(value, text):
    assert format_value(value) == text


def test_table(make_row):
    rows = [make_row("met"), make_row("missed", reason="no counters"), make_row("bare"), make_row("new", goal=">= 3")]
    results = {"met": replace(ENTRY, value=1.25, plain=2.5), "missed": ENTRY, "bare": replace(ENTRY, commit="")}
    lines = bench_table(rows, results).splitlines()
    assert lines[2:6] == [
        "| what met is | 3.03 [1] | ≤ 1.25 | **1.25** LUT/MAC, plain code 2.5: met | counted | 2026-01-31, `abc` |",
        "| what missed is | 3.03 [1] | ≤ 1.25 | **1.5** LUT/MAC: missed; no counters | counted | 2026-01-31, `abc` |",
        "| what bare is | 3.03 [1] | ≤ 1.25 | **1.5** LUT/MAC: missed | counted | 2026-01-31 |",
        "| what new is | 3.03 [1] | ≥ 3 | not measured |  |  |",
    ]
    assert lines[-1] == "Peers: [1] a paper."
    assert {line.count("|") for line in lines[:6]} == {7}


def test_table_takes_its_place():
    text = f"above\n{BEGIN}\nold\n{END}\nbelow"
    found = replace_table(text, "| new |", Path("README.md"))
    assert found == f"above\n{BEGIN}\n\n| new |\n\n{END}\nbelow"
    assert replace_table(found, "| new |", Path("README.md")) == found


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_markers_that_are_missing(text):
    with pytest.raises(
        ConfigError, match=r"^file README\.md: has not both markers .*; allowed: `<!-- bench: begin -->`"
    ):
        replace_table(text, "", Path("README.md"))


def test_the_readme_has_the_table_of_today():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    between = text.partition(BEGIN)[2].partition(END)[0]
    assert [row.id for row in ROWS if row.what not in between] == []
