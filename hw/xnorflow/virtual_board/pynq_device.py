"""The virtual board as a device of pynq, in this process. Imports pynq: only where that is installed."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pynq.buffer import PynqBuffer
from pynq.pl_server.device import Device
from pynq.pl_server.embedded_device import EmbeddedDevice
from pynq.ps import Clocks
from pynqmetadata.frontends import Metadata
from pynqmetadata.views.runtime import RuntimeMetadataParser

from xnorflow.artifact.errors import ConfigError, DeployError
from xnorflow.artifact.files import sha256_of
from xnorflow.virtual_board.bit import VirtualBit
from xnorflow.virtual_board.memory import BASE
from xnorflow.virtual_board.soc import Soc
from xnorflow.virtual_board.window import WORD_BYTES, RegisterWindow

__all__ = ["VirtualDevice", "make_active"]


class _Buffer(PynqBuffer):
    """Memory as the processor sees it; the accelerator sees what was flushed, and its results come by invalidating."""

    _owner: VirtualDevice | None = None  # of the buffer itself; its views own nothing

    def freebuffer(self) -> None:
        """Give the memory back, once."""
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.release(self.bo)


class VirtualDevice(Device):
    """A simulated board.

    Args:
        soc: board.
    """

    _probe_priority_ = 30  # in front of pynq's own, which begin at 40
    instances: ClassVar[list[VirtualDevice]] = []

    @classmethod
    def _probe_(cls) -> list[VirtualDevice]:
        return list(cls.instances)

    def __init__(self, soc: Soc) -> None:
        self.name = f"virtual {soc.board.name}, simulated"
        super().__init__(self.name)
        self.soc, self.arch = soc, soc.processor.arch
        self.capabilities = {"MEMORY_MAPPED": True}
        self.default_memory = self
        self.bitfile_name: str | None = None

    def mmap(self, base: int, length: int) -> RegisterWindow:
        """Return ``length`` bytes of registers."""
        return RegisterWindow(self.soc, base, -(-length // WORD_BYTES))

    def allocate(self, shape: Any, dtype: Any = "u4", cacheable: Any = 1, **_: Any) -> _Buffer:
        """Return a buffer; neither side holds zeros, nor sees what the other wrote before a flush or invalidate.

        Raises:
            BusError: there is no room.
        """
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        address = self.soc.memory.allocate(max(size, 1))
        buffer = _Buffer(shape, kind, device=self, device_address=address, bo=address, coherent=False)
        buffer._owner = self
        self.invalidate(address, 0, buffer.virtual_address, size)
        return buffer

    def release(self, address: int) -> None:
        """Take a buffer's memory back."""
        self.soc.memory.free(address)

    def get_memory(self, description: Any) -> VirtualDevice:
        """Return the only memory there is."""
        return self

    def flush(self, bo: int, offset: int, virtual_address: int, size: int) -> None:
        """Copy from the processor's side to the accelerator's."""
        self.soc.memory.write(bo + offset, ctypes.string_at(virtual_address, size))

    def invalidate(self, bo: int, offset: int, virtual_address: int, size: int) -> None:
        """Copy from the accelerator's side to the processor's."""
        ctypes.memmove(virtual_address, self.soc.memory.read(bo + offset, size), size)

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        """Parse the ``.hwh`` beside a bit file.

        Raises:
            DeployError: there is none.
        """
        path = Path(bitfile_name).with_suffix(".hwh")
        if not path.is_file():
            raise DeployError(f"overlay {path}", "missing", "a .bit and the .hwh of the same build beside it",
                              "deploy the run again")  # fmt: skip
        parser = RuntimeMetadataParser(Metadata(input=path))
        parser.mem_dict["PSDDR"] = {
            "base_address": BASE, "size": self.soc.memory.size, "used": 1, "type": "DDR4", "tag": "PSDDR",
            "streaming": False, "idx": 0, "raw_type": 2,
        }  # fmt: skip
        parser.refresh_hierarchy_dict()
        return parser

    def download(self, bitstream: Any, parser: Any = None) -> None:
        """Load a bit file.

        Raises:
            ConfigError: the ``.hwh`` beside it is of another build.
            UserError: as for :meth:`~xnorflow.virtual_board.soc.Soc.configure`.
        """
        path = Path(bitstream.bitfile_name)
        binary = path.read_bytes()
        if VirtualBit.parse(binary).hwh != sha256_of(path.with_suffix(".hwh")):
            raise ConfigError(f"overlay {path.with_suffix('.hwh')}", "of another build than the .bit",
                              "the .hwh that was written with it", "deploy the run again")  # fmt: skip
        if parser is None:
            parser = self.get_bitfile_metadata(str(path), bitstream.partial)
        self.soc.configure(binary)
        EmbeddedDevice.set_axi_port_width(self, parser)
        super().post_download(bitstream, parser, self.name)

    def gen_cache(self, bitstream: Any, parser: Any = None) -> None:
        """Keep nothing: parsing takes milliseconds."""

    def shutdown(self) -> None:
        """Do nothing: there is no region to isolate."""


def make_active(soc: Soc) -> VirtualDevice:
    """Make a board the first of pynq's devices and its active one; one that was before is replaced."""
    device = VirtualDevice(soc)
    VirtualDevice.instances[:] = [device]
    if hasattr(Device, "_devices"):
        del Device._devices  # found once and kept
    Device.active_device = device
    if hasattr(Clocks, "_real_instance"):
        del Clocks._real_instance  # keeps the first device's registers for ever
    Clocks.device = device
    return device
