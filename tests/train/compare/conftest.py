"""A small comparison on digits, and records that nobody trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import Run, make_plan
from xnorflow.train.compare.results import Record, Results

KD = [{"kind": "cross_entropy"}, {"kind": "distillation", "temperature": 4.0}]


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    """A comparison of two methods on two networks, as read from TOML."""
    return {
        "name": "tiny",
        "title": "Methods on digits",
        "seeds": [1, 2],
        "baseline": "none",
        "results": str(tmp_path / "results" / "tiny.json"),
        "data": {"dataset": "digits"},
        "train": {"epochs": 4, "batch_size": 32, "accelerator": "cpu", "dropout": 0.0},
        "teacher": {"epochs": 3, "learning_rate": 0.003},
        "networks": [
            {"name": "TFC_1W1A", "hidden": [16]},
            {"name": "wide x 2", "network": "TFC_1W1A", "hidden": [32], "epochs": 6, "shift": 1},
        ],
        "methods": [{"name": "none", "title": "nothing"}, {"name": "kd", "title": "distilled", "losses": KD}],
    }


@pytest.fixture
def comparison(content: dict[str, Any]) -> ComparisonSettings:
    return ComparisonSettings.model_validate(content)


def record_of(run: Run, accuracy: float = 0.5, **changes: Any) -> Record:
    teacher = 0.75 if run.teacher else None
    facts = {"network": run.network, "method": run.method, "seed": run.seed, "accuracy_float": accuracy,
             "test_frames": 360, "held_out": False, "loss": 0.5, "epochs": run.epochs, "seconds": 10.0 * run.epochs,
             "cpu_seconds": 60.0, "parameters": 100, "teacher_accuracy_float": teacher, "settings": run.hash,
             "tools": {"torch": "2.0"}, "cpu": "a processor", "date": "2026-11-21"}  # fmt: skip
    return Record.model_validate({**facts, **changes})


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return record_of


@pytest.fixture
def fill() -> Callable[..., Results]:
    """Return results with the given accuracies of each cell, one a seed from 1 on."""

    def make(comparison: ComparisonSettings, accuracies: dict[tuple[str, str], list[float]], **changes: Any) -> Results:
        results = Results(comparison.results, comparison.name)
        seeds = range(1, 1 + max(map(len, accuracies.values())))
        for run in make_plan(comparison, list(seeds)):
            values = accuracies.get(run.cell, [])
            if run.seed <= len(values):
                results.add(record_of(run, values[run.seed - 1], **changes), run)
        return results

    return make
