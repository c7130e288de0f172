"""Registers as a numpy array, as pynq maps them: each access to an element is an access to the board."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.virtual_board.soc import Soc

__all__ = ["RegisterWindow"]

WORD_BYTES = 4


class RegisterWindow(np.ndarray[Any, Any]):
    """uint32 array over a board's registers. Slices are windows as well; calls of numpy see values read at once.

    Args:
        soc: board.
        base: address of the first register.
        words: how many.
    """

    _soc: Soc
    _base: int
    _start: int

    def __new__(cls, soc: Soc, base: int, words: int) -> RegisterWindow:
        """Map the registers; none is accessed."""
        window = np.zeros(words, np.uint32).view(cls)
        window._soc, window._base, window._start = soc, base, window._data_address
        return window

    def __array_finalize__(self, source: Any) -> None:
        for name in ("_soc", "_base", "_start"):
            setattr(self, name, getattr(source, name, None))

    @property
    def _data_address(self) -> int:
        return int(self.__array_interface__["data"][0])

    def _address(self, index: Any) -> int:
        """Return the board's address of an element; where views begin in memory says where they begin on the board."""
        word = int(index) + (self.size if index < 0 else 0)
        if not 0 <= word < self.size:
            raise IndexError(f"register {index} of {self.size}")
        return self._base + self._data_address - self._start + WORD_BYTES * word

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            return np.uint32(self._soc.read(self._address(key)))
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, int | np.integer):
            self._soc.write(self._address(key), int(value) & 0xFFFF_FFFF)
            return
        places = np.arange(self.size)[key]
        for place, single in zip(places, np.broadcast_to(np.asarray(value), places.shape), strict=True):
            self[int(place)] = single

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())

    def __repr__(self) -> str:
        return repr(self.values())

    def values(self) -> npt.NDArray[np.uint32]:
        """Read all registers, uint32 (words,)."""
        return np.array([self[index] for index in range(self.size)], np.uint32)

    def copy(self, order: Any = "C") -> Any:
        """Read all registers, as :meth:`values` does."""
        return self.values()

    def tobytes(self, order: Any = "C") -> bytes:
        """Read all registers as bytes."""
        return self.values().tobytes()

    def tolist(self) -> Any:
        """Read all registers as a list."""
        return self.values().tolist()

    def __array_function__(
        self, function: Callable[..., Any], types: Any, arguments: Iterable[Any], keywords: Mapping[str, Any]
    ) -> Any:
        plain = {name: _plain(value) for name, value in keywords.items()}
        return function(*[_plain(argument) for argument in arguments], **plain)

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*[_plain(value) for value in inputs], **kwargs)


def _plain(value: Any) -> Any:
    return value.values() if isinstance(value, RegisterWindow) else value
