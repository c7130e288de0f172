"""The results file: what is kept, what is stale, what is refused."""

import json

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import make_plan
from xnorflow.train.compare.results import Results
from xnorflow.train.compare.run import remaining_seconds

ALL = {(network, method): [0.5, 0.75] for network in ("TFC_1W1A", "wide x 2") for method in ("none", "kd")}


@pytest.fixture
def changed(content):
    """The same comparison with another learning rate."""
    return ComparisonSettings.model_validate({**content, "train": {**content["train"], "learning_rate": 0.02}})


def test_records_come_back_sorted(comparison, fill):
    before = fill(comparison, ALL)
    after = Results(comparison.results, comparison.name)
    assert after.records == before.records
    assert [record.key for record in after.records] == sorted(record.key for record in before.records)
    assert all(after.has(run) for run in make_plan(comparison))
    assert not any(after.has(run) for run in make_plan(comparison, [3]))


def test_the_same_records_give_the_same_bytes_in_any_order(comparison, make_record, tmp_path):
    texts = []
    for order in (1, -1):
        path = tmp_path / f"{order}.json"
        results = Results(path, comparison.name)
        for run in make_plan(comparison)[::order]:
            results.add(make_record(run), run)
        texts.append(path.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]


def test_other_settings_make_records_stale_until_their_run_is_repeated(comparison, changed, fill, make_record):
    fill(comparison, ALL)
    results = Results(comparison.results, comparison.name)
    old, runs = make_plan(comparison), make_plan(changed)
    assert not any(results.has(run) for run in runs) and len(results.records) == 8
    assert results.add(make_record(runs[0], 0.9), runs[0])
    assert not results.add(make_record(runs[0], 0.8), runs[0])  # current by now
    assert [results.has(run) for run in (runs[0], runs[1], old[0], old[1])] == [True, False, False, True]
    assert {record.accuracy_float for record in results.records} == {0.8, 0.5, 0.75}


def test_settings_that_no_record_needs_are_dropped(comparison, changed, make_record):
    results = Results(comparison.results, comparison.name)
    for plan in (make_plan(comparison, [1]), make_plan(changed, [1])):
        for run in plan:
            results.add(make_record(run), run)
    content = json.loads(comparison.results.read_text(encoding="utf-8"))
    assert content["settings"] == {run.hash: run.identity for run in make_plan(changed)}


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(comparison="other"), r"of the comparison 'other'; allowed: 'tiny'; give each"),
        (
            lambda content: content.update(format=9),
            r"format: .*; allowed: what `xnorflow compare` wrote, format 1; rest",
        ),
        (lambda content: content["records"][0].pop("loss"), r"records\.0\.loss: Field required; "),
        (lambda content: content["records"][0].update(accuracy_float=94.0), r"records\.0\.accuracy_float: .*less than"),
    ],
)
def test_a_file_of_something_else_is_refused(comparison, fill, change, message):
    fill(comparison, ALL)
    edit(comparison.results, change)
    with pytest.raises(ConfigError, match=rf"results .*tiny\.json: {message}"):
        Results(comparison.results, comparison.name)


def test_a_damaged_file_is_refused(comparison, fill):
    fill(comparison, ALL)
    comparison.results.write_text(comparison.results.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tiny\.json: not JSON: .*; allowed: .*; restore the file, or remove it"):
        Results(comparison.results, comparison.name)
    comparison.results.unlink()
    comparison.results.mkdir()
    with pytest.raises(ConfigError, match=r"tiny\.json: Is a directory"):
        Results(comparison.results, comparison.name)


def test_the_remaining_time_is_told_from_what_is_most_alike(comparison, make_record):
    plan = make_plan(comparison)  # 4 epochs on the first network, 6 on the second
    none, distilled, wide = plan[0], plan[1], plan[2]
    assert remaining_seconds([none], [], 1) is None
    slow = make_record(distilled, seconds=40.0)  # 10 s an epoch
    assert remaining_seconds([none], [slow], 1) == 40.0
    assert remaining_seconds([none, wide], [slow], 2) == 50.0  # (4 + 6) epochs, two at a time
    quick = make_record(none, seconds=4.0)
    assert remaining_seconds([none, distilled], [slow, quick], 1) == 44.0
    assert remaining_seconds([wide], [slow, quick], 1) == 33.0  # 44 s in 8 epochs
