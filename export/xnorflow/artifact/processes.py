"""Child processes that never outlive their parent: run several, take each as it ends, kill the rest on the way out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_MESSAGE", "Command", "Outcome", "run_commands"]

NO_MESSAGE = "no message, as where the disk is full"
"""What to say of a program that failed and left nothing in its log."""

_POLL_S = 0.02


@dataclass(frozen=True)
class Command:
    """One child process.

    Args:
        arguments: program and its arguments.
        log: file that takes what it prints (standard output and error together).
        cwd: working folder; None: this process's.
        environment: variables set on top of this process's.
    """

    arguments: tuple[str, ...]
    log: Path
    cwd: Path | None = None
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a child process ended.

    Args:
        command: what ran.
        code: exit code; negative for a signal, 127 where the program could not be started.
        seconds: wall time.
    """

    command: Command
    code: int
    seconds: float

    @property
    def output(self) -> str:
        """What it printed."""
        return self.command.log.read_text(encoding="utf-8", errors="replace")

    @property
    def last_line(self) -> str:
        """The last line it printed that is not blank; empty where there is none."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _start(command: Command) -> subprocess.Popen[bytes] | None:
    environment = {**os.environ, **(command.environment or {})}
    with command.log.open("wb") as log:
        try:
            return subprocess.Popen(
                command.arguments,
                cwd=command.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that grandchildren can be killed with it
            )
        except OSError as reason:
            log.write(f"{command.arguments[0]}: {reason.strerror}\n".encode())
            return None


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def run_commands(commands: Sequence[Command], jobs: int = 1) -> Generator[Outcome, None, None]:
    """Run ``commands``, at most ``jobs`` at a time, and yield each outcome as it comes.

    Wrap it in ``contextlib.closing``: leaving the loop early, by an error or Ctrl-C, then kills what still runs.
    """
    waiting = list(reversed(commands))
    running: dict[subprocess.Popen[bytes], tuple[Command, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                command, start = waiting.pop(), time.monotonic()
                child = _start(command)
                if child is None:
                    yield Outcome(command, 127, 0.0)
                else:
                    running[child] = (command, start)
            ended = [child for child in running if child.poll() is not None]
            for child in ended:
                command, start = running.pop(child)
                yield Outcome(command, child.returncode, time.monotonic() - start)
            if running and not ended:
                time.sleep(_POLL_S)
    finally:
        for child in running:
            _kill(child)
