"""Registers over gRPC: pynq's service ``mmio.Mmio``."""

from __future__ import annotations

import re
from typing import Any

from xnorflow.virtual_board.limits import MOST_REGISTER_BYTES, Code, RefusedError, shown
from xnorflow.virtual_board.soc import Soc

__all__ = ["MmioService"]

WORD = 4
_ID = re.compile(r"([0-9a-f]{1,16})\+([0-9a-f]{1,16})")
_END = 1 << 32
"""First address that is no register any more."""


class MmioService:
    """The methods of the service. An id says its range itself, so that nothing is kept for a client.

    Args:
        soc: the board.
    """

    def __init__(self, soc: Soc) -> None:
        self._soc = soc

    def get_mmio(self, peer: str, request: Any) -> dict[str, Any]:
        """Return the id of a range of addresses. As on a board, only reads and writes find out whether it answers."""
        _checked_range(request.base_addr, request.length)
        return {"status": True, "mmio_id": f"{request.base_addr:x}+{request.length:x}"}

    def read(self, peer: str, request: Any) -> dict[str, Any]:
        """Return 1, 2 or 4 bytes at an offset, 4 where the request names no length; a response has no room for 8."""
        length = request.length or WORD
        if length not in (1, 2, WORD):
            raise RefusedError(Code.INVALID_ARGUMENT, "MMIO read", f"{length} bytes", "1, 2 or 4", "read 4 bytes twice")
        value = self._soc.read(_address(request.mmio_id, request.offset, WORD))
        return {"status": True, "data": value & (1 << 8 * length) - 1}

    def write(self, peer: str, request: Any) -> dict[str, Any]:
        """Write all words of ``data``, the first one at the offset."""
        size = len(request.data)
        if not size or size % WORD or size > MOST_REGISTER_BYTES:
            raise RefusedError(
                Code.INVALID_ARGUMENT, "MMIO write", f"{size:,} bytes", f"a multiple of 4 up to {MOST_REGISTER_BYTES:,}"
            )
        address = _address(request.mmio_id, request.offset, size)
        for start in range(0, size, WORD):
            self._soc.write(address + start, int.from_bytes(request.data[start : start + WORD], "little"))
        return {"status": True}


def _checked_range(base: int, length: int) -> None:
    if base % WORD or not 0 < length <= _END - base:
        raise RefusedError(
            Code.INVALID_ARGUMENT, f"MMIO at {base:#x}", f"{length:,} bytes",
            "an address that is a multiple of 4, and a range that ends below 4 GiB",
        )  # fmt: skip


def _address(mmio_id: str, offset: int, size: int) -> int:
    """Return the address that an offset of a range stands for.

    Raises:
        RefusedError: there is no such range, or the access leaves it.
    """
    found = _ID.fullmatch(mmio_id)
    if found is None:
        raise RefusedError(Code.NOT_FOUND, f"MMIO {shown(mmio_id)}", "unknown", "an id from get_mmio")
    base, length = (int(text, 16) for text in found.groups())
    _checked_range(base, length)
    if offset % WORD or offset + size > length:
        raise RefusedError(
            Code.OUT_OF_RANGE, f"MMIO at {base:#x}", f"{size:,} bytes at offset {offset:#x}",
            f"a multiple of 4, {length:,} bytes in all",
        )  # fmt: skip
    return base + offset
