"""The table's text, number by number, its place in a file, and the plot."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.compare.cells import collect
from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import make_plan
from xnorflow.train.compare.plot import comparison_plot
from xnorflow.train.compare.table import comparison_table, replace_table

LINKS = {"file": "c/tiny.toml", "results": "c/results/tiny.json"}
NARROW, WIDE = "TFC_1W1A", "wide x 2"


def cells_of(comparison, results):
    return collect(comparison, make_plan(comparison), results)


def table_of(comparison, results) -> str:
    return comparison_table(comparison, cells_of(comparison, results), results, LINKS)


def rows_of(table: str) -> dict[str, list[str]]:
    """Return the cells of each row by its first one."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture
def filled(comparison, fill):
    accuracies = {
        (NARROW, "none"): [0.90, 0.92], (NARROW, "kd"): [0.95, 0.97],
        (WIDE, "none"): [0.90, 0.94], (WIDE, "kd"): [0.93],
    }  # fmt: skip
    return fill(comparison, accuracies)


def test_the_numbers(comparison, filled):
    """Deviations sqrt(2) = 1.41 and sqrt(8) = 2.83; the error of the difference sqrt(2/2 + 2/2) = 1.41."""
    rows = rows_of(table_of(comparison, filled))
    assert rows["method"] == ["epochs", NARROW, WIDE, "CPU minutes a run"]
    assert rows["nothing"] == ["4 / 6", "91.00 ± 1.41 (2)", "92.00 ± 2.83 (2)", "1.0"]
    assert rows["distilled"] == ["4 / 6", "96.00 ± 1.41 (2)<br>**+5.00 ± 1.41**", "93.00 (n = 1 of 2)", "1.0"]
    assert list(rows) == ["method", "---", "nothing", "distilled"]


def test_a_difference_within_two_errors_is_not_bold(comparison, fill):
    results = fill(comparison, {(NARROW, "none"): [0.90, 0.92], (NARROW, "kd"): [0.88, 0.90]})
    table = table_of(comparison, results)
    assert rows_of(table)["distilled"][1] == "89.00 ± 1.41 (2)<br>-2.00 ± 1.41"
    assert rows_of(table)["distilled"][2] == "not yet"
    assert "by chance in 18 of 100 cases" in table


def test_the_minutes_are_those_of_the_seed_that_took_least(comparison, filled, make_record):
    for run in make_plan(comparison):
        filled.add(make_record(run, cpu_seconds=150.0 + 60 * run.seed), run)
    table = table_of(comparison, filled)
    assert [row[-1] for row in rows_of(table).values()][2:] == ["3.5", "3.5"]
    assert "CPU minutes: of the seed that took least" in table


def test_what_stands_below(comparison, filled):
    text = table_of(comparison, filled)
    assert text.startswith("**Methods on digits**\n\n| method |")
    for part in (
        "(float: the binary network as torch computes it) in percent on scikit-learn's digits test, 360 images:",
        "difference from *nothing* in points ± its standard error",
        "all other differences rank nothing",
        "With one seed (n = 1) no error can be given",
        "A run has 4 epochs (TFC_1W1A), 6 epochs (wide x 2), stages in sum; its training images are "
        "not augmented (TFC_1W1A), shifted by up to 1 pixel (wide x 2).",
        "the same teacher (TFC_1W1A, form float, 3 epochs, seed 0), with accuracies (float) of "
        "TFC_1W1A 75.00 %; wide x 2 75.00 %",
        "Trained on a processor with torch 2.0, 2026-11-21.",
        "Data: [c/results/tiny.json](c/results/tiny.json), from `xnorflow compare c/tiny.toml`.",
    ):
        assert part in text
    assert "†" not in text


def test_held_out_images_are_called_so(content, fill):
    comparison = ComparisonSettings.model_validate({**content, "data": {"dataset": "digits", "hold_out": 100}})
    results = fill(comparison, {(NARROW, "none"): [0.5, 0.6]}, held_out=True, test_frames=100)
    assert "in percent on 100 held-out training images of scikit-learn's digits" in table_of(comparison, results)


