"""``--budget``, ``--maximize`` and their tables: read, laid over each other, and explained where they are wrong."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.budget_option import read_budget, read_fill
from xnorflow.flow.commands import build_overrides
from xnorflow.flow.config import load_config, settings_from_options
from xnorflow.lower.config import BoardFill, BuildSettings, Cost, FoldingBudget, Objective


def options(budget, table="", maximize=None, fill=None):
    return build_overrides(None, None, None, budget, maximize, fill, None, None, None, table=table)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("20000,60", {"LUT": 20000, "BRAM36": 60}),
        (" 20000 , 0 ", {"LUT": 20000, "BRAM36": 0}),
        ("20000", {"LUT": 20000}),
        ("20000,", {"LUT": 20000}),
        (",60", {"BRAM36": 60}),
        ("20000,60,99", {"LUT": 20000, "BRAM36": 60, "DSP": 99}),
        (",,0", {"DSP": 0}),
    ],
)
def test_any_may_be_left_out(text, table):
    assert read_budget(text) == table
    assert settings_from_options(BuildSettings, options(text)).budget == FoldingBudget(**table)


@pytest.mark.parametrize("text", ["", ",", "many", "9,6,4,1", ",,", "2e4", "20_000", "20000;60", "LUT=5", "1.5,2", "٣"])
def test_what_is_no_budget_is_named(text):
    with pytest.raises(ConfigError) as caught:
        options(text)
    assert str(caught.value) == (
        f"option --budget: {text!r}; allowed: LUT,BRAM36,DSP in whole numbers, such as 20000,60,100, 20000 or ,60; "
        "change the value"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,5", r"^option --budget: 0; allowed: greater than 0; change the value$"),
        ("-7", r"^option --budget: -7; allowed: greater than 0; change the value$"),
        ("9,-1", r"^option --budget: -1; allowed: greater than or equal to 0; change the value$"),
        ("9,1,-2", r"^option --budget: -2; allowed: greater than or equal to 0; change the value$"),
    ],
)
def test_numbers_out_of_range_are_named_by_their_option(text, message):
    with pytest.raises(ConfigError, match=message):
        settings_from_options(BuildSettings, options(text))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "budget = { LUTS = 5 }",
            r"\[build\.budget\]: unknown key 'LUTS'; allowed: BRAM36, DSP, LUT; did you mean 'LUT'\?",
        ),
        ("budget = { BRAM36 = 2.5 }", r"key build\.budget\.BRAM36: 2\.5; allowed: a valid integer, .*; change"),
        ("budget = { LUT = 0 }", r"key build\.budget\.LUT: 0; allowed: greater than 0; change the value$"),
        ("budget = {}", r", \[build\.budget\]: names neither LUT nor BRAM36 nor DSP; change one of these keys$"),
        ("budget = 20000", r"key build\.budget: 20000; allowed: a table; change the value$"),
        ("LUT = 5", r"\[build\]: unknown key 'LUT'; allowed: .*budget.*; LUT belongs in \[build\.budget\]$"),
    ],
)
def test_wrong_tables_are_named(experiment, line, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(experiment("target_cycles = 40", line))
    assert "\n" not in str(caught.value)


def test_what_may_be_filled_is_80_percent_of_the_luts_unless_said():
    settings = settings_from_options(BuildSettings, options(None, maximize=Objective.FPS))
    assert (settings.maximize, settings.fill, settings.budget) == (Objective.FPS, None, None)
    assert (BoardFill().LUT, BoardFill().BRAM36, BoardFill().DSP) == (80, 100, 90)
    settings = settings_from_options(BuildSettings, options(None, maximize=Objective.FPS, fill="60"))
    assert settings.fill == BoardFill(LUT=60, BRAM36=100)


@pytest.mark.parametrize(("text", "table"), [("75,90", {"LUT": 75, "BRAM36": 90}), (",50", {"BRAM36": 50})])
def test_fill_is_read_as_budgets_are(text, table):
    assert read_fill(text) == table


def test_what_is_no_fill_is_named():
    with pytest.raises(ConfigError) as caught:
        options(None, fill="0.8")
    assert str(caught.value) == (
        "option --fill: '0.8'; allowed: LUT,BRAM36,DSP in whole percent of the board's, such as 80,100,90, 80 or ,90; "
        "change the value"
    )
    with pytest.raises(ConfigError, match=r"^option --fill: 120; allowed: less than or equal to 100; change the value"):
        settings_from_options(BuildSettings, options(None, fill="120"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('maximize = "fsp"', r"key build\.maximize: 'fsp'; allowed: 'fps'; did you mean 'fps'\?$"),
        ("fill = { LUT = 0 }", r"key build\.fill\.LUT: 0; allowed: greater than 0; change the value$"),
        (
            "fill = { LUTS = 80 }",
            r"\[build\.fill\]: unknown key 'LUTS'; allowed: BRAM36, DSP, LUT; did you mean 'LUT'\?",
        ),
    ],
)
def test_wrong_maximize_is_named(experiment, line, message):
    with pytest.raises(ConfigError, match=message):
        load_config(experiment("target_cycles = 40", line))


def test_maximize_is_a_key_of_the_table(experiment):
    build = load_config(experiment("target_cycles = 40", 'maximize = "fps"\nfill = { LUT = 70 }')).build
    assert (build.maximize, build.fill) == (Objective.FPS, BoardFill(LUT=70))


def test_minimize_is_an_option_and_a_key_of_the_table(experiment):
    overrides = build_overrides(*10 * [None], Cost.LATENCY, table="build")
    line = "target_cycles = 40"
    build = load_config(experiment(line, line), overrides).build
    assert (build.target_cycles, build.minimize) == (40, Cost.LATENCY)
    assert load_config(experiment(line, f'{line}\nminimize = "latency"')).build == build
    with pytest.raises(ConfigError, match=r"key build\.minimize: 'luts'; allowed: 'latency'"):
        load_config(experiment("target_cycles = 40", 'minimize = "luts"'))


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
