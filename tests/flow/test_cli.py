"""The command line itself: help at once, version, interruption."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

COMMANDS = (
    "run", "train", "compare", "summary", "zoo", "export", "build", "simulate", "synthesize", "report", "bench",
    "draw", "doctor",
)  # fmt: skip
PROGRAM = Path(sys.executable).with_name("xnorflow")
HELP_SECONDS = 0.5


def cpu_seconds_of(*arguments: str) -> float:
    """Return the processor time of a command: its wall time on a machine that has nothing else to do."""
    process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_instant(command):
    arguments = [*command.split(), "--help"]
    assert min(cpu_seconds_of(*arguments) for _ in range(3)) < HELP_SECONDS


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nfrom xnorflow.flow.cli import main\nmain(['run', '--help'])\n"
        "print(sorted({'torch', 'numpy', 'onnx', 'pydantic', 'finn', 'qonnx', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command(cli):
    outcome = cli("--help")
    assert outcome.code == 0 and all(f" {command} " in outcome.out for command in COMMANDS)
    assert cli().out == outcome.out == cli("-h").out


def test_the_version_is_that_of_the_package(cli):
    from importlib import metadata

    assert cli("--version").out.strip() == f"xnorflow {metadata.version('xnorflow')}"


def wait_for(what, seconds: float = 120.0):
    """Wait until ``what()`` is true and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := what():
            return result
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def words_of_children(pid: int) -> set[str]:
    """Return all words of the command lines of a process's descendants."""
    words: set[str] = set()
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ended in the meantime
            words |= set(child.cmdline())
    return words


def interrupted(process: subprocess.Popen, number: signal.Signals) -> tuple[int, str, float]:
    """Send a signal; return exit code, standard error, and seconds to the end."""
    family = [process, *psutil.Process(process.pid).children(recursive=True)]
    started = time.monotonic()
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    took = time.monotonic() - started
    psutil.wait_procs(family[1:], timeout=5)  # killed at once, but it is the system's init that reaps grandchildren
    assert not [member for member in family[1:] if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    return process.returncode, error, took


EPOCHS, STOPPED_AFTER = 120, 3
"""Epochs of a training, and how many are waited for before it is ended from outside."""


def start_training(experiment_file: Path, runs: Path) -> subprocess.Popen:
    """Start a training as a shell's background job, which is to ignore SIGINT; returns when some epochs are done."""
    arguments = ["run", experiment_file, "--runs", runs, "--until", "train"]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: epochs_kept(runs / "tiny") >= STOPPED_AFTER)
    return process


def epochs_kept(run: Path) -> int:
    try:
        journal = json.loads((run / "train.partial" / "journal.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    return len(journal["metrics"])


def test_interrupted_training_leaves_nothing_half_written(experiment, tmp_path, left_behind):
    runs = tmp_path / "runs"
    process = start_training(experiment("epochs = 2", "epochs = 90000"), runs)
    code, error, _ = interrupted(process, signal.SIGINT)
    assert (code, error) == (130, "interrupted\n")
    assert not left_behind(tmp_path)
    assert sorted(path.name for path in (runs / "tiny").iterdir()) == ["build.log", "train.partial"]


@pytest.mark.parametrize("number", [
    pytest.param(signal.SIGKILL, id="kill -9", marks=pytest.mark.full), pytest.param(signal.SIGTERM, id="kill"),
])  # fmt: skip
def test_ended_training_goes_on_where_it_was(cli, experiment, tmp_path, number):
    """The weights are those of a training that nobody ended; the lock of the killed process is taken over."""
    import torch

    from xnorflow.train.checkpoint import load_checkpoint

    file = experiment("epochs = 2", f"epochs = {EPOCHS}")
    assert cli("run", file, "--runs", tmp_path / "whole", "--until", "train").code == 0
    process = start_training(file, tmp_path / "runs")
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    kept = epochs_kept(tmp_path / "runs" / "tiny")
    assert STOPPED_AFTER <= kept < EPOCHS, "it was over before it was ended"
    if number == signal.SIGTERM:
        assert (process.returncode, error) == (130, "interrupted\n")
        assert "finished epochs are kept: the same command goes on where this one was" in out
    else:
        assert process.returncode == -signal.SIGKILL

    again = cli("run", file, "--runs", tmp_path / "runs", "--until", "train")
    assert again.code == 0 and f"{EPOCHS} epochs" in again.out
    whole, resumed = (load_checkpoint(tmp_path / name / "tiny" / "train").weights for name in ("whole", "runs"))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    log = (tmp_path / "runs" / "tiny" / "train" / "metrics.jsonl").read_text(encoding="utf-8")
    assert len(log.splitlines()) == EPOCHS
    assert not (tmp_path / "runs" / "tiny" / "train.partial").exists()
    assert not (tmp_path / "runs" / "tiny" / ".lock").exists()


def test_terminated_compilers_end_with_it(tmp_path, perceptron, left_behind, monkeypatch):
    """A compiler that never ends stands for one that takes long."""
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "slow 1.0" && exit 0\nsleep 1000\n', encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("CXX", str(slow))
    model = perceptron(tmp_path / "net.onnx", (16, 8, 4))
    arguments = ["build", model, "--board", "Pynq-Z2", "--output", tmp_path / "built", "--no-synthesize"]
    process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: "1000" in words_of_children(process.pid))
    code, error, seconds = interrupted(process, signal.SIGTERM)
    assert (code, error) == (130, "interrupted\n")
    assert seconds < 10
    assert not left_behind(tmp_path)
    assert not list(tmp_path.rglob("simulation.json"))


def test_a_lock_of_a_killed_process_is_taken_over(cli, tmp_path):
    folder = tmp_path / "built"
    (folder / "report").mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (folder / ".lock").write_text(f"{gone.pid}\n", encoding="utf-8")
    assert cli("report", folder).code == 0
    assert not (folder / ".lock").exists()
    assert not Path(f"/proc/{gone.pid}").exists() and os.getpid() != gone.pid
