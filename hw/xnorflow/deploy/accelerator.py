"""An accelerator as a Python object: images in, class names out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xnorflow.artifact.closing import Closing
from xnorflow.artifact.errors import DeployError
from xnorflow.artifact.files import UNREADABLE
from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.board import Board, Buffer, Control, Engine, Register, registers_of
from xnorflow.deploy.find import find_board
from xnorflow.deploy.overlay import HOST, GoldenFrames, OverlayDescription

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    IntArray = npt.NDArray[np.int64]

__all__ = ["Accelerator", "Throughput", "Validation"]

MOST_FRAMES = 1000
"""Frames of a batch that go through at once: larger batches go in parts."""


@dataclass(frozen=True)
class Validation:
    """How many of a data set's images were given their class.

    Args:
        frames: images.
        correct: of these.
        path: where it was computed.
    """

    frames: int
    correct: int
    path: str

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.correct / self.frames

    def __str__(self) -> str:
        return f"{100 * self.accuracy:.2f} % of {self.frames:,} images ({self.path})"


@dataclass(frozen=True)
class Throughput:
    """How fast batches go through.

    Args:
        frames: that went through.
        seconds: wall time, of the simulator where there is no board.
        cycles: clock cycles of the accelerator; None on a board, where nobody counts them.
        frames_a_second: on a board by wall time; simulated, the clock over the cycles a frame.
        path: how the number came about.
    """

    frames: int
    seconds: float
    cycles: int | None
    frames_a_second: float
    path: str

    def __str__(self) -> str:
        return f"{self.frames_a_second:,.0f} frames/s ({self.path})"


class Accelerator(Closing):
    """An accelerator with its DMA engines. Use it as a context manager, or call :meth:`close`.

    Args:
        overlay: folder that ``xnorflow deploy`` wrote, or the ``.bit`` file in it.
        board: what it runs on; None: the PYNQ board that this is, or a virtual one where pynq is not installed.
        timeout: seconds after which a batch that is not done is an error.

    Raises:
        DeployError: the folder does not hold an accelerator, or there is no board.
    """

    def __init__(self, overlay: str | Path, board: Board | None = None, timeout: float = 10.0) -> None:
        path = Path(overlay)
        self.folder = path.parent if path.suffix == ".bit" else path
        self.description = OverlayDescription.load(self.folder)
        try:
            self._codec = HostCodec.load(self.folder / HOST)
        except UNREADABLE as reason:
            raise DeployError(
                f"accelerator {self.folder / HOST}", "missing or unreadable", "the file that belongs to this folder",
                "deploy the run again",
            ) from reason  # fmt: skip
        self.timeout = timeout
        self._buffers: dict[str, Buffer] = {}
        self._board = find_board(self.folder, self.description) if board is None else board

    def close(self) -> None:
        """Give memory and board back."""
        for buffer in self._buffers.values():
            buffer.free()
        self._buffers = {}
        self._board.close()

    @property
    def path(self) -> str:
        """Where results come from: for labels of figures."""
        return "virtual board, simulated" if self._board.simulated else f"{self.description.board}, board"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self._codec.input_shape

    def execute(self, images: npt.NDArray[Any]) -> FloatArray | IntArray:
        """Compute a batch.

        Args:
            images: numbers (frames, *input_shape), as the network takes them; at least one frame.

        Returns:
            float32 (frames, classes), the logits; of an accelerator that sends labels int64 (frames,).

        Raises:
            DeployError: another shape or kind of numbers, NaN, no frames; or the accelerator does not answer.
        """
        raw = self._run(self._codec.quantize(self._checked(images)))
        if self._codec.labels:
            return raw[:, 0]
        return self._codec.decode(self._codec.accumulators(raw))

    def labels(self, images: npt.NDArray[Any]) -> IntArray:
        """Return int64 (frames,), the class of each image; see :meth:`execute`."""
        results = self.execute(images)
        return np.asarray(results if results.ndim == 1 else results.argmax(axis=1), np.int64)

    def classify(self, images: npt.NDArray[Any]) -> list[str]:
        """Return the name of each image's class; see :meth:`execute`."""
        return [self.description.classes[label] for label in self.labels(images)]

    def validate(self, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Validation:
        """Compare the classes of a data set's images with its labels.

        Args:
            images: as for :meth:`execute`.
            labels: integers (frames,).

        Raises:
            DeployError: as for :meth:`execute`, or not as many labels as images.
        """
        if len(labels) != len(images):
            raise DeployError(
                "labels", f"{len(labels):,}", f"{len(images):,}, one an image", "give those of the images"
            )
        return Validation(len(images), int((self.labels(images) == np.asarray(labels)).sum()), self.path)

    def self_test(self) -> int:
        """Compute the golden frames that the folder holds; return how many.

        Raises:
            DeployError: a result differs, or as for :meth:`execute`.
        """
        golden = GoldenFrames.load(self.folder)
        got = self._run(self._codec.quantize(self._checked(golden.images)))
        differing = np.flatnonzero((got != golden.results).any(axis=1))
        if len(differing):
            first = differing[0]
            raise DeployError(
                f"accelerator {self.description.name}, golden frame {first}",
                f"{got[first].tolist()}, and {len(differing)} of {len(got)} differ",
                f"{golden.results[first].tolist()}",
                "load the bitstream that belongs to this folder",
            )  # fmt: skip
        return len(got)

    def throughput_test(self, frames: int = MOST_FRAMES) -> Throughput:
        """Let one batch of random frames go through, several times, and return the fastest.

        Raises:
            DeployError: as for :meth:`execute`.
        """
        values = np.random.default_rng(1).choice(self._codec.levels, (frames, self.description.input.elements))
        packed = self.description.source.pack(values)
        runs = 1 if self._board.simulated else 5
        seconds, cycles = min((self._timed(packed) for _ in range(runs)), key=lambda timed: timed[0])
        if cycles is None:
            return Throughput(frames, seconds, None, frames / seconds, f"{self.path}, DMA included")
        clock = self.description.clock_ns
        rate = frames * 1e9 / (cycles * clock)
        return Throughput(frames, seconds, cycles, rate, f"{self.path}: cycles x assumed {clock:g} ns, DMA included")

    def _timed(self, packed: npt.NDArray[np.uint8]) -> tuple[float, int | None]:
        """Let packed frames go through; return seconds on the wall, and cycles where the board counts them."""
        start, before = time.perf_counter(), self._board.cycles()
        self._transfer(packed)
        seconds, after = time.perf_counter() - start, self._board.cycles()
        return seconds, None if before is None or after is None else after - before

    def registers(self) -> dict[str, dict[str, Any]]:
        """Return what the engines' registers hold; reading clears done."""
        return registers_of(self._board)

    def _checked(self, images: npt.NDArray[Any]) -> FloatArray:
        array = np.asarray(images)
        if array.dtype.kind not in "fiub":
            raise DeployError("images", f"numbers of kind {array.dtype}", "floats or integers", "convert them")
        if array.shape[1:] != self.input_shape:
            hint = "add the batch's dimension" if array.shape == self.input_shape else "reshape them"
            raise DeployError("images", f"shape {array.shape}", f"(frames, {str(self.input_shape)[1:-1]})", hint)
        if not len(array):
            raise DeployError("images", "none", "at least one", "give an image")
        if not np.isfinite(array).all():
            raise DeployError("images", "NaN or infinite values", "finite numbers", "look at where they come from")
        low, high = self.description.input_range or (array.min(), array.max())
        if array.min() < low or array.max() > high:
            raise DeployError(
                "images", f"values from {array.min():g} to {array.max():g}", f"{low:g} to {high:g}",
                "scale them as those that the network was trained on",
            )  # fmt: skip
        return array.astype(np.float32)

    def _run(self, values: IntArray) -> IntArray:
        parts = [values[start : start + MOST_FRAMES] for start in range(0, len(values), MOST_FRAMES)]
        return np.concatenate([self._transfer(self.description.source.pack(part)) for part in parts])

    def _transfer(self, frames: npt.NDArray[np.uint8]) -> IntArray:
        """Let packed frames (frames, bytes) go through; return integers (frames, elements)."""
        count, sink = len(frames), self.description.sink
        source = self._buffer("in", frames.size)
        target = self._buffer("out", count * sink.frame_bytes)
        source.bytes[: frames.size] = frames.ravel()
        source.flush()
        # The engine that writes first, so that the first result finds it ready.
        for engine, buffer in ((Engine.WRITE, target), (Engine.READ, source)):
            self._board.write(engine, Register.ADDRESS_LOW, buffer.address & 0xFFFF_FFFF)
            self._board.write(engine, Register.ADDRESS_HIGH, buffer.address >> 32)
            self._board.write(engine, Register.FRAMES, count)
            self._board.write(engine, Register.CONTROL, Control.START)
        self._wait(count)
        target.invalidate()
        return sink.unpack(target.bytes[: count * sink.frame_bytes].reshape(count, -1))

    def _wait(self, frames: int) -> None:
        end = time.monotonic() + self.timeout
        while not self._board.read(Engine.WRITE, Register.CONTROL) & Control.DONE:
            if time.monotonic() > end:
                raise DeployError(
                    f"accelerator {self.description.name}",
                    f"{frames:,} frames not done after {self.timeout:g} s, registers {self.registers()}",
                    "", "load the overlay again; a longer time-out is the argument timeout",
                )  # fmt: skip
            self._board.rest()
        for engine in Engine:
            if self._board.read(engine, Register.FAILURE):
                raise DeployError(
                    f"accelerator {self.description.name}, engine {engine.name.lower()}",
                    "memory refused an access", "addresses of allocated buffers", "load the overlay again",
                )  # fmt: skip

    def _buffer(self, kind: str, size: int) -> Buffer:
        """Return memory of at least ``size`` bytes, kept for the next batch."""
        known = self._buffers.get(kind)
        if known is None or known.bytes.size < size:
            if known is not None:
                known.free()
            self._buffers[kind] = self._board.allocate(size)
        return self._buffers[kind]
