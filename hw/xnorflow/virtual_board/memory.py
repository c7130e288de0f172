"""The virtual board's memory, as its processor hands it out: contiguous, on pages, below 4 GiB."""

from __future__ import annotations

import bisect
import threading

import numpy as np
import numpy.typing as npt

from xnorflow.virtual_board.bus import BusError

__all__ = ["BASE", "PAGE", "Memory"]

PAGE = 4096
BASE = 0x1000_0000
"""Physical address of the first byte."""
MOST_BYTES = 0x3000_0000
"""Up to where a Zynq-7000's programmable logic begins, at 0x4000_0000."""
UNTOUCHED = 0xA5
"""What a new allocation holds: neither zeros nor what was there, so that what was never written shows."""


class Memory:
    """Memory of a board with an allocator.

    Args:
        size: bytes, a multiple of 4,096, at most 768 MiB.
        lock: held during each call.
    """

    def __init__(self, size: int, lock: threading.RLock) -> None:
        if size % PAGE or not 0 < size <= MOST_BYTES:
            raise BusError("virtual board's memory", f"{size:,} bytes", f"a multiple of {PAGE:,} up to {MOST_BYTES:,}")
        self.size = size
        self.bytes: npt.NDArray[np.uint8] = np.zeros(size, np.uint8)
        """uint8 (size,): what the accelerator works on."""
        self._lock = lock
        self._sizes: dict[int, int] = {}  # by address, in bytes as asked for
        self._starts: list[int] = []  # sorted

    @property
    def allocated(self) -> int:
        """Bytes that are handed out, whole pages."""
        with self._lock:
            return sum(_whole_pages(size) for size in self._sizes.values())

    def allocate(self, size: int) -> int:
        """Return the address of ``size`` bytes, at least one, at the start of a page; they hold no zeros.

        Raises:
            BusError: there is no room, or ``size`` is not positive.
        """
        if size <= 0:
            raise BusError("virtual board's memory", f"a buffer of {size} bytes", "1 byte or more", "ask for more")
        needed = _whole_pages(size)
        with self._lock:
            start = BASE
            for taken in self._starts:
                if start + needed <= taken:
                    break
                start = taken + _whole_pages(self._sizes[taken])
            if start + needed > BASE + self.size:
                raise BusError(
                    "virtual board's memory", f"no room for {size:,} bytes",
                    f"{self.size:,} in all, {self.allocated:,} of them taken", "free buffers, or send fewer frames",
                )  # fmt: skip
            bisect.insort(self._starts, start)
            self._sizes[start] = size
            self.bytes[start - BASE : start - BASE + needed] = UNTOUCHED
            return start

    def free(self, address: int) -> None:
        """Take back what :meth:`allocate` returned.

        Raises:
            BusError: there is no buffer at this address.
        """
        with self._lock:
            if address not in self._sizes:
                raise BusError(
                    f"virtual board's memory at {address:#x}", "no buffer starts there", "addresses of live buffers",
                    "free a buffer once",
                )  # fmt: skip
            del self._sizes[address]
            self._starts.remove(address)

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of one buffer.

        Raises:
            BusError: they do not lie in one buffer.
        """
        with self._lock:
            start = self._offset(address, size)
            return self.bytes[start : start + size].tobytes()

    def write(self, address: int, data: bytes) -> None:
        """Write into one buffer.

        Raises:
            BusError: as for :meth:`read`.
        """
        with self._lock:
            start = self._offset(address, len(data))
            self.bytes[start : start + len(data)] = np.frombuffer(data, np.uint8)

    def _offset(self, address: int, size: int) -> int:
        """Return where in :attr:`bytes` an access to a buffer begins."""
        place = bisect.bisect_right(self._starts, address) - 1
        if size >= 0 and place >= 0:
            start = self._starts[place]
            if address + size <= start + self._sizes[start]:
                return address - BASE
        raise BusError(
            f"virtual board's memory at {address:#x}", f"access of {size:,} bytes outside all buffers",
            "bytes of one buffer that was allocated and not freed", "use the buffer's own address and size",
        )  # fmt: skip


def _whole_pages(size: int) -> int:
    return -(-size // PAGE) * PAGE
