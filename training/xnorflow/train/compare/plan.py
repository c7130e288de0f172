"""Which trainings a comparison consists of, in which order, and from which settings each is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.binarize.form import Form
from xnorflow.train.compare.config import (
    TEACHER,
    TEACHER_METHOD,
    ComparisonSettings,
    MethodEntry,
    NetworkEntry,
    folder_name,
    given,
)
from xnorflow.train.config import DataSettings, RecipeSettings, StageSettings, TrainSettings

__all__ = ["TEACHER_LOSSES", "TEACHER_STAGE", "Run", "contents", "make_plan", "method_content", "select",
           "settings_hash", "teacher_content"]  # fmt: skip

TEACHER_LOSSES = frozenset({"adversarial", "attention", "block_distillation", "distillation", "distributional"})
"""Kinds of losses that look up to a teacher."""
TEACHER_STAGE = "teacher"
TEACHER_FILE = f"{TEACHER}.pt"
BINARY_STAGE = "binary"
HASH_DIGITS = 16


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        network: name of the ``[[networks]]`` table.
        method: name of the ``[[methods]]`` table; ``teacher`` for a teacher's own training.
        seed: of the training.
        data: what it learns.
        settings: network and recipe; ``TEACHER.pt`` stands for the teacher's checkpoint.
        teacher: the training of its teacher, or None.
    """

    network: str
    method: str
    seed: int
    data: DataSettings
    settings: TrainSettings
    teacher: Run | None = None

    @property
    def label(self) -> str:
        """Name for people."""
        return f"{self.network} {self.method} seed {self.seed}"

    @property
    def cell(self) -> tuple[str, str]:
        """Network and method."""
        return self.network, self.method

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(stage.epochs for stage in self.settings.all_stages())

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that the outcome depends on, except for this run's own seed, as JSON values."""
        teacher = {"settings": self.teacher.hash, "seed": self.teacher.seed} if self.teacher else None
        return {"data": _data_values(self.data), "train": _train_values(self.settings), "teacher": teacher}

    @cached_property
    def hash(self) -> str:
        """Short hash of :attr:`identity`."""
        return settings_hash(self.identity)

    def folder(self, runs: Path) -> Path:
        """Return the folder of this run; its ``train`` folder is in it."""
        above = runs / folder_name(self.network) / self.method
        return above if self.method == TEACHER_METHOD else above / f"seed-{self.seed}"

    def bound(self, teacher: Path | None) -> TrainSettings:
        """Return the settings with the teacher's checkpoint file in place of its stand-in."""
        if teacher is None:
            return self.settings
        stages = [_bind(stage, str(teacher)) for stage in self.settings.stages]
        return self.settings.model_copy(update={"stages": tuple(stages)})


def make_plan(comparison: ComparisonSettings, seeds: Sequence[int] | None = None) -> list[Run]:
    """Return all runs: seed by seed, so that there is a whole table early; then by network, then by method.

    Args:
        comparison: its settings must have been checked through :func:`contents`.
        seeds: in place of the comparison's.

    Raises:
        ConfigError: a stage's losses need a teacher, and it has none.
    """
    cells: list[tuple[NetworkEntry, MethodEntry, TrainSettings, Run | None]] = []
    for network in comparison.networks:
        teacher = _teacher_run(comparison, network)
        for method in comparison.methods_of(network):
            settings = TrainSettings.model_validate(method_content(comparison, network, method))
            _check_teachers(settings, method.name)
            cells.append((network, method, settings, teacher if _has_teacher(settings) else None))
    return [
        Run(network.name, method.name, seed, comparison.data, settings, teacher)
        for seed in (seeds or comparison.seeds)
        for network, method, settings, teacher in cells
    ]


