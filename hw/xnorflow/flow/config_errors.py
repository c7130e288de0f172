"""Turn pydantic's validation errors into one line: which key, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.config_paths import Place, homes_of, kinds_of, locate

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["explain"]

LONGEST_VALUE = 80
Found = tuple[Place, list["ErrorDetails"]]


def explain(
    reason: ValidationError, model: type[BaseModel], content: Any, source: str, options: Mapping[tuple[str, ...], str]
) -> ConfigError:
    """Translate the first error of ``reason``; the number of further ones is told at the end.

    Args:
        reason: what ``model.model_validate`` raised.
        model: the settings class that was validated.
        content: what was validated.
        source: where the values came from, e.g. ``config a.toml``.
        options: key path to the command-line option that set it.
    """
    errors = _errors(reason, model, content)
    place, details = errors[0]
    match details[0]["type"]:
        case "extra_forbidden":
            error = _unknown_key(place, model, source)
        case "missing":
            error = _missing_key(place, source)
        case "union_tag_not_found" | "union_tag_invalid":
            error = _unknown_kind(place, details[0], source)
        case "value_error" | "assertion_error":  # a validator of the settings class, in its own words
            error = _broken_rule(place, details[0], source)
        case _:
            error = _wrong_value(place, details, source, options)
    if len(errors) == 1:
        return error
    return ConfigError(error.where, error.found, error.allowed, f"{error.fix} (and {len(errors) - 1} more)")


def _errors(reason: ValidationError, model: type[BaseModel], content: Any) -> list[Found]:
    """Return the errors by place, each once: pydantic repeats them for every type and every stage that was tried."""
    found: dict[tuple[str, bool], Found] = {}
    for detail in reason.errors(include_url=False):
        place = locate(model, content, detail["loc"])
        if detail["type"] == "too_short" and len(detail["input"]) > detail["ctx"]["actual_length"]:
            continue  # not the file's list is short, but what remained of it
        found.setdefault((place.path, place.inherited), (place, []))[1].append(detail)
    own = [entry for (_, inherited), entry in found.items() if not inherited]
    return own or list(found.values())


def _unknown_key(place: Place, model: type[BaseModel], source: str) -> ConfigError:
    known = sorted(place.owner.model_fields) if place.owner else []
    here = ".".join(place.names[:-1])
    home = next((label for name, label in homes_of(model, place.key).items() if name != here), None)
    near = difflib.get_close_matches(place.key, known, n=1, cutoff=0.4)
    if home is not None:
        top = home == "[]"
        fix = f"{place.key} belongs at the top, before the first table" if top else f"{place.key} belongs in {home}"
    else:
        fix = f"did you mean {near[0]!r}?" if near else "remove it"
    table = _table(place, place.table) if place.table else "the top level"
    return ConfigError(f"{source}, {table}", f"unknown key {place.key!r}", ", ".join(known), fix)


def _missing_key(place: Place, source: str) -> ConfigError:
    where = f"{source}, {_table(place, place.table)}" if place.table else source
    found = f"table [{place.path}] is missing" if place.is_table else f"key {place.key!r} is missing"
    return ConfigError(where, found, fix="add it")


def _unknown_kind(place: Place, detail: ErrorDetails, source: str) -> ConfigError:
    kinds = list(kinds_of(place.annotation))
    allowed = ", ".join(repr(kind) for kind in kinds)
    if detail["type"] == "union_tag_not_found":
        return ConfigError(f"{source}, {_table(place, place.path)}", "key 'kind' is missing", allowed, "add it")
    tag = str(detail["ctx"]["tag"])
    where = f"{source}, key {place.path}.kind"
    return ConfigError(where, repr(tag), allowed, _nearest(tag, kinds))


def _broken_rule(place: Place, detail: ErrorDetails, source: str) -> ConfigError:
    where = f"{source}, {_table(place, place.path)}" if place.path else source
    return ConfigError(where, str(detail.get("ctx", {}).get("error")), fix="change one of these keys")


def _wrong_value(
    place: Place, details: list[ErrorDetails], source: str, options: Mapping[tuple[str, ...], str]
) -> ConfigError:
    option = next((name for keys, name in options.items() if place.names[: len(keys)] == keys), None)
    where = f"option {option}" if option else place.told(f"{source}, key {place.path}") if place.path else source
    value = details[0]["input"]
    allowed = list(dict.fromkeys(_allowed(detail, place) for detail in details))
    words = [word for detail in details for word in re.findall(r"'([^']+)'", detail.get("ctx", {}).get("expected", ""))]
    return ConfigError(where, _shown(value), ", or ".join(allowed), _nearest(value, words))


def _allowed(detail: ErrorDetails, place: Place) -> str:
    match detail["type"]:
        case "string_pattern_mismatch":
            return "a letter or digit, then letters, digits, '-' and '_'"
        case "model_type" | "model_attributes_type":
            return "a table"
        case "tuple_type" | "list_type":
            return f"tables, each headed [[{place.path}]]" if isinstance(detail["input"], dict) else "a list"
        case "too_short":
            return f"at least {detail['ctx']['min_length']} item"
    text = re.sub("^(Input|Value|Tuple|String) should (be|have) ", "", detail["msg"])
    return text[:1].lower() + text[1:]


def _shown(value: Any) -> str:
    text = "a table" if isinstance(value, dict) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _nearest(value: Any, words: list[str]) -> str:
    near = difflib.get_close_matches(value, words, n=1, cutoff=0.4) if isinstance(value, str) else []
    return f"did you mean {near[0]!r}?" if near else "change the value"


def _table(place: Place, path: str) -> str:
    return place.told(path if "]" in path else f"[{path}]")
