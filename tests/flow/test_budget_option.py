"""``--budget`` and ``[build] budget``: read, laid over each other, and explained where they are wrong."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.budget_option import read_budget
from xnorflow.flow.commands import build_overrides
from xnorflow.flow.config import load_config, settings_from_options
from xnorflow.lower.config import BuildSettings, FoldingBudget


def options(budget, table=""):
    return build_overrides(None, None, None, budget, None, None, None, table=table)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("20000,60", {"LUT": 20000, "BRAM36": 60}),
        (" 20000 , 0 ", {"LUT": 20000, "BRAM36": 0}),
        ("20000", {"LUT": 20000}),
        ("20000,", {"LUT": 20000}),
        (",60", {"BRAM36": 60}),
    ],
)
def test_either_may_be_left_out(text, table):
    assert read_budget(text) == table
    assert settings_from_options(BuildSettings, options(text)).budget == FoldingBudget(**table)


@pytest.mark.parametrize("text", ["", ",", "many", "20000,60,4", "2e4", "20_000", "20000;60", "LUT=5", "1.5,2", "٣"])
def test_what_is_no_budget_is_named(text):
    with pytest.raises(ConfigError) as caught:
        options(text)
    assert str(caught.value) == (
        f"option --budget: {text!r}; allowed: LUT,BRAM36 in whole numbers, such as 20000,60, 20000 or ,60; "
        "change the value"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,5", r"^option --budget: 0; allowed: greater than 0; change the value$"),
        ("-7", r"^option --budget: -7; allowed: greater than 0; change the value$"),
        ("9,-1", r"^option --budget: -1; allowed: greater than or equal to 0; change the value$"),
    ],
)
def test_numbers_out_of_range_are_named_by_their_option(text, message):
    with pytest.raises(ConfigError, match=message):
        settings_from_options(BuildSettings, options(text))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("budget = { LUTS = 5 }", r"\[build\.budget\]: unknown key 'LUTS'; allowed: BRAM36, LUT; did you mean 'LUT'\?"),
        ("budget = { BRAM36 = 2.5 }", r"key build\.budget\.BRAM36: 2\.5; allowed: a valid integer, .*; change"),
        ("budget = { LUT = 0 }", r"key build\.budget\.LUT: 0; allowed: greater than 0; change the value$"),
        ("budget = {}", r", \[build\.budget\]: names neither LUT nor BRAM36; change one of these keys$"),
        ("budget = 20000", r"key build\.budget: 20000; allowed: a table; change the value$"),
        ("LUT = 5", r"\[build\]: unknown key 'LUT'; allowed: .*budget.*; LUT belongs in \[build\.budget\]$"),
    ],
)
def test_wrong_tables_are_named(experiment, line, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(experiment("target_cycles = 40", line))
    assert "\n" not in str(caught.value)


def test_the_option_takes_the_place_of_the_table(experiment):
    path = experiment("target_cycles = 40", "budget = { LUT = 20000, BRAM36 = 60 }")
    assert load_config(path).build.budget == FoldingBudget(LUT=20000, BRAM36=60)
    assert load_config(path, options("900", "build")).build.budget == FoldingBudget(LUT=900)


def test_errors_of_the_command_line_are_one_line(cli, experiment, tmp_path):
    outcome = cli("run", experiment("target_cycles = 40", ""), "--runs", tmp_path, "--budget", "lots")
    assert outcome.code == 2 and outcome.error_line().startswith("error: option --budget: 'lots'; allowed: LUT,BRAM36")


@pytest.mark.timeout(300)
def test_a_design_stays_within_its_budget_or_is_refused(cli, experiment, tmp_path):
    path = experiment("target_cycles = 40", "")
    arguments = ("run", path, "--runs", tmp_path, "--until", "generate", "-q", "--budget")
    assert cli(*arguments, "700,2").code == 0
    refused = cli(*arguments, "70,2")
    assert refused.code == 2
    assert "build.budget: LUT=70, BRAM36=2, which no folding of this network fits into" in refused.error_line()
