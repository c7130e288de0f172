"""The networks of the zoo: names, data sets, recipes and accuracies. Imports nothing heavy."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from xnorflow.artifact.errors import ConfigError

__all__ = [
    "CATALOG",
    "HELD_OUT",
    "TEST_SET",
    "ZOO_PREFIX",
    "ZooEntry",
    "catalog_text",
    "find_entry",
    "read_catalog",
    "zoo_folder",
    "zoo_name",
]

CATALOG = "catalog.toml"
ZOO_PREFIX = "zoo:"
"""What a name of the zoo begins with where a file might stand instead."""

TEST_SET = "test set"
HELD_OUT = "held-out training images"
"""Which images a network was tested on; the last so many of the training images where they were held out."""

HEADER = """\
# The networks that come with xnorflow. Written by `xnorflow zoo add` and `xnorflow zoo check --update`, which measure:
# accuracy_float by torch, accuracy_integer by integer.onnx, the exported and lowered network in integers.

"""


@dataclass(frozen=True)
class ZooEntry:
    """One network.

    Args:
        name: that users call it by.
        file: beside the catalog.
        sha256: of that file.
        dataset: that it was trained and tested on.
        seed: of the training.
        recipe: the experiment file that trains it, from the repository's root.
        test_frames: images that the accuracies are about.
        tested_on: which images these are.
        accuracy_float: share that torch gets right.
        accuracy_integer: share that integer.onnx gets right; None where this version does not lower such a network.
    """

    name: str
    file: str
    sha256: str
    dataset: str
    seed: int
    recipe: str
    test_frames: int
    tested_on: str
    accuracy_float: float
    accuracy_integer: float | None = None


def read_catalog() -> tuple[ZooEntry, ...]:
    """Return all entries, in the catalog's order."""
    content: dict[str, Any] = tomllib.loads(zoo_folder().joinpath(CATALOG).read_text(encoding="utf-8"))
    return tuple(ZooEntry(**entry) for entry in content.get("network", ()))


def catalog_text(entries: tuple[ZooEntry, ...]) -> str:
    """Return the catalog file's text."""
    import tomli_w

    tables = [{key: value for key, value in asdict(entry).items() if value is not None} for entry in entries]
    return HEADER + tomli_w.dumps({"network": tables})


def zoo_name(text: str) -> str | None:
    """Return the name in ``zoo:<name>``, or None where ``text`` is a path."""
    return text.removeprefix(ZOO_PREFIX) if text.startswith(ZOO_PREFIX) else None


def find_entry(name: str) -> ZooEntry:
    """Return the entry called ``name``.

    Raises:
        ConfigError: there is none.
    """
    entries = {entry.name: entry for entry in read_catalog()}
    if name not in entries:
        near = difflib.get_close_matches(name.upper(), entries, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]!r}?" if near else "`xnorflow zoo` lists them"
        raise ConfigError(f"zoo network {name!r}", "unknown", ", ".join(entries), fix)
    return entries[name]


def zoo_folder() -> Traversable:
    """Return the folder of the catalog and its files."""
    return files("xnorflow.train.zoo")
