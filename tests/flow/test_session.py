"""The terminal stays free of other programs' chatter, which goes to the log; progress with and without a terminal."""

import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from xnorflow.artifact.errors import OutputError
from xnorflow.flow.progress import RichProgress, console_for
from xnorflow.flow.session import end_children, working_in

CHATTER = """
import os, subprocess, sys, warnings
from pathlib import Path
from xnorflow.flow.session import working_in

with working_in(Path(sys.argv[1])) as session:
    print("from Python")
    os.write(1, b"from C\\n")
    os.write(2, b"from C on standard error\\n")
    subprocess.run(["echo", "from a child"], check=True)
    warnings.warn("from a warning")
    session.progress.say("from us")
print("afterwards")
"""


def test_chatter_goes_to_the_log_whoever_prints_it(tmp_path):
    done = subprocess.run([sys.executable, "-c", CHATTER, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "from us\nafterwards\n" and done.stderr == ""
    log = (tmp_path / "build.log").read_text(encoding="utf-8")
    for text in ("from Python", "from C", "from C on standard error", "from a child", "from a warning"):
        assert text in log
    assert not (tmp_path / ".lock").exists()


def test_the_terminal_comes_back_after_a_failure(tmp_path, capfd):
    with pytest.raises(RuntimeError), working_in(tmp_path):
        raise RuntimeError
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"
    assert not (tmp_path / ".lock").exists()


def test_a_folder_is_held_by_one_session_at_a_time(tmp_path):
    with (
        working_in(tmp_path),
        pytest.raises(OutputError, match=f"process {os.getpid()} is writing to it"),
        working_in(tmp_path),
    ):
        pass


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "build.log").mkdir()
    with pytest.raises(OutputError, match=r"log file .*build\.log: Is a directory"), working_in(tmp_path):
        pass


def test_without_a_terminal_only_outermost_tasks_leave_a_line():
    stream = io.StringIO()
    progress = RichProgress(console_for(stream))
    with progress.task("outer") as advance, progress.task("inner", 3) as inner:
        inner(3, "deep")
        advance(0, "[3 of 3]")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].split()[0] == "outer" and lines[0].endswith(" s  [3 of 3]")


def test_a_failed_task_leaves_no_line():
    stream = io.StringIO()
    progress = RichProgress(console_for(stream))
    with pytest.raises(RuntimeError), progress.task("outer"):
        raise RuntimeError
    assert stream.getvalue() == ""
    with progress.task("next"):
        pass
    assert stream.getvalue().startswith("  next")


def test_on_a_terminal_a_bar_moves():
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=120, legacy_windows=False))
    with progress.task("simulate", 4) as advance:
        advance(1, "first")
        progress._bars.refresh()
        assert "1/4" in stream.getvalue() and "first" in stream.getvalue()


def test_in_a_notebook_no_bar_moves_and_lines_go_to_the_stream(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as ipykernel does
    stream = io.StringIO()
    progress = RichProgress(console_for(stream))
    with progress.task("simulate", 4) as advance:
        advance(4, "done")
        progress._bars.refresh()
    assert stream.getvalue().count("\n") == 1 and "simulate" in stream.getvalue()


def test_quiet_is_silent():
    stream = io.StringIO()
    progress = RichProgress(console_for(stream), quiet=True)
    with progress.task("simulate", 4) as advance:
        advance(4, "done")
    progress.say("text")
    progress.show("table")
    assert stream.getvalue() == ""


def test_children_that_ignore_the_request_are_killed(monkeypatch):
    monkeypatch.setattr("xnorflow.flow.session.GRACE_SECONDS", 0.5)
    program = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(1000)"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"1\n"
    end_children()
    assert child.wait(timeout=10) == -9
    child.stdout.close()
