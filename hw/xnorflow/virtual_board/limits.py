"""What the gRPC server grants its clients at most, and how it refuses the rest."""

from __future__ import annotations

from enum import StrEnum

from xnorflow.artifact.errors import UserError

__all__ = [
    "MOST_BUFFERS", "MOST_CALLS", "MOST_FILES", "MOST_FILE_BYTES", "MOST_MESSAGE_BYTES", "MOST_REGISTER_BYTES",
    "STALL_SECONDS", "Code", "RefusedError", "shown",
]  # fmt: skip

MOST_CALLS = 32
"""Calls at the same time; a client makes one at a time."""
MOST_MESSAGE_BYTES = 4 << 20
"""Of one message: gRPC's own default; pynq sends 2 MiB."""
MOST_FILES = 16
"""Files that clients have written."""
MOST_FILE_BYTES = 64 << 20
"""Of all these files together, those that still arrive included: twice a bitstream of the largest board."""
MOST_BUFFERS = 4096
"""Buffers at the same time."""
MOST_REGISTER_BYTES = 1 << 16
"""Bytes that one call writes into registers: all of a cell's."""
STALL_SECONDS = 20.0
"""How long a call waits for the client's next message, or for the client to take one."""
_SHOWN = 80


class Code(StrEnum):
    """gRPC's status of a refused call, by its name in ``grpc.StatusCode``."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"


class RefusedError(UserError):
    """A call that is answered by an error; the next one is served.

    Args:
        code: gRPC's status.
        where: the file, register, buffer or message concerned.
        found: what was found there.
        allowed: what would have been accepted.
        fix: what to do about it.
    """

    def __init__(self, code: Code, where: str, found: str, allowed: str = "", fix: str = "") -> None:
        super().__init__(where, found, allowed, fix)
        self.code = code


def shown(text: str) -> str:
    """Return a client's text for a message: quoted, without control characters, at most 80 characters of it."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
