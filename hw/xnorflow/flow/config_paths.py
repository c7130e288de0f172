"""From the location of a validation error to the place in the file: tables, lists of tables, kinds of losses."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

__all__ = ["Place", "homes_of", "kinds_of", "locate"]

ITEM_NAMES = {"name": "stage", "kind": "loss"}
"""Key that tells one table of a list from the others, and what such a table is called."""


@dataclass(frozen=True)
class Place:
    """A key or a table of a settings file.

    Args:
        table: dotted name of the table that holds it, ``train.stages[1]``; empty for the top level.
        key: last part of its name; empty where the place is the top level itself.
        names: all keys on the way, without list positions: what command-line options are known by.
        owner: class of the table that holds it, or None where there is none.
        annotation: type of what belongs there.
        items: the lists' items it lies in, in words: ``stage 'student', loss 'distillation'``.
        inherited: whether it is a stage's key that the file has in the table around it.
    """

    table: str
    key: str
    names: tuple[str, ...]
    owner: type[BaseModel] | None
    annotation: Any
    items: str
    inherited: bool = False

    @property
    def path(self) -> str:
        """Dotted name, ``train.stages[1].epochs``."""
        return ".".join(part for part in (self.table, self.key) if part)

    @property
    def is_table(self) -> bool:
        """Whether a table belongs there."""
        return bool(_models(self.annotation))

    def told(self, text: str) -> str:
        """Return ``text`` and the list items behind it, in parentheses."""
        return f"{text} ({self.items})" if self.items else text


def locate(model: type[BaseModel], content: Any, location: tuple[int | str, ...]) -> Place:
    """Walk down ``location``, as pydantic gives it, from ``model`` and from the file's content."""
    annotation: Any = model
    owner: type[BaseModel] | None = None
    table, key, names, items, inherited = "", "", list[str](), list[str](), False
    for part in location:
        models = _models(annotation)
        if isinstance(part, int):
            key, annotation, content = f"{key}[{part}]", _element(annotation), _at(content, part)
            items += _item_name(content)
        elif len(models) > 1:  # the kind that chose among the models; no part of the file's path
            annotation = kinds_of(annotation).get(part)
        elif models:
            owner, table = models[0], ".".join(text for text in (table, key) if text)
            field = owner.model_fields.get(part)
            inherited |= bool(items) and isinstance(content, dict) and part not in content and field is not None
            key, annotation, content = part, field.annotation if field else None, _at(content, part)
            names.append(part)
        else:  # which of several simple types was tried
            break
    return Place(table, key, tuple(names), owner, annotation, ", ".join(items), inherited)


def kinds_of(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the classes of a choice of tables by the ``kind`` that chooses each."""
    fields = ((model, model.model_fields.get("kind")) for model in _models(annotation))
    return {kind: model for model, field in fields if field for kind in get_args(field.annotation)}


def homes_of(model: type[BaseModel], key: str) -> dict[str, str]:
    """Return the tables that know ``key``: dotted name ('' for the top level) to what to call them."""
    homes: dict[str, list[str]] = {}
    for name, label, keys in _tables(model, ""):
        if key in keys:
            homes.setdefault(name, []).append(label)
    return {name: labels[0] if len(labels) == 1 else f"[[{name}]]" for name, labels in homes.items()}


def _tables(model: type[BaseModel], name: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    yield name, f"[{name}]", model.model_fields
    for key, field in model.model_fields.items():
        inner = f"{name}.{key}".lstrip(".")
        element = _element(field.annotation)
        for kind, choice in kinds_of(element).items():
            yield inner, f"[[{inner}]] of kind {kind!r}", choice.model_fields
        for table in _models(element) if not kinds_of(element) else ():
            own = {name: field for name, field in table.model_fields.items() if name not in model.model_fields}
            yield inner, f"[[{inner}]]", own
        for table in _models(field.annotation):
            yield from _tables(table, inner)


def _plain(annotation: Any) -> list[Any]:
    """Return the types that an annotation admits, None left out."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [kind for part in get_args(annotation) for kind in _plain(part)]
    return [] if annotation in (None, type(None)) or get_origin(annotation) is Literal else [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [kind for kind in _plain(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _element(annotation: Any) -> Any:
    lists = [kind for kind in _plain(annotation) if get_origin(kind) in (tuple, list)]
    return get_args(lists[0])[0] if lists else None


def _at(content: Any, part: int | str) -> Any:
    try:
        return content[part]
    except (KeyError, IndexError, TypeError):
        return None


def _item_name(item: Any) -> list[str]:
    if not isinstance(item, dict):
        return []
    return [f"{word} {item[key]!r}" for key, word in ITEM_NAMES.items() if isinstance(item.get(key), str)]
