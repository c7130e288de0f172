"""Which runs there are, in which order, and when two are made from the same settings."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import TEACHER_LOSSES, make_plan, select
from xnorflow.train.compare.run import teacher_file
from xnorflow.train.distill.config import TermSettings
from xnorflow.train.distill.registry import make_term

SHARED = {"name": "staged", "title": "in stages"}


def plan_of(content, **changes):
    return make_plan(ComparisonSettings.model_validate({**content, **changes}))


def staged(content, *stages):
    return plan_of(content, methods=[*content["methods"], {**SHARED, "stages": list(stages)}])


def only(runs, network, method, seed=1):
    return next(run for run in runs if (*run.cell, run.seed) == (network, method, seed))


def test_seeds_are_outermost_then_networks_then_methods(comparison):
    assert [(run.seed, run.network, run.method) for run in make_plan(comparison)] == [
        (seed, network, method) for seed in (1, 2) for network in ("TFC_1W1A", "wide x 2") for method in ("none", "kd")
    ]
    assert {run.seed for run in make_plan(comparison, [7])} == {7}


def test_keys_lie_over_each_other(content):
    content["methods"][1] |= {"learning_rate": 0.02, "epochs": 9}
    runs = plan_of(content)
    narrow, wide = only(runs, "TFC_1W1A", "none"), only(runs, "wide x 2", "kd")
    assert (narrow.settings.network, narrow.settings.hidden, narrow.epochs) == ("TFC_1W1A", (16,), 4)
    assert (wide.settings.network, wide.settings.hidden, wide.epochs) == ("TFC_1W1A", (32,), 9)
    assert (wide.settings.learning_rate, wide.settings.batch_size, wide.settings.shift) == (0.02, 32, 1)


def test_a_network_may_have_methods_of_its_own(content):
    content["networks"][1]["methods"] = ["none"]
    assert {run.cell for run in plan_of(content)} == {("TFC_1W1A", "none"), ("TFC_1W1A", "kd"), ("wide x 2", "none")}


def test_all_methods_and_seeds_of_a_network_have_one_teacher(content):
    content["methods"].append({"name": "react", "title": "r", "losses": [{"kind": "distributional"}]})
    content["networks"][1]["teacher"] = {"epochs": 5}
    runs = plan_of(content)
    assert all(run.teacher is None for run in runs if run.method == "none")
    teachers = {(run.network, run.teacher.label, run.teacher.hash) for run in runs if run.teacher}
    assert len(teachers) == 2
    teacher = only(runs, "wide x 2", "kd").teacher
    assert [(stage.name, stage.form, stage.epochs) for stage in teacher.settings.stages] == [
        ("teacher", "float", 5), ("binary", "binary", 1),
    ]  # fmt: skip
    assert (teacher.seed, teacher.settings.hidden, teacher.settings.learning_rate) == (0, (32,), 0.003)


def test_the_losses_that_need_a_teacher_are_known():
    kinds = get_args(get_args(TermSettings)[0])
    assert {kind().kind for kind in kinds if make_term(kind()).needs_teacher} == TEACHER_LOSSES


def test_the_teacher_is_put_in_place(content, tmp_path):
    stages = ({"name": "real", "form": "float", "init": "TEACHER"}, {"name": "last", "teacher": "real"})
    runs = staged(content, *stages)
    run = only(runs, "TFC_1W1A", "staged")
    assert run.settings.stages[0].init == "TEACHER.pt"
    path = teacher_file(run.teacher, tmp_path)
    assert path == tmp_path / "TFC_1W1A" / "teacher" / "train" / "stages" / "teacher.pt"
    bound = run.bound(path)
    assert (bound.stages[0].init, bound.stages[1].teacher) == (str(path), "real")
    single = only(runs, "TFC_1W1A", "kd").bound(path)
    assert [(stage.name, stage.teacher) for stage in single.stages] == [("binary", str(path))]


@pytest.mark.parametrize(("epochs", "found"), [(60, [15, 15, 30]), (30, [8, 7, 15]), (7, [2, 2, 3])])
def test_shares_of_stages_add_up_to_the_epochs(content, epochs, found):
    content["networks"] = [{"name": "TFC_1W1A", "epochs": epochs}]
    shares = ({"name": f"stage{index}", "share": share} for index, share in enumerate((0.25, 0.25, 0.5)))
    run = only(staged(content, *shares), "TFC_1W1A", "staged")
    assert [stage.epochs for stage in run.settings.stages] == found and run.epochs == epochs


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.5, None), (1.5, -0.5), ("a", 0.5)])
def test_shares_that_do_not_add_up(content, shares):
    stages = [{"name": f"s{index}", **({"share": share} if share is not None else {})}
              for index, share in enumerate(shares)]  # fmt: skip
    with pytest.raises(ConfigError, match=r"method staged, stages: share = .*; allowed: numbers above 0 that add up"):
        staged(content, *stages)


def test_a_stage_without_the_teacher_its_losses_need(content):
    with pytest.raises(ConfigError, match=r"method staged, stage last: loss distillation, and no teacher; allowed: "):
        staged(content, {"name": "last", "losses": [{"kind": "distillation"}]})


def test_the_hash_is_that_of_what_matters(content):
    before = {run.cell: run.hash for run in plan_of(content)}
    assert len(set(before.values())) == 4
    moved = {**content, "data": {"dataset": "digits", "root": "/elsewhere"}, "title": "T", "seeds": [5]}
    assert {run.cell: run.hash for run in plan_of(moved)} == before
    spelled = {**content, "train": {**content["train"], "weight_decay": 0.0}}  # the default
    assert {run.cell: run.hash for run in plan_of(spelled)} == before


def test_the_hash_stays_what_it_was(comparison):
    """Committed results carry it: a setting that is new since, and at its default, may not change it."""
    run = only(make_plan(comparison), "TFC_1W1A", "kd")
    train = {"network": "TFC_1W1A", "hidden": [16], "dropout": 0.0, "epochs": 4, "batch_size": 32, "accelerator": "cpu"}
    losses = [{"kind": "cross_entropy"}, {"kind": "distillation", "temperature": 4.0}]
    assert run.identity == {
        "data": {"dataset": "digits"},
        "train": {**train, "losses": losses, "stages": [{"name": "binary", "teacher": "TEACHER.pt"}]},
        "teacher": {"settings": run.teacher.hash, "seed": 0},
    }
    assert run.hash == "c15bec9de0d11b0e"


@pytest.mark.parametrize(
    ("table", "change", "changed"),
    [
        ("train", {"learning_rate": 0.02}, {"TFC_1W1A none", "TFC_1W1A kd", "wide x 2 none", "wide x 2 kd"}),
        ("teacher", {"epochs": 4}, {"TFC_1W1A kd", "wide x 2 kd"}),
        ("teacher", {"seed": 4}, {"TFC_1W1A kd", "wide x 2 kd"}),
        ("data", {"hold_out": 100}, {"TFC_1W1A none", "TFC_1W1A kd", "wide x 2 none", "wide x 2 kd"}),
    ],
)
def test_the_hash_follows_the_settings(content, table, change, changed):
    before = {" ".join(run.cell): run.hash for run in plan_of(content)}
    after = {" ".join(run.cell): run.hash for run in plan_of({**content, table: {**content[table], **change}})}
    assert {cell for cell in before if before[cell] != after[cell]} == changed


def test_runs_are_chosen_by_parts_of_their_names(comparison):
    plan = make_plan(comparison)
    assert select(plan, []) == plan
    assert {run.cell for run in select(plan, ["TFC_1W1A/k"])} == {("TFC_1W1A", "kd")}
    assert {run.cell for run in select(plan, ["x 2/none", "1A/kd"])} == {("wide x 2", "none"), ("TFC_1W1A", "kd")}
    with pytest.raises(ConfigError, match=r"option --only: 'abc'; allowed: part of TFC_1W1A/kd, TFC_1W1A/none, wide"):
        select(plan, ["kd", "abc"])


def test_folders_are_named_after_the_run(comparison):
    run = only(make_plan(comparison), "wide x 2", "kd", 2)
    assert run.folder(Path("runs")) == Path("runs/wide-x-2/kd/seed-2")
    assert run.teacher is not None and run.teacher.folder(Path("runs")) == Path("runs/wide-x-2/teacher")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": "best"}, "baseline: no method is called 'best', but none, kd"),
        ({"seeds": [1, 1]}, "two seeds are called '1'"),
        (
            {"methods": [{"name": "none", "title": "a"}, {"name": "none", "title": "b"}]},
            "two methods are called 'none'",
        ),
        ({"networks": [{"name": "a b"}, {"name": "a-b"}]}, "two networks are called 'a-b'"),
        ({"networks": [{"name": ".."}]}, "'..' holds no letter and no digit, and so names no folder"),
        ({"networks": [{"name": "a|b"}]}, r"'a\|b' is empty, or holds '\|' or the end of a line, which a table"),
        ({"title": " "}, "' ' is empty, or holds"),
        ({"networks": [{"name": "a", "methods": ["kdd"]}]}, "network a: no method is called 'kdd'"),
        (
            {"methods": [{"name": "none", "title": "a"}, {"name": "teacher", "title": "b"}]},
            "may not be called 'teacher'",
        ),
    ],
)
def test_names_that_do_not_fit(content, change, message):
    with pytest.raises(ValidationError, match=message):
        ComparisonSettings.model_validate({**content, **change})
