"""Contiguous memory over gRPC: pynq's service ``buffer.RemoteBuffer``."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from xnorflow.virtual_board.bus import BusError
from xnorflow.virtual_board.limits import MOST_BUFFERS, Code, RefusedError, shown
from xnorflow.virtual_board.soc import Soc

__all__ = ["BufferService"]

_PAUSES = (0.0, 0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before each try for room: gRPC drops a connection a little after its end."""
CHUNK = 1 << 20
"""Bytes of one message to a client."""


@dataclass
class _Buffer:
    """Memory that a client holds.

    Args:
        address: physical, of the first byte.
        size: bytes.
        cacheable: as the client asked for.
        owner: the connection that used it last.
    """

    address: int
    size: int
    cacheable: bool
    owner: str


class BufferService:
    """The methods of the service.

    A buffer of a client that is gone stays until the room is needed, so that a client which only lost its connection
    finds it again.

    Args:
        soc: the board.
        connected: returns the connections that are open; None where that is not known.
    """

    def __init__(self, soc: Soc, connected: Callable[[], set[str] | None]) -> None:
        self._soc, self._connected = soc, connected
        self._buffers: dict[str, _Buffer] = {}
        self._numbers = itertools.count(1)  # an id is never used again
        self._lock = threading.RLock()

    def allocate(self, peer: str, request: Any) -> dict[str, Any]:
        """Hand out memory; where there is no room, that of clients that are gone is taken back first."""
        size, memory = request.size, self._soc.memory
        if size <= 0:
            raise RefusedError(Code.INVALID_ARGUMENT, "buffer", f"{size} bytes", f"1 to {memory.size:,}")
        for pause in _PAUSES:
            time.sleep(pause)
            with self._lock:
                try:
                    return {"buffer_id": self._hand_out(peer, size, request.cacheable)}
                except RefusedError:
                    if not self._may_help(peer, size):
                        raise
                    self._take_back()
        with self._lock:
            return {"buffer_id": self._hand_out(peer, size, request.cacheable)}

    def _hand_out(self, peer: str, size: int, cacheable: bool) -> str:
        """Return the id of a new buffer."""
        if len(self._buffers) >= MOST_BUFFERS:
            raise RefusedError(Code.RESOURCE_EXHAUSTED, "buffers", "one more", f"{MOST_BUFFERS:,}", "free some")
        try:
            address = self._soc.memory.allocate(size)
        except BusError as reason:
            parts = (reason.where, reason.found, reason.allowed, reason.fix)
            raise RefusedError(Code.RESOURCE_EXHAUSTED, *parts) from reason
        name = f"buffer-{next(self._numbers)}"
        self._buffers[name] = _Buffer(address, size, cacheable, peer)
        return name

    def _may_help(self, peer: str, size: int) -> bool:
        """Return whether there would be room if other clients were gone."""
        others = any(buffer.owner != peer for buffer in self._buffers.values())
        own = sum(buffer.size for buffer in self._buffers.values() if buffer.owner == peer)
        return others and own + size <= self._soc.memory.size

    def write(self, peer: str) -> Generator[None, Any, dict[str, Any]]:
        """Take a stream of chunks: each at its ``start``, or where the one before it ended. What came stays."""
        offset, count = 0, 0
        while (request := (yield)) is not None:
            data, start = request.data, request.start or offset
            offset = start + len(data)
            with self._lock:
                buffer = self._find(peer, request.buffer_id)
                if start < 0 or offset > buffer.size or request.end not in (0, offset):
                    raise _outside(request.buffer_id, buffer, start, request.end or offset)
                self._soc.memory.write(buffer.address + start, data)
            count += 1
        if not count:
            raise RefusedError(Code.INVALID_ARGUMENT, "buffer's write", "no message", "a buffer's id and its bytes")
        return {}

    def read(self, peer: str, request: Any) -> Iterator[dict[str, Any]]:
        """Send bytes ``start`` to ``end`` of a buffer, all of it where ``end`` is 0."""
        buffer = self._find(peer, request.buffer_id)
        start, end = request.start, request.end or buffer.size
        if not 0 <= start <= end <= buffer.size:
            raise _outside(request.buffer_id, buffer, start, end)
        for place in range(start, end, CHUNK):
            with self._lock:
                self._find(peer, request.buffer_id)  # freed meanwhile: an error, not somebody else's bytes
                data = self._soc.memory.read(buffer.address + place, min(CHUNK, end - place))
            yield {"data": data}

    def freebuffer(self, peer: str, request: Any) -> dict[str, Any]:
        """Take a buffer back."""
        with self._lock:
            buffer = self._buffers.pop(request.buffer_id, None)
            if buffer is None:
                raise _unknown(request.buffer_id)
            self._soc.memory.free(buffer.address)
        return {}

    def flush(self, peer: str, request: Any) -> dict[str, Any]:
        """Do nothing: the client's copy has been written before."""
        self._find(peer, request.buffer_id)
        return {}

    invalidate = flush

    def physical_address(self, peer: str, request: Any) -> dict[str, Any]:
        """Return where the accelerator finds a buffer."""
        return {"address": self._find(peer, request.buffer_id).address}

    virtual_address = physical_address

    def cacheable(self, peer: str, request: Any) -> dict[str, Any]:
        """Return what the buffer was asked for as."""
        return {"cacheable": self._find(peer, request.buffer_id).cacheable}

    def _find(self, peer: str, name: str) -> _Buffer:
        with self._lock:
            if name not in self._buffers:
                raise _unknown(name)
            self._buffers[name].owner = peer
            return self._buffers[name]

    def _take_back(self) -> None:
        connected = self._connected()
        if connected is None:
            return
        for name in [name for name, buffer in self._buffers.items() if buffer.owner not in connected]:
            self._soc.memory.free(self._buffers.pop(name).address)


def _unknown(name: str) -> RefusedError:
    return RefusedError(
        Code.NOT_FOUND, f"buffer {shown(name)}", "unknown or freed", "one that was allocated", "allocate it"
    )


def _outside(name: str, buffer: _Buffer, start: int, end: int) -> RefusedError:
    return RefusedError(
        Code.OUT_OF_RANGE,
        f"buffer {shown(name)}",
        f"bytes {start:,} to {end:,}",
        f"0 to {buffer.size:,}, end = start + data",
    )
