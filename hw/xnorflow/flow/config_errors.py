"""Turn pydantic's validation errors into one line: which key, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from xnorflow.artifact.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["explain"]


def explain(
    reason: ValidationError, model: type[BaseModel], source: str, options: Mapping[tuple[str, ...], str]
) -> ConfigError:
    """Translate the first error of ``reason``; the number of further ones is told at the end.

    Args:
        reason: what ``model.model_validate`` raised.
        model: the settings class that was validated.
        source: where the values came from, e.g. ``config a.toml``.
        options: key path to the command-line option that set it.
    """
    details = reason.errors(include_url=False)
    first = details[0]
    path = tuple(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        error = _unknown_key(path, model, source)
    elif first["type"] == "missing":
        error = _missing_key(path, model, source)
    else:
        error = _wrong_value(path, first, source, options)
    if len(details) == 1:
        return error
    return ConfigError(error.where, error.found, error.allowed, f"{error.fix} (and {len(details) - 1} more)")


def _unknown_key(path: tuple[str, ...], model: type[BaseModel], source: str) -> ConfigError:
    *tables, key = path
    known = _keys(_model_at(model, tuple(tables)))
    table = f"[{'.'.join(tables)}]" if tables else "the top level"
    home = next((name for name, keys in _tables(model).items() if key in keys and name != ".".join(tables)), None)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    if home is not None:
        fix = f"{key} belongs in [{home}]" if home else f"{key} belongs at the top, before the first table"
    else:
        fix = f"did you mean {near[0]!r}?" if near else "remove it"
    return ConfigError(f"{source}, {table}", f"unknown key {key!r}", ", ".join(known), fix)


def _missing_key(path: tuple[str, ...], model: type[BaseModel], source: str) -> ConfigError:
    *tables, key = path
    is_table = _submodel(_model_at(model, tuple(tables)), key) is not None
    where = f"{source}, [{'.'.join(tables)}]" if tables else source
    found = f"table [{'.'.join(path)}] is missing" if is_table else f"key {key!r} is missing"
    return ConfigError(where, found, fix="add it")


def _wrong_value(
    path: tuple[str, ...], first: ErrorDetails, source: str, options: Mapping[tuple[str, ...], str]
) -> ConfigError:
    option = next((name for keys, name in options.items() if path[: len(keys)] == keys), None)
    if first["type"] in {"value_error", "assertion_error"}:  # a validator of the settings class, in its own words
        found, allowed = str(first.get("ctx", {}).get("error")), ""
    else:
        found, allowed = repr(first["input"]), _allowed(first)
    where = f"option {option}" if option else f"{source}, key {'.'.join(path)}" if path else source
    return ConfigError(where, found, allowed, "change the value")


def _allowed(first: ErrorDetails) -> str:
    if first["type"] == "string_pattern_mismatch":
        return "a letter or digit, then letters, digits, '-' and '_'"
    if first["type"] in {"model_type", "model_attributes_type"}:
        return "a table"
    text = first["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    return text[:1].lower() + text[1:]


def _submodel(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    field = model.model_fields.get(key) if model else None
    annotation: Any = field.annotation if field else None
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _model_at(model: type[BaseModel], tables: tuple[str, ...]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for table in tables:
        found = _submodel(found, table) or found  # parts such as a list index name no model
    return found


def _keys(model: type[BaseModel] | None) -> list[str]:
    return sorted(model.model_fields) if model else []


def _tables(model: type[BaseModel], prefix: str = "") -> dict[str, list[str]]:
    """Return every table's dotted name ('' for the top) with its keys."""
    tables = {prefix: _keys(model)}
    for key in model.model_fields:
        inner = _submodel(model, key)
        if inner is not None:
            tables |= _tables(inner, f"{prefix}.{key}".lstrip("."))
    return tables
