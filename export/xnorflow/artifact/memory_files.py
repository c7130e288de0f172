"""Memory files that RTL names in its string literals, for ``$readmemh``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["memory_files", "string_literals"]

_LITERAL = re.compile(r'"([^"\n]+)"')


def string_literals(text: str) -> list[str]:
    """Return what stands between quotes in a source, sorted, each once."""
    return sorted(set(_LITERAL.findall(text)))


def memory_files(named: Path) -> Iterator[Path]:
    """Yield the file that a source names, or those that it numbers: ``<name>_0.mem`` and on; none where neither is."""
    if named.is_file():
        yield named
    for number in itertools.count():
        path = named.with_name(f"{named.name}_{number}.mem")
        if not path.is_file():
            return
        yield path
