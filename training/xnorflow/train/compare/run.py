"""Carrying out the trainings of a comparison, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from xnorflow.artifact.errors import ToolError, UserError
from xnorflow.artifact.files import output_lock, write_text
from xnorflow.artifact.manifest import tool_versions
from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.compare.config import TEACHER_METHOD
from xnorflow.train.compare.plan import TEACHER_STAGE, Run
from xnorflow.train.compare.results import Record

__all__ = ["Failed", "Job", "Workers", "carry_out", "processor_name", "remaining_seconds", "teacher_file",
           "teacher_is_there"]  # fmt: skip

TRAIN = "train"
HASH_NAME = "settings.hash"
WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """One training to be done.

    Args:
        run: what to train.
        runs: folder of the comparison's runs.
        teacher_accuracy: of the teacher, whose checkpoint is there; None where the run has none.
    """

    run: Run
    runs: Path
    teacher_accuracy: float | None = None


@dataclass(frozen=True)
class Failed:
    """A training that came to nothing.

    Args:
        run: which.
        line: why.
    """

    run: Run
    line: str


def teacher_file(teacher: Run, runs: Path) -> Path:
    """Return the checkpoint that a teacher's training leaves."""
    return (teacher.folder(runs) / TRAIN / "stages" / f"{TEACHER_STAGE}.pt").resolve()


def teacher_is_there(teacher: Run, runs: Path) -> bool:
    """Return whether the checkpoint is there and was made from the settings of ``teacher``."""
    return teacher_file(teacher, runs).is_file() and _hash_in(teacher.folder(runs)) == teacher.hash


def carry_out(job: Job) -> Record | Failed:
    """Train; go on where an interrupted training of the same settings stopped.

    Returns:
        The record, or the one line of an error that the user can mend.
    """
    from xnorflow.train.stage import train

    run, folder = job.run, job.run.folder(job.runs)
    teacher = teacher_file(run.teacher, job.runs) if run.teacher else None
    try:
        with output_lock(folder):  # a process that outlived a killed xnorflow may still hold it
            same = _hash_in(folder) == run.hash
            for leftover in [*folder.glob(f".{TRAIN}.*"), *([] if same else [folder / TRAIN])]:
                shutil.rmtree(leftover, ignore_errors=True)
            write_text(folder / HASH_NAME, f"{run.hash}\n")
            summary = train(run.data, run.bound(teacher), run.seed, folder / TRAIN, SilentProgress(), resume=same)
            epochs = _epochs_of(run, folder / TRAIN)
    except UserError as reason:
        return Failed(run, str(reason))
    return Record(
        network=run.network,
        method=run.method,
        seed=run.seed,
        accuracy_float=summary.accuracy_float if epochs is None else epochs[-1]["test_accuracy_float"],
        test_frames=summary.test_frames,
        held_out=summary.held_out,
        loss=summary.loss if epochs is None else epochs[-1]["loss"],
        epochs=summary.epochs if epochs is None else len(epochs),
        seconds=round(summary.seconds if epochs is None else sum(line["seconds"] for line in epochs), 2),
        cpu_seconds=round(summary.cpu_seconds if epochs is None else sum(line["cpu_seconds"] for line in epochs), 2),
        parameters=summary.parameters,
        teacher_accuracy_float=job.teacher_accuracy,
        settings=run.hash,
        tools=tool_versions("xnorflow", "brevitas", "torch", "lightning"),
        cpu=processor_name(),
        date=datetime.now(UTC).date().isoformat(),
    )


class Workers:
    """Processes that carry out jobs, each one job at a time; they start with the first jobs.

    ::

        with Workers(2) as workers:
            for job, outcome in workers.carry_out(lambda: jobs.pop(0) if jobs else None):

    Leaving the block by an exception kills those at work: each training goes on where it stopped when it is called
    again. So it does when the process that waits here is killed, after which its workers end by themselves.

    Args:
        processes: how many.
    """

    def __init__(self, processes: int) -> None:
        from joblib.externals.loky import ProcessPoolExecutor

        self._processes = processes
        self._pool = ProcessPoolExecutor(processes, initializer=_end_with, initargs=(os.getpid(),))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, kill_workers=kind is not None)

    def carry_out(self, following: Callable[[], Job | None]) -> Iterator[tuple[Job, Record | Failed]]:
        """Yield what jobs come to, in the order in which they end, until none is at work and none follows.

        Args:
            following: asked for a job whenever a process is free, after the caller took the last outcome; None: none
                as long as those at work have not ended.

        Raises:
            ToolError: the system killed a process.
        """
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        futures: dict[Future[Record | Failed], Job] = {}
        try:
            while True:
                while len(futures) < self._processes and (job := following()) is not None:
                    futures[self._pool.submit(carry_out, job)] = job
                if not futures:
                    return
                for future in wait(futures, return_when=FIRST_COMPLETED).done:
                    yield futures.pop(future), future.result()
        except TerminatedWorkerError as reason:
            raise ToolError(
                "a training process", "was killed by the system, or ran out of memory", "",
                "free memory or give fewer --jobs; the same command goes on",
            ) from reason  # fmt: skip


def remaining_seconds(pending: Iterable[Run], records: Sequence[Record], processes: int) -> float | None:
    """Estimate the wall time of ``pending`` from records: seconds an epoch of the same cell, else network, else any.

    Returns:
        None where nothing is known of any training.
    """
    total = 0.0
    for run in pending:
        alike = [record for record in records if (record.network, record.method) == run.cell]
        alike = alike or [record for record in records if record.network == run.network] or list(records)
        if not alike:
            return None
        total += run.epochs * sum(record.seconds for record in alike) / sum(record.epochs for record in alike)
    return total / processes


def processor_name() -> str:
    """Return the name of this machine's processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown"


def _end_with(parent: int) -> None:
    """Have this process end, whatever it is at, soon after the one that waits for it was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)  # as abrupt as a kill, which trainings outlast

    threading.Thread(target=watch, daemon=True).start()


def _epochs_of(run: Run, directory: Path) -> list[dict[str, Any]] | None:
    """Return a teacher's own epochs; None for other trainings, of which all count."""
    if run.method != TEACHER_METHOD:
        return None
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["stage"] == TEACHER_STAGE]


def _hash_in(folder: Path) -> str | None:
    try:
        return (folder / HASH_NAME).read_text(encoding="utf-8").strip()
    except OSError:
        return None
