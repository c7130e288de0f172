"""What stands below the table of a comparison: how to read it, and under which conditions it came about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from xnorflow.train.compare.cells import Cell, Cells
from xnorflow.train.compare.config import TEACHER_METHOD, ComparisonSettings
from xnorflow.train.compare.plan import TEACHER_STAGE, Run
from xnorflow.train.compare.results import Record, Results
from xnorflow.train.compare.statistics import BOUND, chance_beyond
from xnorflow.train.config import DatasetName

__all__ = ["STALE", "notes"]

STALE = "†"
"""Marks results of other settings."""
TITLES = {
    DatasetName.DIGITS: "scikit-learn's digits",
    DatasetName.MNIST: "MNIST",
    DatasetName.FASHION_MNIST: "Fashion-MNIST",
    DatasetName.CIFAR10: "CIFAR-10",
}


def notes(comparison: ComparisonSettings, cells: Cells, results: Results, links: dict[str, str]) -> str:
    """Return a paragraph of Markdown."""
    shown = [record for cell in cells.values() for record in cell.records]
    parts = [
        _what(comparison, shown),
        _how_to_read(comparison, cells),
        _stale(cells),
        _training(list(cells.values())),
        _teachers(cells, results),
        _where(shown),
        f"Data: [{links['results']}]({links['results']}), from `xnorflow compare {links['file']}`.",
    ]
    return "\n".join(part for part in parts if part)


def _what(comparison: ComparisonSettings, shown: list[Record]) -> str:
    title = TITLES.get(comparison.data.dataset, comparison.data.dataset.value)
    frames = shown[0].test_frames if shown else comparison.data.hold_out
    count = f"{frames:,} " if frames else ""
    held_out = f"{count}held-out training images of {title}, on which nothing was trained"
    images = held_out if comparison.data.hold_out else f"{title} test" + (f", {count}images" if count else "")
    return (
        f"Accuracy (float: the binary network as torch computes it) in percent on {images}: "
        "mean ± standard deviation (seeds)."
    )


def _how_to_read(comparison: ComparisonSettings, cells: Cells) -> str:
    title = next(method.title for method in comparison.methods if method.name == comparison.baseline)
    text = (
        f"Second line: difference from *{title}* in points ± its standard error, sqrt(s1²/n1 + s2²/n2), over seeds. "
        f"**Bold**: larger than two standard errors"
    )
    counts: set[int] = set()
    for (network, _), cell in cells.items():
        baseline = cells.get((network, comparison.baseline))
        if baseline is not None and cell.difference(baseline) is not None:
            counts |= {cell.accuracy.count, baseline.accuracy.count}
    chance = chance_beyond(BOUND, sorted(counts))
    if chance is not None:
        text += f", which equal methods of {min(counts)} seeds each exceed by chance in {100 * chance:.0f} of 100 cases"
    text += "; all other differences rank nothing. With one seed (n = 1) no error can be given, and none is compared."
    return text


def _stale(cells: Cells) -> str:
    if not any(cell.stale or cell.left_out for cell in cells.values()):
        return ""
    return (
        f"{STALE}: there are results of other settings than the file's now; alone they are shown and not compared, "
        "beside current ones they are left out."
    )


def _training(cells: list[Cell]) -> str:
    epochs = _by_network(cells, lambda cell: f"{cell.run.epochs} epochs")
    images = _by_network(cells, lambda cell: _augmentation(cell.run))
    return (
        f"A run has {epochs}, stages in sum; its training images are {images}. "
        "CPU minutes: of the seed that took least, as runs beside others on the same core take longer."
    )


def _augmentation(run: Run) -> str:
    parts = []
    if run.settings.shift:
        parts.append(f"shifted by up to {run.settings.shift} pixel{'s' if run.settings.shift > 1 else ''}")
    if run.settings.flip:
        parts.append("half of them mirrored")
    return ", ".join(parts) or "not augmented"


def _by_network(cells: list[Cell], describe: Callable[[Cell], str]) -> str:
    """Describe something that cells have, network by network where they differ."""
    texts: dict[str, list[str]] = {}
    for cell in cells:
        found = texts.setdefault(cell.run.network, [])
        if describe(cell) not in found:
            found.append(describe(cell))
    joined = {network: " or ".join(found) for network, found in texts.items()}
    if len(set(joined.values())) == 1:
        return next(iter(joined.values()))
    return ", ".join(f"{text} ({network})" for network, text in joined.items())


def _teachers(cells: Cells, results: Results) -> str:
    """Say what the teachers were: accuracies as the shown students met them."""
    found: dict[str, set[float]] = {}
    recipes: set[str] = set()
    for cell in cells.values():
        for record in cell.records:
            if record.teacher_accuracy_float is not None:
                found.setdefault(record.network, set()).add(record.teacher_accuracy_float)
        if cell.run.teacher is not None and cell.records:
            recipes.add(_teacher_recipe(cell.run.teacher))
    if not found:
        return ""
    accuracies = "; ".join(
        f"{network} {' and '.join(f'{100 * accuracy:.2f} %' for accuracy in sorted(values))}"
        for network, values in found.items()
    )
    minutes = sum(record.cpu_seconds for record in results.records if record.method == TEACHER_METHOD) / 60
    return (
        f"All methods and seeds of a network have the same teacher ({' or '.join(sorted(recipes))}), with accuracies "
        f"(float) of {accuracies}; the {minutes:.1f} CPU minutes of all teachers are not in the table."
    )


def _teacher_recipe(teacher: Run) -> str:
    stage = next(stage for stage in teacher.settings.all_stages() if stage.name == TEACHER_STAGE)
    return f"{teacher.settings.network}, form {stage.form.value}, {stage.epochs} epochs, seed {teacher.seed}"


def _where(shown: list[Record]) -> str:
    if not shown:
        return "No run is done yet."
    days = sorted({record.date for record in shown})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    torch = _listed(record.tools.get("torch", "unknown") for record in shown)
    return f"Trained on {_listed(record.cpu for record in shown)} with torch {torch}, {span}."


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(sorted(set(values)))
