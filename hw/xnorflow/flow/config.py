"""One TOML file an experiment: read, checked, and explained in one line where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.config_errors import explain
from xnorflow.lower.config import BuildSettings
from xnorflow.simulate.config import SimulateSettings
from xnorflow.synthesize.config import SynthesizeSettings
from xnorflow.train.config import DataSettings, TrainSettings, is_file_name

__all__ = ["ExperimentConfig", "Override", "load_config", "read_toml", "resolve_path", "settings_from_options",
           "validated"]  # fmt: skip

EXAMPLE = "an experiment file such as training/configs/digits_tfc.toml"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"

Model = TypeVar("Model", bound=BaseModel)
KeyPath = tuple[str, ...]
Override = tuple[KeyPath, str, Any]
"""A value from the command line: key path, name of the option, value (None: not given)."""


class ExperimentConfig(BaseModel):
    """An experiment: what ``xnorflow run`` does.

    Args:
        name: letters, digits, ``-`` and ``_``; the folder below ``runs/``. The file's own name where absent.
        seed: seed of everything random: initial weights, order of the data, stalls.
        data: the ``[data]`` table.
        train: the ``[train]`` table.
        build: the ``[build]`` table, lowering and generation.
        simulate: the ``[simulate]`` table.
        synthesize: the ``[synthesize]`` table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, max_length=80)
    seed: int = Field(default=1, ge=0, lt=2**32)
    data: DataSettings
    train: TrainSettings
    build: BuildSettings = BuildSettings()
    simulate: SimulateSettings = SimulateSettings()
    synthesize: SynthesizeSettings = SynthesizeSettings()


def load_config(path: Path, overrides: list[Override] | None = None) -> ExperimentConfig:
    """Read an experiment file and lay command-line values over it.

    Relative paths in the file (``data.root``, ``build.folding``, stages' checkpoints) count from its own folder.

    Raises:
        ConfigError: the file is missing, not TOML, or holds a key or value that is not allowed.
    """
    content = read_toml(path)
    content.setdefault("name", path.stem)
    resolve_path(content, "data", "root", path.parent)
    resolve_path(content, "build", "folding", path.parent)
    _resolve_checkpoints(content, path.parent)
    options = _lay_over(content, overrides or [])
    return validated(ExperimentConfig, content, f"config {path}", options)


def settings_from_options(model: type[Model], overrides: list[Override]) -> Model:
    """Make one table's settings from command-line values alone.

    Raises:
        ConfigError: a value is not allowed; the message names the option.
    """
    content: dict[str, Any] = {}
    options = _lay_over(content, overrides)
    return validated(model, content, "options", options)


def validated(model: type[Model], content: dict[str, Any], source: str, options: Mapping[KeyPath, str]) -> Model:
    """Make settings of a file's content.

    Args:
        model: settings class.
        content: as read; values of options laid over it.
        source: where it is from, for the message.
        options: key path to the option that set it.

    Raises:
        ConfigError: a key or value is not allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as reason:
        raise explain(reason, model, content, source, options) from reason


def read_toml(path: Path, allowed: str = EXAMPLE) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: of the file.
        allowed: what it should be, for the message.

    Raises:
        ConfigError: it is missing, unreadable or not TOML.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise ConfigError(f"config {path}", found, allowed, "check the path")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as reason:
        raise ConfigError(f"config {path}", f"not TOML: {reason}", "TOML 1.0", "mend that line") from reason
    except (OSError, UnicodeDecodeError) as reason:
        raise ConfigError(f"config {path}", f"unreadable: {reason}", allowed, "check the file") from reason


def resolve_path(content: dict[str, Any], table: str, key: str, base: Path) -> None:
    """Have a path in a table of ``content``, where there is one, count from ``base``."""
    section = content.get(table)
    if isinstance(section, dict) and isinstance(section.get(key), str):
        section[key] = str(base / Path(section[key]).expanduser())


def _resolve_checkpoints(content: dict[str, Any], base: Path) -> None:
    """Have checkpoint files that stages name count from ``base``; what is no table stays, for validation to name."""
    train = content.get("train")
    stages = train.get("stages") if isinstance(train, dict) else None
    for stage in stages if isinstance(stages, list) else ():
        for key in ("init", "teacher") if isinstance(stage, dict) else ():
            if isinstance(stage.get(key), str) and is_file_name(stage[key]):
                stage[key] = str(base / Path(stage[key]).expanduser())


def _lay_over(content: dict[str, Any], overrides: list[Override]) -> dict[KeyPath, str]:
    """Write the given values into ``content``; returns which option each key path came from."""
    options: dict[KeyPath, str] = {}
    for path, option, value in overrides:
        if value is None:
            continue
        section = content
        for key in path[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):  # a wrong type that validation will name
                break
        else:
            section[path[-1]] = value
            options[path] = option
    return options
