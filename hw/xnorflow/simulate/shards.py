"""Frames simulated in several processes, on this machine or on a cluster, each with hardware of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.artifact.progress import Advance
from xnorflow.artifact.streams import StreamSpec, pack
from xnorflow.simulate.model import StreamModel, StreamRun

__all__ = ["Hardware", "plan_shards", "run_shards", "shard_seed"]

IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]

SHARD_CYCLES = 400_000  # half a second of a small design, which is what a process takes to start
_LOOK_SECONDS = 0.2
_SEED_STEP = 0x9E37_79B9_7F4A_7C15  # odd, so that no two first frames of a seed have the same stalls
_LOST = ("KilledWorker", "RayActorError", "ActorDiedError", "WorkerCrashedError", "OutOfMemoryError")
"""What dask and ray call the loss of a process; by name, since neither need be installed."""


@dataclass(frozen=True)
class Hardware:
    """A compiled design, and how frames go through it: all that another process needs to simulate it.

    Args:
        name: of the design.
        library: what :func:`~xnorflow.simulate.verilator.compile_design` returned.
        rtl_dir: folder from which the design's ``$readmemh`` paths are resolved.
        source: port that takes frames.
        sink: port that gives results.
        seed: of the stalls and of the registers that start at any value.
        timeout_cycles: cycles without any transfer after which the design counts as stuck.
        idle_cycles: cycles after the last frame in which no further beat may come.
    """

    name: str
    library: Path
    rtl_dir: Path
    source: StreamSpec
    sink: StreamSpec
    seed: int
    timeout_cycles: int
    idle_cycles: int

    def start(self, seed: int) -> StreamModel:
        """Start a simulation.

        Raises:
            SimulateError: the design cannot start.
            ToolError: the library cannot be loaded.
        """
        return StreamModel(self.library, self.rtl_dir, seed % 2**31)

    def stream(
        self, model: StreamModel, beats: ByteArray, stall_probability: float, seed: int,
        on_frames: Callable[[int], None], first_frame: int = 0,
    ) -> StreamRun:  # fmt: skip
        """Stream whole frames, packed, through ``model``; ``on_frames`` is told how many more came out.

        Raises:
            SimulateError: the design is stuck, breaks the stream rules, or stops itself.
        """
        done = 0

        def on_chunk(taken: int) -> None:
            nonlocal done
            before, done = done, taken // self.sink.beats
            on_frames(done - before)

        return model.run(
            beats,
            len(beats) // self.source.beats * self.sink.beats,
            frame_in=self.source.beats,
            frame_out=self.sink.beats,
            first_frame=first_frame,
            stall_probability=stall_probability,
            seed=seed,
            timeout_cycles=self.timeout_cycles,
            on_chunk=on_chunk,
        )

    def check_idle(self, model: StreamModel) -> None:
        """Refuse output that belongs to no frame.

        Raises:
            SimulateError: a beat came.
        """
        if model.idle(self.idle_cycles):
            raise SimulateError(f"design {self.name}", "sends output beats that belong to no frame", fix="mend the RTL")


def plan_shards(frames: int, cycles_per_frame: int, jobs: int) -> list[int]:
    """Return the first frame of each shard: up to ``jobs``, all of about the same length, none too short to pay."""
    count = max(1, min(jobs, frames, frames * cycles_per_frame // SHARD_CYCLES))
    return [index * frames // count for index in range(count)]


def shard_seed(seed: int, first_frame: int) -> int:
    """Return the seed of the shard that starts at ``first_frame``; that of frame 0 is ``seed`` itself."""
    return (seed + first_frame * _SEED_STEP) % 2**64


def run_shards(
    hardware: Hardware, inputs: IntArray, starts: Sequence[int], stall_probability: float, advance: Advance
) -> list[StreamRun]:
    """Simulate shards side by side through joblib, on whatever backend ``joblib.parallel_config`` names.

    Every shard begins with the hardware after reset and ends with a look for surplus beats. The first error that any
    shard comes to ends all of them.

    Args:
        hardware: the design; its library's folder takes a temporary one through which shards tell how far they are.
        inputs: int64 (frames, elements).
        starts: first frame of each shard, from 0 on.
        stall_probability: how likely each side pauses for a cycle.
        advance: told of frames as they are done.

    Returns:
        A run of each shard, in order.

    Raises:
        SimulateError: a shard found a fault of the design; frames in the message count from the first of all.
        ToolError: a process was lost, or the library cannot be loaded there.
    """
    from joblib import Parallel, delayed  # here, because one shard alone can do without

    frames = len(inputs)
    with tempfile.TemporaryDirectory(prefix=".shards.", dir=hardware.library.parent) as folder:
        calls = (
            delayed(_simulate)(
                hardware, first, pack(inputs[first:end], hardware.source), stall_probability, Path(folder) / str(first)
            )
            for first, end in pairwise([*starts, frames])
        )
        with _watched(Path(folder), advance), _lost_named():
            return list(Parallel(n_jobs=len(starts))(calls))


def _simulate(
    hardware: Hardware, first_frame: int, beats: ByteArray, stall_probability: float, done: Path
) -> StreamRun:
    """Simulate one shard, in a process of its own; the file ``done`` grows by a byte a frame."""
    parent, seed = os.getppid(), shard_seed(hardware.seed, first_frame)
    with hardware.start(seed) as model, done.open("wb", buffering=0) as file:

        def on_frames(frames: int) -> None:
            file.write(bytes(frames))
            _end_without(parent)
            if not done.exists():  # the folder is gone: interrupted, or another shard found an error
                raise SimulateError(f"design {hardware.name}", "given up, as nobody waits for its simulation")

        run = hardware.stream(model, beats, stall_probability, seed, on_frames, first_frame)
        hardware.check_idle(model)
    return run


def _end_without(parent: int) -> None:
    """End this process if it is a worker whose parent was killed; it would simulate on for nobody."""
    if multiprocessing.parent_process() is not None and os.getppid() != parent:
        os._exit(1)


@contextlib.contextmanager
def _watched(folder: Path, advance: Advance) -> Iterator[None]:
    """Tell ``advance``, while the context lasts, of the frames that shards have done by their files in ``folder``."""
    ended = threading.Event()

    def watch() -> None:
        told, last = 0, False
        while not last:
            last = ended.wait(_LOOK_SECONDS)  # one more look when all is over
            with contextlib.suppress(OSError):  # a shared folder may be out of reach for a moment
                done = sum(path.stat().st_size for path in folder.iterdir())
                advance(done - told, "")
                told = done

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextlib.contextmanager
def _lost_named() -> Iterator[None]:
    """Make one clear line of the loss of a process."""
    try:
        yield
    except Exception as reason:
        lost = isinstance(reason, (BrokenExecutor, CancelledError))  # the latter by dask, with the data it had sent
        if not lost and type(reason).__name__ not in _LOST:
            raise
        raise ToolError(
            "a simulation process",
            "was killed by the system, or ran out of memory",
            fix="free memory or give fewer --jobs",
        ) from reason
