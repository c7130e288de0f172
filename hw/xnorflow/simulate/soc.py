"""An accelerator with its DMA engines as a Python object: registers, memory, and the cycles that go by."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.closing import Closing
from xnorflow.artifact.errors import SimulateError
from xnorflow.simulate.library import MESSAGE_BYTES, STARTING, open_library

__all__ = ["SocModel"]

ByteArray = npt.NDArray[np.uint8]

_DONE = 2  # of the control register
_POLL_CYCLES = 64


def _load(library: Path) -> ctypes.CDLL:
    calls = open_library(library)
    pointer, long, word, text = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint32, ctypes.c_char_p
    calls.xnf_new.restype = pointer
    calls.xnf_new.argtypes = [text, ctypes.c_int, ctypes.c_uint64, pointer, long, word, long, text, long]
    calls.xnf_free.restype, calls.xnf_free.argtypes = None, [pointer]
    calls.xnf_cycles.argtypes = calls.xnf_last_answer.argtypes = [pointer]
    calls.xnf_cycles.restype = calls.xnf_last_answer.restype = long
    calls.xnf_run.argtypes = [pointer, long, text, long]
    calls.xnf_write.argtypes = [pointer, ctypes.c_int, word, word, text, long]
    calls.xnf_read.argtypes = [pointer, ctypes.c_int, word, ctypes.POINTER(word), text, long]
    return calls


class SocModel(Closing):
    """A simulated accelerator with DMA engines, reset and ready. Use it as a context manager, or call :meth:`close`.

    Args:
        library: what :func:`~xnorflow.simulate.verilator.compile_design` returned for ``SocPorts``.
        rtl_dir: folder from which the design's ``$readmemh`` paths are resolved; None: the current one.
        size: bytes of memory.
        memory: uint8 (size,), contiguous, that the design is to work on; it stays as it is when the model is closed.
            None: zeros of its own.
        base: address of its first byte, a multiple of 4,096.
        stall: probability of a pause, in each cycle and on each channel.
        latency: cycles from an address to the first answer, at least.
        seed: of the pauses, and of the values that registers without reset start at.

    Raises:
        SimulateError: the design cannot start.
        ToolError: the library cannot be loaded.
    """

    def __init__(
        self,
        library: Path,
        rtl_dir: Path | None = None,
        *,
        size: int = 1 << 20,
        memory: ByteArray | None = None,
        base: int = 0x1000_0000,
        stall: float = 0.0,
        latency: int = 20,
        seed: int = 1,
    ) -> None:
        self._name, self.base, self._calls = library.name.rsplit("_", 1)[0], base, _load(library)
        self._message = ctypes.create_string_buffer(MESSAGE_BYTES)
        folder = str(rtl_dir.resolve()) if rtl_dir is not None else ""
        self.memory: ByteArray = np.zeros(size, np.uint8) if memory is None else memory
        """uint8 (size,): the memory itself, until the model is closed."""
        with STARTING:
            self._handle: int | None = self._calls.xnf_new(
                folder.encode(), seed, base, self.memory.ctypes.data, self.memory.size, round(stall * 65536), latency,
                self._message, MESSAGE_BYTES,
            )  # fmt: skip
        if not self._handle:
            raise SimulateError(f"design {self._name}", f"cannot start: {self._text()}")

    def close(self) -> None:
        """Free the simulation and its memory; neither can be used afterwards."""
        if self._handle:
            self._calls.xnf_free(self._handle)
            self._handle = None
            self.memory = np.zeros(0, np.uint8)

    @property
    def cycles(self) -> int:
        """Cycles since the reset."""
        return int(self._calls.xnf_cycles(self._handle))

    @property
    def last_answer(self) -> int:
        """Cycle in which a burst was last acknowledged as written to memory; 0 before the first."""
        return int(self._calls.xnf_last_answer(self._handle))

    def run(self, cycles: int) -> None:
        """Let cycles go by.

        Raises:
            SimulateError: the design breaks a rule of AXI, or fails.
        """
        self._check(self._calls.xnf_run(self._handle, cycles, self._message, MESSAGE_BYTES))

    def write(self, engine: int, address: int, value: int) -> None:
        """Write a register of engine 0, which reads from memory, or 1, which writes to it.

        Raises:
            SimulateError: as for :meth:`run`, or there is no answer.
        """
        self._check(self._calls.xnf_write(self._handle, engine, address, value, self._message, MESSAGE_BYTES))

    def read(self, engine: int, address: int) -> int:
        """Read a register.

        Raises:
            SimulateError: as for :meth:`write`.
        """
        value = ctypes.c_uint32()
        self._check(self._calls.xnf_read(self._handle, engine, address, value, self._message, MESSAGE_BYTES))
        return value.value

    def wait(self, engine: int, limit: int) -> int:
        """Let cycles go by until an engine says that it is done; return how many.

        Raises:
            SimulateError: as for :meth:`read`, or it is not done within ``limit`` cycles.
        """
        start = self.cycles
        while not self.read(engine, 0) & _DONE:
            if self.cycles - start > limit:
                raise SimulateError(
                    f"design {self._name}, engine {engine}", f"not done after {limit:,} cycles",
                    "done once all frames have gone through", "start both engines with the same number of frames",
                )  # fmt: skip
            self.run(_POLL_CYCLES)
        return self.cycles - start

    def _text(self) -> str:
        return self._message.value.decode(errors="replace")

    def _check(self, code: int) -> None:
        if code:
            raise SimulateError(
                f"design {self._name}", f"{self._text()}, cycle {self.cycles}", fix="report this design"
            )