def contents(comparison: ComparisonSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each run's place in words and its ``[train]`` table, not yet validated."""
    for network in comparison.networks:
        yield f"network {network.name}, its teacher", teacher_content(comparison, network)
        for method in comparison.methods_of(network):
            yield f"network {network.name}, method {method.name}", method_content(comparison, network, method)


def method_content(comparison: ComparisonSettings, network: NetworkEntry, method: MethodEntry) -> dict[str, Any]:
    """Return the ``[train]`` table of a method on a network.

    Raises:
        ConfigError: the shares of its stages do not add up to 1.
    """
    content = {"network": network.name, **given(comparison.train), **given(network), **given(method)}
    stages = content.get("stages")
    if isinstance(stages, list) and all(isinstance(stage, dict) for stage in stages):
        content["stages"] = _with_epochs([_placed(stage) for stage in stages], content, method.name)
    elif stages is None and _need_teacher(content.get("losses")):
        content["stages"] = [{"name": BINARY_STAGE, "teacher": TEACHER_FILE}]
    return content


def teacher_content(comparison: ComparisonSettings, network: NetworkEntry) -> dict[str, Any]:
    """Return the ``[train]`` table of a network's teacher.

    Training ends with a binary network always: behind a teacher of another form comes one epoch of one, which nobody
    looks at.
    """
    own = {**given(comparison.teacher), **given(network.teacher)}
    content = {"network": network.name, **given(comparison.train), **given(network), **own}
    form = comparison.teacher.form
    content["stages"] = [{"name": TEACHER_STAGE, "form": form.value}]
    if form is not Form.BINARY:
        content["stages"].append({"name": BINARY_STAGE, "epochs": 1, "warmup_epochs": 0})
    return content


def select(runs: Iterable[Run], texts: Sequence[str]) -> list[Run]:
    """Return the runs whose ``<network>/<method>`` holds one of ``texts``; all where there are none.

    Raises:
        ConfigError: a text is nowhere.
    """
    plan = list(runs)
    names = sorted({"/".join(run.cell) for run in plan})
    for text in texts:
        if not any(text in name for name in names):
            raise ConfigError("option --only", repr(text), f"part of {', '.join(names)}", "change the text")
    return [run for run in plan if not texts or any(text in "/".join(run.cell) for text in texts)]


def settings_hash(identity: dict[str, Any]) -> str:
    """Return a short hash of JSON values."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:HASH_DIGITS]


def _teacher_run(comparison: ComparisonSettings, network: NetworkEntry) -> Run:
    settings = TrainSettings.model_validate(teacher_content(comparison, network))
    return Run(network.name, TEACHER_METHOD, comparison.teacher.seed, comparison.data, settings)


def _with_epochs(stages: list[dict[str, Any]], content: dict[str, Any], method: str) -> list[dict[str, Any]]:
    """Turn shares into epochs that add up to the run's."""
    shares = [stage.pop("share", None) for stage in stages]
    if shares == [None] * len(stages):
        return stages
    numbers = [share for share in shares if isinstance(share, int | float) and 0 < share <= 1]
    if len(numbers) != len(stages) or abs(sum(numbers) - 1) > 1e-6:
        raise ConfigError(
            f"method {method}, stages", f"share = {shares}", "numbers above 0 that add up to 1, one for each stage",
            "change the shares, or give each stage its epochs",
        )  # fmt: skip
    epochs = content.get("epochs", RecipeSettings.model_fields["epochs"].default)
    if not isinstance(epochs, int):
        return stages  # validation will name it
    ends = [round(epochs * sum(numbers[: index + 1])) for index in range(len(numbers))]
    for stage, start, end in zip(stages, [0, *ends], ends, strict=False):
        stage["epochs"] = end - start
    return stages


def _placed(stage: dict[str, Any]) -> dict[str, Any]:
    """Put a name in place of ``TEACHER`` that settings take for a file's."""
    return {key: TEACHER_FILE if key in ("teacher", "init") and value == TEACHER else value
            for key, value in stage.items()}  # fmt: skip


def _bind(stage: StageSettings, file: str) -> StageSettings:
    wanted = [key for key in ("teacher", "init") if getattr(stage, key) == TEACHER_FILE]
    return stage.model_copy(update=dict.fromkeys(wanted, file))


def _has_teacher(settings: TrainSettings) -> bool:
    return any(TEACHER_FILE in (stage.teacher, stage.init) for stage in settings.stages)


def _need_teacher(losses: Any) -> bool:
    if not isinstance(losses, list | tuple):
        return False
    return any(isinstance(loss, dict) and loss.get("kind") in TEACHER_LOSSES for loss in losses)


def _check_teachers(settings: TrainSettings, method: str) -> None:
    for stage in settings.all_stages():
        kinds = [loss.kind for loss in stage.losses if loss.kind in TEACHER_LOSSES]
        if kinds and stage.teacher is None:
            raise ConfigError(
                f"method {method}, stage {stage.name}", f"loss {kinds[0]}, and no teacher",
                f"teacher = {TEACHER!r}, or an earlier stage", "name one, or leave the loss out",
            )  # fmt: skip


def _data_values(data: DataSettings) -> dict[str, Any]:
    """Return settings as JSON values, without where the data lie and how they are read."""
    return {key: value for key, value in _said(data).items() if key not in ("root", "workers")}


def _train_values(settings: TrainSettings) -> dict[str, Any]:
    """Return settings as JSON values; stages without what they have from ``[train]``."""
    values = _said(settings)
    values["stages"] = [
        {
            name: _as_json(value)
            for name, field in StageSettings.model_fields.items()
            if (value := getattr(stage, name)) != getattr(settings, name, field.get_default(call_default_factory=True))
        }
        for stage in settings.stages
    ]
    return values


def _said(model: BaseModel) -> dict[str, Any]:
    """Return what differs from the defaults: a setting that a later version adds leaves earlier hashes as they are."""
    return {
        name: _as_json(getattr(model, name))
        for name, field in type(model).model_fields.items()
        if name == "kind" or getattr(model, name) != field.get_default(call_default_factory=True)
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _said(value)
    if isinstance(value, tuple | list):
        return [_as_json(part) for part in value]
    return value.value if isinstance(value, Enum) else str(value) if isinstance(value, Path) else value