def test_a_table_before_the_first_run(comparison, fill):
    table = table_of(comparison, fill(comparison, {(NARROW, "none"): []}))
    assert rows_of(table)["nothing"] == ["4 / 6", "not yet", "not yet", "-"]
    assert "No run is done yet." in table and "in percent on scikit-learn's digits test: mean" in table


def test_methods_that_a_network_does_not_have(content, fill):
    content["networks"][1]["methods"] = ["none"]
    comparison = ComparisonSettings.model_validate(content)
    results = fill(comparison, {(NARROW, "none"): [0.5, 0.6]})
    assert rows_of(table_of(comparison, results))["distilled"] == ["4", "not yet", "-", "-"]


def test_epochs_of_stages_are_told_apart(content, fill):
    stages = [{"name": "a", "form": "float", "share": 0.5}, {"name": "b", "share": 0.5, "init": "a"}]
    content["methods"].append({"name": "staged", "title": "in stages", "stages": stages})
    comparison = ComparisonSettings.model_validate(content)
    rows = rows_of(table_of(comparison, fill(comparison, {(NARROW, "none"): []})))
    assert rows["in stages"][0] == "2+2 / 3+3"


def test_stale_results_are_marked_and_not_compared(content, comparison, filled, make_record):
    content["methods"][1]["learning_rate"] = 0.02
    changed = ComparisonSettings.model_validate(content)
    table = table_of(changed, filled)
    assert rows_of(table)["distilled"][1:3] == ["96.00 ± 1.41 (2) †", "93.00 (n = 1 of 2) †"]
    assert rows_of(table)["nothing"][1] == "91.00 ± 1.41 (2)"
    assert "†: there are results of other settings than the file's now" in table
    run = next(run for run in make_plan(changed) if run.cell == (NARROW, "kd"))
    filled.add(make_record(run, 0.5), run)
    assert rows_of(table_of(changed, filled))["distilled"][1] == "50.00 (n = 1 of 2) †"  # the other one does not count


def test_nothing_is_compared_with_a_stale_baseline(content, filled):
    content["methods"][0]["learning_rate"] = 0.02
    table = table_of(ComparisonSettings.model_validate(content), filled)
    assert rows_of(table)["distilled"][1] == "96.00 ± 1.41 (2)"
    assert rows_of(table)["nothing"][1] == "91.00 ± 1.41 (2) †"


START, END = "<!-- comparison: tiny -->", "<!-- end comparison -->"


def test_only_what_is_between_the_marks_changes():
    text = f"before\n{START}\nold\n{END}\nafter\n<!-- comparison: other -->\nkept\n{END}\n"
    found = replace_table(text, "tiny", "| new |", Path("README.md"))
    assert found == text.replace("\nold\n", "\n\n| new |\n\n")
    assert replace_table(found, "tiny", "| new |", Path("README.md")) == found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no"),
        (f"{END} {START}", "an unclosed"),
        (f"{START} <!-- comparison: other --> {END}", "an unclosed"),
        (f"{START} {END} {START} {END}", "two of"),
    ],
)
def test_marks_that_are_not_there(text, what):
    with pytest.raises(ConfigError, match=rf"file README\.md: {what} mark `{START}`; allowed: .*{END}.*; put both"):
        replace_table(text, "tiny", "", Path("README.md"))


def test_the_plot_shows_every_seed_and_is_the_same_each_time(comparison, filled, content):
    cells = cells_of(comparison, filled)
    plot = comparison_plot(comparison, cells)
    assert plot == comparison_plot(comparison, cells)
    ElementTree.fromstring(plot)
    for text in ("nothing", "distilled", NARROW, WIDE, "accuracy (%), float"):
        assert f">{text}" in plot
    assert plot.count("<use ") > 7  # a dot each of seven records, and ticks
    fewer = ComparisonSettings.model_validate({**content, "networks": content["networks"][:1]})
    assert comparison_plot(fewer, cells_of(fewer, filled)).count("<use ") < plot.count("<use ")
