"""Settings of a comparison: one TOML file names networks, methods and seeds. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from xnorflow.train.binarize.form import Form
from xnorflow.train.config import DataSettings, TrainSettings

__all__ = ["TEACHER", "TEACHER_METHOD", "ComparisonSettings", "MethodEntry", "NetworkEntry", "Overrides",
           "TeacherEntry", "folder_name", "given"]  # fmt: skip

TEACHER = "TEACHER"
"""In a stage's ``teacher`` or ``init``: the checkpoint of the network's shared teacher."""
TEACHER_METHOD = "teacher"
"""What stands for a method's name where a teacher's own training is meant."""

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _fits_a_table(text: str) -> str:
    if not text.strip() or set("|\n\r") & set(text):
        raise ValueError(f"{text!r} is empty, or holds '|' or the end of a line, which a table in Markdown cannot")
    return text


def _names_a_folder(text: str) -> str:
    if not folder_name(text):
        raise ValueError(f"{text!r} holds no letter and no digit, and so names no folder")
    return text


Title = Annotated[str, Field(max_length=200), AfterValidator(_fits_a_table)]
HeadOfColumn = Annotated[str, Field(max_length=80), AfterValidator(_fits_a_table), AfterValidator(_names_a_folder)]

if TYPE_CHECKING:

    class Overrides(BaseModel):
        """Any keys of ``[train]``; they are checked when they lie over each other as one run's settings."""

else:
    Overrides = create_model("Overrides", __config__=STRICT, **dict.fromkeys(TrainSettings.model_fields, (Any, None)))


def given(overrides: Overrides) -> dict[str, Any]:
    """Return the keys of ``[train]`` that were given, as they were."""
    keys = overrides.model_fields_set & TrainSettings.model_fields.keys()
    return {key: getattr(overrides, key) for key in sorted(keys)}


class TeacherEntry(Overrides):
    """The ``[teacher]`` table: how each network's one teacher is trained, over ``[train]`` and the network's keys.

    Args:
        form: what of the teacher is binary.
        seed: of the teacher, whatever the runs' seeds.
    """

    form: Form = Form.FLOAT
    seed: Seed = 0


class NetworkEntry(Overrides):
    """A ``[[networks]]`` table, with keys of ``[train]`` for all runs of this network.

    Args:
        name: heads a column of the table; also the ``network`` where that key is not given.
        methods: names of the methods to run; absent: all.
        teacher: keys over ``[teacher]`` for this network.
    """

    name: HeadOfColumn
    methods: tuple[str, ...] | None = None
    teacher: Overrides = Overrides()


class MethodEntry(Overrides):
    """A ``[[methods]]`` table, with keys of ``[train]`` that make the method.

    Losses that need a teacher get the network's shared one. In ``stages``, ``teacher = "TEACHER"`` and
    ``init = "TEACHER"`` stand for it, and ``share`` in place of ``epochs`` for a part of the run's epochs, so that a
    method of several stages has as many of them as one of a single stage; the shares of a method add up to 1.

    Args:
        name: letters, digits, ``-`` and ``_``.
        title: heads the row of the table.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
    title: Title


class ComparisonSettings(BaseModel):
    """A comparison: every method on every network with every seed.

    Keys of ``[train]`` are overlaid by those of a network, these by those of a method.

    Args:
        name: letters, digits, ``-`` and ``_``; also in the marker of the table. The file's own name where absent.
        title: heads the table.
        seeds: of the runs; weights, order of images, shifts and dropout come from them.
        baseline: the method that the others are compared with.
        results: JSON file of the accuracies.
        data: as in an experiment.
        train: what all runs have in common.
        teacher: how teachers are trained.
        networks: columns of the table.
        methods: rows of the table.
    """

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)
    title: Title
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000)] = (1, 2, 3)
    baseline: str
    results: Path
    data: DataSettings
    train: Overrides
    teacher: TeacherEntry = TeacherEntry()
    networks: Annotated[tuple[NetworkEntry, ...], Field(min_length=1)]
    methods: Annotated[tuple[MethodEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        methods = [method.name for method in self.methods]
        _refuse_twins("methods", methods)
        _refuse_twins("networks", [folder_name(network.name) for network in self.networks])
        _refuse_twins("seeds", [str(seed) for seed in self.seeds])
        if TEACHER_METHOD in methods:
            raise ValueError(f"a method may not be called {TEACHER_METHOD!r}: that folder is the teacher's")
        chosen = [("baseline", self.baseline)]
        chosen += [(f"network {network.name}", name) for network in self.networks for name in network.methods or ()]
        for where, name in chosen:
            if name not in methods:
                raise ValueError(f"{where}: no method is called {name!r}, but {', '.join(methods)}")
        return self

    def methods_of(self, network: NetworkEntry) -> list[MethodEntry]:
        """Return the methods that are run on ``network``, in the order of the table."""
        return [method for method in self.methods if network.methods is None or method.name in network.methods]


def folder_name(network: str) -> str:
    """Return a network's name as that of a folder."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", network).strip("-.")


def _refuse_twins(what: str, names: Sequence[str]) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ValueError(f"two {what} are called {twins[0]!r}")
