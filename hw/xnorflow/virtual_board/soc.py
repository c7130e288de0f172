"""A virtual Zynq: memory, the processor's registers, and what a bitstream puts into the programmable logic."""

from __future__ import annotations

import threading
from pathlib import Path

from xnorflow.artifact.closing import Closing
from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.catalog import Board, load_board
from xnorflow.deploy.board import Engine
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.simulate.soc import SocModel
from xnorflow.virtual_board.bit import VirtualBit
from xnorflow.virtual_board.board_lock import BoardLock
from xnorflow.virtual_board.bus import BusError, RegisterFile, Slave
from xnorflow.virtual_board.cells import Accelerator, AxiDma, CycleCounter, IoDma
from xnorflow.virtual_board.design_files import DesignFiles
from xnorflow.virtual_board.layout import RANGE, Cell, Kind, layout
from xnorflow.virtual_board.memory import BASE, Memory
from xnorflow.virtual_board.processor import processor_of

__all__ = ["BusError", "Soc"]

MEMORY_BYTES = 1 << 28
_PAGE = 0x1000


class Soc(Closing):
    """A board with a Zynq, for one folder with a design. Use it as a context manager, or call :meth:`close`.

    The accelerator and its DMA engines are RTL in a simulator. Its clock stands still while nobody looks at its
    registers: each look at a control or status register lets 64 cycles go by, more the longer a batch takes.
    All methods may be called by several threads.

    Args:
        folder: that ``xnorflow deploy`` wrote, with ``virtual.json``.
        board: name of a board in the catalog; None: the one that the design is for.
        memory: bytes of memory.
        stall: probability that memory pauses, in each cycle and on each channel.
        seed: of the pauses.

    Raises:
        UserError: the folder holds no design for virtual boards, there is no such board, or somebody else is on it.
    """

    def __init__(
        self,
        folder: str | Path,
        board: str | None = None,
        *,
        memory: int = MEMORY_BYTES,
        stall: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.folder = Path(folder)
        self.description = OverlayDescription.load(self.folder)
        DesignFiles.load(self.folder)
        self.board: Board = load_board(board or self.description.board)
        self.processor = processor_of(self.board.family)
        self.lock = threading.RLock()
        self.memory = Memory(memory, self.lock)
        self.bit: VirtualBit | None = None
        """What is loaded; None: nothing."""
        self._stall, self._seed = stall, seed
        self._lock = BoardLock(self.folder)
        self._registers: dict[int, RegisterFile] = self.processor.registers()
        self._accelerator: Accelerator | None = None
        self._slaves: dict[int, tuple[Cell, Slave]] = {}

    def close(self) -> None:
        """Free the simulation and let others have the board; reads and writes of the logic are errors from now on."""
        with self.lock:
            self._unload()
            self._lock.release()

    def _unload(self) -> None:
        with self.lock:
            accelerator, self._accelerator, self._slaves, self.bit = self._accelerator, None, {}, None
            if accelerator is not None:
                accelerator.model.close()

    def configure(self, binary: bytes) -> None:
        """Load a bitstream: the accelerator starts anew, memory and its buffers stay.

        Args:
            binary: content of the ``.bit``, or of the ``.bin`` that pynq makes of it.

        Raises:
            ConfigError: it is not a virtual one, for another board, or for another design than the folder's. What was
                loaded before stays.
            SimulateError, ToolError: the simulation cannot start.
        """
        bit = VirtualBit.parse(binary)
        with self.lock:
            files = self._files_for(bit)
            model = SocModel(
                self.folder / files.library, self.folder / files.rtl, base=BASE, memory=self.memory.bytes,
                stall=self._stall, seed=self._seed,
            )  # fmt: skip
            self._unload()
            self.description = OverlayDescription.load(self.folder)
            self.bit, self._accelerator = bit, Accelerator(model, self.description)
            cells = layout(self.board.family, axi_dma=bit.axi_dma)
            self._slaves = {cell.base: (cell, _slave(cell.kind, self._accelerator)) for cell in cells}

    def _files_for(self, bit: VirtualBit) -> DesignFiles:
        if bit.board != self.board.name:
            raise ConfigError(
                f"bitstream {bit.name}", f"for board {bit.board}", f"this one is a {self.board.name}",
                "load the bitstream of this board",
            )  # fmt: skip
        files = DesignFiles.load(self.folder)
        if bit.design != files.digest:
            raise ConfigError(
                f"bitstream {bit.name}", "made for another design, or for an earlier one",
                f"the one that belongs to {self.folder}", "deploy the run again, and load its bitstream",
            )  # fmt: skip
        files.check()
        return files

    @property
    def cycles(self) -> int:
        """Cycles of the accelerator's clock since the bitstream was loaded; 0 without one."""
        with self.lock:
            return self._accelerator.model.cycles if self._accelerator else 0

    @property
    def batch_cycles(self) -> int:
        """Cycles of the last batch, from the start of its first engine to its last result in memory."""
        with self.lock:
            return self._accelerator.batch_cycles if self._accelerator else 0

    @property
    def batch_frames(self) -> int:
        """Frames of the last batch, as written into the register of the engine that writes."""
        with self.lock:
            return self._accelerator.batch_frames if self._accelerator else 0

    @property
    def clock_mhz(self) -> float:
        """What clock 0 of the logic is set to, in MHz, by the processor's registers."""
        with self.lock:
            return self.processor.clock_mhz(self._registers)

    def read(self, address: int) -> int:
        """Return the 32-bit register at an address.

        Raises:
            BusError: nothing is there, the address is no multiple of 4, or the design broke.
        """
        with self.lock:
            slave, offset = self._find(address)
            return slave.read(offset)

    def write(self, address: int, value: int) -> None:
        """Write the 32-bit register at an address; higher bits of ``value`` are dropped.

        Raises:
            BusError: as for :meth:`read`.
        """
        with self.lock:
            slave, offset = self._find(address)
            slave.write(offset, value & 0xFFFF_FFFF)

    def _find(self, address: int) -> tuple[Slave, int]:
        if address % 4 == 0:
            page = address - address % _PAGE
            if page in self._registers:
                return self._registers[page], address - page
            base = address - address % RANGE
            if base in self._slaves:
                return self._slaves[base][1], address - base
        found = "no multiple of 4" if address % 4 else "nothing answers there"
        cells = ", ".join(f"{cell.name} at {base:#x}" for base, (cell, _) in self._slaves.items())
        raise BusError(
            f"virtual {self.board.name}, address {address:#x}", found, cells or "the processor's own registers",
            "" if cells else "load an overlay first",
        )  # fmt: skip


def _slave(kind: Kind, accelerator: Accelerator) -> Slave:
    if kind is Kind.READ_ENGINE:
        return IoDma(accelerator, Engine.READ)
    if kind is Kind.WRITE_ENGINE:
        return IoDma(accelerator, Engine.WRITE)
    if kind is Kind.CYCLES:
        return CycleCounter(accelerator)
    return AxiDma(accelerator) if kind is Kind.AXI_DMA else RegisterFile()
