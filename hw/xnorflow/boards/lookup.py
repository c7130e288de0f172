"""What both catalogs of boards share: one TOML file a board, found by its name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from xnorflow.artifact.errors import ConfigError

__all__ = ["find_board", "read_files"]

Entry = TypeVar("Entry")


def read_files(folder: Traversable) -> list[dict[str, Any]]:
    """Return the contents of a folder's TOML files, by the names that stand in them."""
    texts = [entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return sorted((tomllib.loads(text) for text in texts), key=lambda content: str(content["name"]))


def find_board(kind: str, name: str, catalog: Mapping[str, Entry]) -> Entry:
    """Return the board called ``name``; upper and lower case are the same.

    Args:
        kind: what the boards are called in the message.
        name: that is looked for.
        catalog: all boards by their names.

    Raises:
        ConfigError: there is no such board; the message names the nearest one and all of them.
    """
    by_lower = {known.lower(): known for known in catalog}
    if name.lower() in by_lower:
        return catalog[by_lower[name.lower()]]
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    fix = f"did you mean {by_lower[near[0]]!r}?" if near else "choose one of these"
    raise ConfigError(f"{kind} {name!r}", "unknown", ", ".join(catalog), fix)
