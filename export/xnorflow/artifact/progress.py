"""How a stage tells that it advances, without knowing who watches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Advance", "Progress", "SilentProgress"]

Advance = Callable[[int, str], None]
"""Called with the number of steps done since the last call and a short note (may be empty)."""


class Progress(Protocol):
    """Somebody who watches stages advance."""

    def task(self, label: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """Open a task of ``total`` steps (None: unknown) that ends with the context."""
        ...


class SilentProgress:
    """Watches nothing; for tests and scripts."""

    @contextlib.contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Advance]:
        """Open a task that tells nobody."""
        yield lambda steps, note: None
