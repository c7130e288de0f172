"""The board over gRPC, pynq's service ``remote_device.RemoteDevice``: its files, and loading a bitstream."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from xnorflow.virtual_board.file_store import FIRMWARE, MANAGER, FileStore, checked_path
from xnorflow.virtual_board.limits import MOST_FILE_BYTES, Code, RefusedError
from xnorflow.virtual_board.soc import Soc

__all__ = ["DeviceService"]

CHUNK = 1 << 20
"""Bytes of one message to a client."""
MOST_SETTING_BYTES = 512
"""Of what is written to the FPGA manager: flags, or a file's name."""
_FLAGS, _LOAD, _STATE = f"{MANAGER}/flags", f"{MANAGER}/firmware", f"{MANAGER}/state"


class DeviceService:
    """The methods of the service.

    Writing a name to the FPGA manager loads the file of this name in ``/lib/firmware``, and removes it. pynq does not
    send a file again that exists: one built anew under an old name, or for another client, would never arrive.

    Args:
        soc: the board.
        say: told what was loaded.
    """

    def __init__(self, soc: Soc, say: Callable[[str], None]) -> None:
        self._soc, self._say = soc, say
        arch, board = soc.processor.arch, soc.board.name
        self.files = FileStore({
            "/proc/version": f"Linux version 6.6.40-xilinx (virtual board, simulated) #1 SMP {arch}\n".encode(),
            "/proc/device-tree/chosen/pynq_board": board.encode() + b"\0",
            _STATE: b"unknown\n",
            _FLAGS: b"0\n",
        })  # fmt: skip
        self._owners: dict[str, str] = {}  # of the files in /lib/firmware
        self._announced = ""

    def existsfile(self, peer: str, request: Any) -> dict[str, Any]:
        """Return whether there is a file; one in ``/lib/firmware`` is there for who wrote it."""
        path = request.file_path
        return {"exists": self.files.exists(path) and self._owners.get(path, peer) == peer}

    def readfile(self, peer: str, request: Any) -> Iterator[dict[str, Any]]:
        """Send a file."""
        content = self.files.read(request.file_path)
        for start in range(0, len(content), CHUNK):
            yield {"data": bytes(content[start : start + CHUNK])}

    def writefile(self, peer: str) -> Generator[None, Any, dict[str, Any]]:
        """Take a file in chunks; it is there once all have come. The path is that of the first chunk."""
        request = yield
        if request is None:
            raise RefusedError(Code.INVALID_ARGUMENT, "file", "no message", "a path and its bytes")
        path = request.file_path
        setting = path in (_FLAGS, _LOAD)
        with self.files.arrival(MOST_SETTING_BYTES if setting else MOST_FILE_BYTES) as arrival:
            if not setting:
                checked_path(path)
            while request is not None:
                arrival.add(request.data)
                request = yield
            if path == _LOAD:
                self._load(bytes(arrival.content).decode(errors="replace").strip())
            elif path == _FLAGS:
                self._set_flags(bytes(arrival.content))
            else:
                self._put(peer, path, arrival.content)
        return {}

    def set_bitstream_attrs(self, peer: str, request: Any) -> dict[str, Any]:
        """Take the name of the bitstream that is to come."""
        if request.partial:
            raise RefusedError(
                Code.UNIMPLEMENTED, "virtual board", "a partial bitstream", "whole ones", "load the whole overlay"
            )
        self._announced = checked_path(FIRMWARE + request.binfile_name)
        return {"status": True}

    def download(self, peer: str) -> Generator[None, Any, dict[str, Any]]:
        """Take a bitstream in chunks under the name that :meth:`set_bitstream_attrs` said, and load it."""
        path = checked_path(self._announced or FIRMWARE)
        with self.files.arrival() as arrival:
            while (request := (yield)) is not None:
                arrival.add(request.buffer)
            self._put(peer, path, arrival.content)
        self._load(path.removeprefix(FIRMWARE))
        return {"status": True}

    def _set_flags(self, content: bytes) -> None:
        if not content.strip().isdigit():
            raise RefusedError(
                Code.INVALID_ARGUMENT, f"file {_FLAGS}", f"{len(content)} bytes that are no number", "digits"
            )
        self.files.fix(_FLAGS, content)

    def _put(self, peer: str, path: str, content: bytearray) -> None:
        self.files.put(path, content)
        if path.startswith(FIRMWARE):
            self._owners[path] = peer

    def _load(self, name: str) -> None:
        """Load a bitstream; one that is refused leaves what was loaded."""
        path = checked_path(FIRMWARE + name)
        binary = self.files.take(path)
        self._owners.pop(path, None)
        self._soc.configure(binary)
        self.files.fix(_STATE, b"operating\n")
        self._say(f"loaded {name}, {len(binary):,} bytes")
