"""Cells of the programmable logic: the accelerator's engines in RTL, and a model of the vendor's AXI DMA."""

from __future__ import annotations

from typing import ClassVar

from xnorflow.artifact.errors import SimulateError
from xnorflow.deploy.board import Control, Engine, Register
from xnorflow.deploy.overlay import OverlayDescription
from xnorflow.simulate.soc import SocModel
from xnorflow.virtual_board.bus import WORD, BusError

__all__ = ["Accelerator", "AxiDma", "CycleCounter", "IoDma"]

SHORTEST_REST, LONGEST_REST, REST_SHARE = 64, 4096, 64
"""Cycles that go by while a register is looked at: between these two, a 64th of those since the start."""


class Accelerator:
    """The accelerator's RTL, and the time in it: cycles go by when its registers are looked at.

    Args:
        model: the simulation.
        description: of the design.
    """

    def __init__(self, model: SocModel, description: OverlayDescription) -> None:
        self.model, self.description = model, description
        self._started = self._first_start = 0
        self._running: set[Engine] = set()

    def write(self, engine: Engine, offset: int, value: int) -> None:
        """Write a register of an engine."""
        try:
            self.model.write(engine, offset, value)
        except SimulateError as reason:
            raise _broken(reason) from reason
        if offset == Register.CONTROL and value & Control.START:
            self._started = self.model.cycles
            if not self._running:
                self._first_start = self._started
            self._running.add(engine)

    def read(self, engine: Engine, offset: int) -> int:
        """Read a register of an engine; cycles go by before a control register is."""
        try:
            if offset == Register.CONTROL:
                since = self.model.cycles - self._started
                self.model.run(min(LONGEST_REST, max(SHORTEST_REST, since // REST_SHARE)))
            value = self.model.read(engine, offset)
        except SimulateError as reason:
            raise _broken(reason) from reason
        if offset == Register.CONTROL and engine == Engine.WRITE and value & (Control.DONE | Control.IDLE):
            self._running.clear()
        return value

    @property
    def batch_frames(self) -> int:
        """Frames of the last batch."""
        return self.model.read(Engine.WRITE, Register.FRAMES) if self._first_start else 0

    @property
    def batch_cycles(self) -> int:
        """Cycles from the start of a batch's first engine to its last result in memory; looks take none of them."""
        return max(0, self.model.last_answer - self._first_start)


def _broken(reason: SimulateError) -> BusError:
    return BusError(reason.where, reason.found, reason.allowed, "load the bitstream again")


class IoDma:
    """Registers of an engine.

    Args:
        accelerator: with the engine.
        engine: of the two.
    """

    def __init__(self, accelerator: Accelerator, engine: Engine) -> None:
        self._accelerator, self._engine = accelerator, engine

    def read(self, offset: int) -> int:
        """Read a register of the RTL."""
        return self._accelerator.read(self._engine, offset)

    def write(self, offset: int, value: int) -> None:
        """Write a register of the RTL."""
        self._accelerator.write(self._engine, offset, value)


class CycleCounter:
    """Cycles since the bitstream was loaded: the low word at 0, the high one as it was then at 4.

    Args:
        accelerator: whose cycles these are.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator, self._high = accelerator, 0

    def read(self, offset: int) -> int:
        """Return a word of the count, 0 elsewhere."""
        if offset == 0:
            self._high, low = divmod(self._accelerator.model.cycles, WORD + 1)
            return low
        return self._high if offset == 4 else 0

    def write(self, offset: int, value: int) -> None:
        """Do nothing."""


class AxiDma:
    """The vendor's AXI DMA in direct register mode, without scatter-gather: a model of its behavior, no RTL of it.

    Registers are those of its product guide; memory is moved by the accelerator's engines, in RTL. A transfer to the
    accelerator starts once there is one from it as well. Both are whole frames: else the channel halts with an internal
    error, where the vendor's IP would wait for the rest of a frame or send what is left over later.

    Args:
        accelerator: behind both channels.
    """

    _RESET: ClassVar[dict[int, int]] = {0x00: 0x0001_0002, 0x04: 0x1, 0x30: 0x0001_0002, 0x34: 0x1}
    _TO, _FROM = 0x00, 0x30
    _STATUS, _ADDRESS, _HIGH, _LENGTH = 0x04, 0x18, 0x1C, 0x28
    _HALTED, _IDLE, _INTERNAL, _DECODE, _ON_COMPLETE, _ON_ERROR = 0x1, 0x2, 0x10, 0x40, 0x1000, 0x4000
    _IRQ_FLAGS = 0x7000
    _RUN, _RESET_BIT = 0x1, 0x4

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._values = dict(self._RESET)
        self._waiting: dict[int, int] = {}  # channel: bytes that were asked for
        self._busy: dict[int, int] = {}  # channel: bytes that move

    def read(self, offset: int) -> int:
        """Return a register; looking at a status lets cycles go by while something moves."""
        if offset in (self._TO + self._STATUS, self._FROM + self._STATUS) and self._busy:
            self._look()
        return self._values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register; writing a length starts a transfer."""
        channel = self._FROM if offset >= self._FROM else self._TO
        register = offset - channel
        if register == 0:
            self._control(channel, value)
        elif register == self._STATUS:
            self._values[offset] &= ~(value & self._IRQ_FLAGS)
        elif register == self._LENGTH:
            self._values[offset] = value & WORD
            if self._values[channel] & self._RUN:
                self._set(channel, clear=self._IDLE)
                self._waiting[channel] = value
                self._start()
        elif register in (self._ADDRESS, self._HIGH):
            self._values[offset] = value & WORD

    def _control(self, channel: int, value: int) -> None:
        if value & self._RESET_BIT:  # of either channel resets both
            self._values = dict(self._RESET)
            self._waiting, self._busy = {}, {}
            return
        self._values[channel] = value & WORD
        if value & self._RUN:
            self._set(channel, clear=self._HALTED)
        else:
            self._set(channel, self._HALTED)

    def _set(self, channel: int, bits: int = 0, *, clear: int = 0) -> None:
        status = channel + self._STATUS
        self._values[status] = self._values[status] & ~clear | bits

    def _start(self) -> None:
        """Start both engines once both directions are known."""
        if set(self._waiting) != {self._TO, self._FROM}:
            return
        sent, room = self._waiting[self._TO], self._waiting[self._FROM]
        description = self._accelerator.description
        frames, rest = divmod(sent, description.source.frame_bytes)
        result = frames * description.sink.frame_bytes
        self._waiting = {}
        wrong = self._TO if rest or not frames else self._FROM if result > room else None
        if wrong is not None:
            self._fail(wrong, self._INTERNAL)
            return
        for channel, engine in ((self._FROM, Engine.WRITE), (self._TO, Engine.READ)):
            for register, source in ((Register.ADDRESS_LOW, self._ADDRESS), (Register.ADDRESS_HIGH, self._HIGH)):
                self._accelerator.write(engine, register, self._values.get(channel + source, 0))
            self._accelerator.write(engine, Register.FRAMES, frames)
            self._accelerator.write(engine, Register.CONTROL, Control.START)
        self._busy = {self._TO: sent, self._FROM: result}

    def _look(self) -> None:
        for channel, engine in ((self._TO, Engine.READ), (self._FROM, Engine.WRITE)):
            if channel in self._busy and self._accelerator.read(engine, Register.CONTROL) & Control.DONE:
                moved = self._busy.pop(channel)
                if self._accelerator.read(engine, Register.FAILURE):
                    self._fail(channel, self._DECODE)
                else:
                    self._values[channel + self._LENGTH] = moved
                    self._set(channel, self._IDLE | self._ON_COMPLETE)

    def _fail(self, channel: int, error: int) -> None:
        self._set(channel, self._HALTED | error | self._ON_ERROR)
        self._values[channel] &= ~self._RUN
