"""What holds a simulation, a board or memory until it is closed."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

__all__ = ["Closing"]

_Held = TypeVar("_Held", bound="Closing")  # typing.Self is younger than the Python of boards


class Closing:
    """Closed when its ``with`` block is left, by an error as well."""

    def close(self) -> None:
        """Free what is held."""
        raise NotImplementedError

    def __enter__(self: _Held) -> _Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
