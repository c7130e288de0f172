"""Virtual bit files: a vendor tool's header around a text that names a design. No FPGA starts to configure by one."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.deploy.pynq_board import VIRTUAL_MARK

__all__ = ["VirtualBit", "is_virtual"]

MAGIC = VIRTUAL_MARK + b": for a simulated board, holds no logic for any FPGA\n"
"""What the payload begins with, as text; the word by which an FPGA knows a bitstream, AA995566, is nowhere in it."""
_SYNC = bytes.fromhex("0ff00ff00ff00ff000")
LONGEST = 1 << 16
"""Bytes of a payload at most."""


@dataclass(frozen=True)
class VirtualBit:
    """What a virtual bit file says.

    Args:
        name: of the overlay.
        board: that it is for.
        part: full part string of the chip.
        axi_dma: whether the overlay has an AXI DMA beside the engines.
        design: SHA-256 of ``virtual.json``, which lists the hashes of the design's files.
        hwh: SHA-256 of the ``.hwh`` beside it: pynq keeps what it read from that by the hash of the bit file.
    """

    name: str
    board: str
    part: str
    axi_dma: bool
    design: str
    hwh: str

    def to_bytes(self) -> bytes:
        """Return the file: header, then the payload."""
        payload = MAGIC + json.dumps(asdict(self), sort_keys=True).encode() + b"\n"
        payload += b"\0" * (-len(payload) % 4)  # tools swap the bytes of its 32-bit words
        fields = ((b"a", f"{self.name};VIRTUAL=xnorflow;Version=0"), (b"b", self.part.removeprefix("xc")),
                  (b"c", "2000/01/01"), (b"d", "00:00:00"))  # fmt: skip
        header = struct.pack(">H", len(_SYNC)) + _SYNC + struct.pack(">H", 1)
        for key, text in fields:
            value = text.encode() + b"\0"
            header += key + struct.pack(">H", len(value)) + value
        return header + b"e" + struct.pack(">I", len(payload)) + payload

    @classmethod
    def parse(cls, binary: bytes) -> VirtualBit:
        """Read a ``.bit`` file, its payload alone, or the ``.bin`` with swapped bytes that pynq makes of it.

        Raises:
            ConfigError: it is a bitstream for a real FPGA, or damaged.
        """
        head = binary[: 2 * LONGEST]
        for data in (head, _swapped(head)):
            start = data.find(MAGIC)
            if start >= 0:
                return cls._from_text(data[start + len(MAGIC) :])
        raise ConfigError(
            f"bitstream of {len(binary):,} bytes", "not a virtual one: a virtual board holds no FPGA",
            "the .bit that `xnorflow deploy` wrote", "load a real bitstream on a real board",
        )  # fmt: skip

    @classmethod
    def _from_text(cls, data: bytes) -> VirtualBit:
        try:
            content = json.loads(data[: data.index(b"\n")])
            bit = cls(**content)
        except (ValueError, TypeError, RecursionError) as reason:
            raise _damaged() from reason
        texts = (bit.name, bit.board, bit.part, bit.design, bit.hwh)
        if not all(isinstance(text, str) for text in texts) or not isinstance(bit.axi_dma, bool):
            raise _damaged()
        return bit


def is_virtual(path: Path) -> bool:
    """Return whether a bit file is for virtual boards.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return MAGIC in stream.read(2 * LONGEST)


def _damaged() -> ConfigError:
    return ConfigError("virtual bitstream", "damaged", "the .bit as `xnorflow deploy` wrote it", "deploy the run again")


def _swapped(data: bytes) -> bytes:
    """Return the bytes of each 32-bit word in the other order; an incomplete last word is dropped."""
    words = len(data) // 4
    return struct.pack(f">{words}I", *struct.unpack(f"<{words}I", data[: 4 * words]))
