"""Child processes: as many as allowed, taken as they end, none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xnorflow.artifact.processes import Command, run_commands


def shell(tmp_path: Path, script: str, name: str = "log", **options) -> Command:
    return Command(("/bin/sh", "-c", script), tmp_path / name, **options)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed process whose parent has not asked for it yet still has an entry.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_outcome_has_code_output_and_last_line(tmp_path):
    command = shell(
        tmp_path, "pwd; echo $COLOR; echo err >&2; echo; exit 3", cwd=tmp_path, environment={"COLOR": "red"}
    )
    (outcome,) = run_commands([command])
    assert (outcome.command, outcome.code) == (command, 3)
    assert outcome.output == f"{tmp_path}\nred\nerr\n\n"
    assert outcome.last_line == "err"


def test_program_that_does_not_exist(tmp_path):
    (outcome,) = run_commands([Command((str(tmp_path / "nothing"),), tmp_path / "log")])
    assert outcome.code == 127
    assert outcome.last_line == f"{tmp_path}/nothing: No such file or directory"


def test_at_most_jobs_at_a_time_and_all_are_run(tmp_path):
    script = f"""cd {tmp_path}
touch running_$$; ls | grep -c running_; sleep 0.1; rm running_$$"""
    commands = [shell(tmp_path, script, f"log{index}") for index in range(6)]
    counts = [int(outcome.output) for outcome in run_commands(commands, jobs=2)]
    assert len(counts) == 6
    assert max(counts) == 2


def test_outcomes_come_as_they_end(tmp_path):
    commands = [shell(tmp_path, "sleep 0.5", "slow"), shell(tmp_path, "true", "quick")]
    assert [outcome.command.log.name for outcome in run_commands(commands, jobs=2)] == ["quick", "slow"]


def test_leaving_early_kills_children_and_grandchildren(tmp_path):
    lasting = shell(tmp_path, "sleep 60 & echo $!; echo $$; wait", "lasting")
    quick = shell(tmp_path, "sleep 0.3", "quick")
    with contextlib.closing(run_commands([lasting, quick], jobs=2)) as outcomes:
        assert next(outcomes).command is quick
        pids = [int(line) for line in lasting.log.read_text().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("where", ["waiting", "handling"])
def test_interrupt_kills_children(tmp_path, where):
    code = f"""
import contextlib, signal, time
from pathlib import Path
from xnorflow.artifact.processes import Command, run_commands
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's is to be ignored
lasting = Command(("/bin/sh", "-c", "echo $$; exec sleep 60"), Path({str(tmp_path / "lasting")!r}))
quick = Command(("/bin/true",), Path({str(tmp_path / "quick")!r}))
with contextlib.closing(run_commands([lasting, quick], jobs=2)) as outcomes:
    for outcome in outcomes:
        if {where == "handling"}:
            time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    log = tmp_path / "lasting"
    try:
        assert wait_for(lambda: log.exists() and log.read_text().strip() != "" and (tmp_path / "quick").exists())
        time.sleep(0.2)
        pid = int(log.read_text())
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=10)
    finally:
        parent.kill()
    assert "KeyboardInterrupt" in errors
    assert wait_for(lambda: not is_alive(pid))
