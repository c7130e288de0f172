"""A verilated design as a Python object: packed beats in, packed beats out, every cycle accounted for."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.closing import Closing
from xnorflow.artifact.errors import SimulateError
from xnorflow.simulate.library import MESSAGE_BYTES, STARTING, open_library

__all__ = ["StreamModel", "StreamRun"]

ByteArray = npt.NDArray[np.uint8]
CycleArray = npt.NDArray[np.int64]

_FIRST_CHUNK = 10_000
_CHUNK_SECONDS = 0.1


class _Status(IntEnum):
    """What one step ended with; harness.cpp has the same list."""

    RUNNING = 0
    DONE = 1
    STUCK = 2
    UNSTABLE = 3
    FAILED = 4


@dataclass(frozen=True)
class StreamRun:
    """What one job gave. Cycles count from the start of the job.

    Args:
        beats: uint8 (output beats, bytes of a beat), little-endian, zeros above the port's width.
        frame_starts: int64 (input frames,), cycle in which each frame's first beat was accepted.
        frame_ends: int64 (output frames,), cycle in which each frame's last beat was taken.
        first_output: cycle of the first output beat; -1 where there is none.
        cycles: length of the job.
        seconds: wall time.
    """

    beats: ByteArray
    frame_starts: CycleArray
    frame_ends: CycleArray
    first_output: int
    cycles: int
    seconds: float

    @property
    def intervals(self) -> CycleArray:
        """Cycles between the ends of one frame and the next (output frames - 1,)."""
        return np.diff(self.frame_ends)

    @property
    def latency(self) -> int:
        """Clock edges from the first frame's first beat in to its last beat out."""
        return int(self.frame_ends[0] - self.frame_starts[0])


@dataclass
class _Job:
    """Arrays of one job: they must live as long as the C side uses them."""

    beats: ByteArray
    out: ByteArray
    frame_in: int
    frame_out: int
    first_frame: int
    starts: CycleArray
    ends: CycleArray


def _load(library: Path) -> ctypes.CDLL:
    calls = open_library(library)
    pointer, long = ctypes.c_void_p, ctypes.c_int64
    calls.xnf_new.restype, calls.xnf_new.argtypes = pointer, [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, long]
    calls.xnf_free.restype, calls.xnf_free.argtypes = None, [pointer]
    calls.xnf_input_bits.restype = calls.xnf_output_bits.restype = long
    calls.xnf_start.restype = None
    calls.xnf_start.argtypes = [
        *(pointer, pointer, long, long, pointer, long, long, pointer, pointer),
        *(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64, long),
    ]
    calls.xnf_step.restype, calls.xnf_step.argtypes = ctypes.c_int, [pointer, long, pointer, ctypes.c_char_p, long]
    return calls


class StreamModel(Closing):
    """A simulated design, reset and ready. Use it as a context manager, or call :meth:`close`.

    Args:
        library: what :func:`~xnorflow.simulate.verilator.compile_design` returned.
        rtl_dir: folder from which the design's ``$readmemh`` paths are resolved; None: the current one.
        seed: of the values that registers without reset or initial value start at.

    Raises:
        SimulateError: the design cannot start, e.g. a ``$readmemh`` file is missing or a parameter check fails.
        ToolError: the library cannot be loaded.
    """

    def __init__(self, library: Path, rtl_dir: Path | None = None, seed: int = 1) -> None:
        self._name = library.name.rsplit("_", 1)[0]
        self._calls = _load(library)
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        folder = str(rtl_dir.resolve()) if rtl_dir is not None else ""
        with STARTING:
            self._handle: int | None = self._calls.xnf_new(folder.encode(), seed, message, MESSAGE_BYTES)
        if not self._handle:
            raise SimulateError(f"design {self._name}", f"cannot start: {message.value.decode(errors='replace')}")
        self.input_bits = int(self._calls.xnf_input_bits())
        self.output_bits = int(self._calls.xnf_output_bits())

    def close(self) -> None:
        """Free the simulation; it cannot be used afterwards."""
        if self._handle:
            self._calls.xnf_free(self._handle)
            self._handle = None

    def run(
        self,
        beats: ByteArray,
        n_out: int,
        *,
        frame_in: int = 1,
        frame_out: int = 1,
        first_frame: int = 0,
        stall_probability: float | tuple[float, float] = 0.0,
        seed: int = 1,
        timeout_cycles: int = 100_000,
        chunk_cycles: int | None = None,
        on_chunk: Callable[[int], None] | None = None,
    ) -> StreamRun:
        """Stream ``beats`` in until all are accepted and ``n_out`` beats came out.

        A second call goes on with the hardware as the first one left it. It runs in chunks, between which Ctrl-C works;
        they change nothing in the result.

        Args:
            beats: uint8 (input beats, bytes of a beat), little-endian, zeros above the port's width.
            n_out: output beats to wait for.
            frame_in: input beats of one frame.
            frame_out: output beats of one frame.
            first_frame: number of the first frame, for messages.
            stall_probability: how likely each side pauses for a cycle, in [0, 1); one for both or (input, output).
            seed: of the stalls.
            timeout_cycles: cycles without a transfer on either side after which the design counts as stuck.
            chunk_cycles: cycles between two looks at Ctrl-C; None: about 0.1 s.
            on_chunk: called after each chunk with the number of output beats so far.

        Raises:
            ValueError: an array or a number is out of range.
            SimulateError: the design is stuck, breaks the stream rules, or stops itself.
        """
        start = time.perf_counter()
        frames = frame_in, frame_out, first_frame
        job = self._begin(beats, n_out, frames, stall_probability, seed, timeout_cycles)
        state = (ctypes.c_int64 * 4)()
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        status, cycles = _Status.RUNNING, chunk_cycles or _FIRST_CHUNK
        while status is _Status.RUNNING:
            began = time.perf_counter()
            status = _Status(self._calls.xnf_step(self._handle, cycles, state, message, MESSAGE_BYTES))
            if chunk_cycles is None:
                speed = cycles / max(time.perf_counter() - began, 1e-6)
                cycles = max(1, min(int(speed * _CHUNK_SECONDS), 4 * cycles))
            if on_chunk is not None:
                on_chunk(state[2])
        cycle, in_done, out_done, first_output = (int(value) for value in state)
        if status is not _Status.DONE:
            raise self._failure(status, job, cycle, in_done, out_done, timeout_cycles, message.value)
        seconds = time.perf_counter() - start
        return StreamRun(job.out, job.starts, job.ends, first_output, cycle, seconds)

    def idle(self, cycles: int) -> int:
        """Run ``cycles`` cycles without input, ready for output; return how many beats came (0 or 1, then it stops)."""
        empty = np.zeros((0, -(-self.input_bits // 8)), np.uint8)
        job = self._begin(empty, 1, (1, 1, 0), 0.0, 1, cycles + 1)
        state = (ctypes.c_int64 * 4)()
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        status = _Status(self._calls.xnf_step(self._handle, cycles, state, message, MESSAGE_BYTES))
        if status not in (_Status.RUNNING, _Status.DONE):
            raise self._failure(status, job, int(state[0]), 0, int(state[2]), cycles, message.value)
        return int(state[2])

    def _begin(
        self, beats: ByteArray, n_out: int, frames: tuple[int, int, int],
        stall_probability: float | tuple[float, float], seed: int, timeout_cycles: int,
    ) -> _Job:  # fmt: skip
        if self._handle is None:
            raise ValueError("this model is closed")
        frame_in, frame_out, first_frame = frames
        in_bytes, out_bytes = -(-self.input_bits // 8), -(-self.output_bits // 8)
        if beats.dtype != np.uint8 or beats.ndim != 2 or beats.shape[1] != in_bytes:
            raise ValueError(f"beats: {beats.dtype} {beats.shape}, expected uint8 (beats, {in_bytes})")
        if self.input_bits % 8 and np.any(beats[:, -1] >> (self.input_bits % 8)):
            raise ValueError(f"beats: bits above the port's {self.input_bits} are set")
        stalls = stall_probability if isinstance(stall_probability, tuple) else (stall_probability, stall_probability)
        if not all(0.0 <= stall < 1.0 for stall in stalls):
            raise ValueError(f"stall_probability: {stalls}, expected numbers in [0, 1)")
        if len(beats) % frame_in or n_out % frame_out:
            raise ValueError(f"{len(beats)} beats in, {n_out} out: not whole frames of {frame_in} and {frame_out}")
        starts = np.full(len(beats) // frame_in, -1, np.int64)
        ends = np.full(n_out // frame_out, -1, np.int64)
        out = np.zeros((n_out, out_bytes), np.uint8)
        job = _Job(np.ascontiguousarray(beats), out, frame_in, frame_out, first_frame, starts, ends)
        self._calls.xnf_start(
            *(self._handle, job.beats.ctypes.data, len(job.beats), frame_in, out.ctypes.data, n_out, frame_out),
            *(starts.ctypes.data, ends.ctypes.data, *(int(stall * 65536) for stall in stalls)),
            *(seed & (2**64 - 1), timeout_cycles),
        )
        return job

    def _failure(
        self, status: _Status, job: _Job, cycle: int, in_done: int, out_done: int, timeout_cycles: int, message: bytes
    ) -> SimulateError:
        where = f"design {self._name}"
        frame = job.first_frame + out_done // job.frame_out
        at = f"cycle {cycle}, frame {frame}, output beat {out_done % job.frame_out}"
        if status is _Status.UNSTABLE:
            return SimulateError(
                where,
                f"output valid fell or its data changed before it was taken, at {at}",
                "valid stays up with the same data until ready",
                "mend the RTL",
            )
        if status is _Status.FAILED:
            return SimulateError(where, f"stopped itself at {at}: {message.decode(errors='replace')}")
        pending = _pending(job, in_done, out_done)
        return SimulateError(
            where,
            f"no transfer for {timeout_cycles} cycles, stuck at {at}: {pending}",
            fix="deepen the FIFOs, or raise timeout_cycles if the design is merely slow",
        )


def _pending(job: _Job, in_done: int, out_done: int) -> str:
    parts = []
    if in_done < len(job.beats):
        frame = job.first_frame + in_done // job.frame_in
        parts.append(f"input beat {in_done % job.frame_in} of frame {frame} is not accepted")
    if out_done < len(job.out):
        parts.append(f"{len(job.out) - out_done} of {len(job.out)} output beats have not come")
    return " and ".join(parts)
