"""Virtual boards of a small network, and the environment that pynq lives in."""

import contextlib
import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def _environment(suffix: str = "") -> Path:
    named = os.environ.get("XNORFLOW_BOARD_VENV") or REPOSITORY / ".venv-board"
    python = Path(f"{named}{suffix}") / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no {python}: run `make board-env`, or let XNORFLOW_BOARD_VENV name an environment with pynq")
    return python


@pytest.fixture(scope="session")
def board_python():
    """The interpreter beside pynq 4.0.0."""
    return _environment()


@pytest.fixture(scope="session")
def older_python():
    """The interpreter beside pynq 3.1.2."""
    return _environment("-3.1")


@pytest.fixture(scope="session")
def board_variables(board_python):
    """Variables of the environment for either interpreter."""
    roots = os.pathsep.join(str(REPOSITORY / root) for root in ("export", "training", "hw"))
    return {**os.environ, "PYTHONPATH": roots, "XNORFLOW_BOARD_VENV": str(board_python.parents[1])}


@pytest.fixture(scope="session")
def zcu104(deployed):
    """A folder for a virtual ZCU104; nobody writes into it, and one board at a time is on it."""
    from xnorflow.flow.board import prepare

    folder, name = prepare(deployed, "ZCU104", quiet=True)
    assert name == "ZCU104"
    return folder


@pytest.fixture
def own_zcu104(zcu104, tmp_path):
    """The same, to oneself."""
    return Path(shutil.copytree(zcu104, tmp_path / "zcu104"))


@pytest.fixture
def own_pynq_z2(deployed, tmp_path):
    """A folder for a virtual Pynq-Z2, which is the board that the network was built for."""
    return Path(shutil.copytree(deployed / "deploy", tmp_path / "pynq_z2"))


@pytest.fixture
def run_script(board_variables):
    """Run a script beside pynq on a virtual board in its own process; returns what it printed."""

    def run(python, folder, script, *arguments, code=0):
        command = (python, "-m", "xnorflow.virtual_board.run", "--design", folder, script, *arguments)
        with _pynq_turn():
            done = subprocess.run(
                command, env=board_variables, capture_output=True, text=True, check=False, timeout=300
            )
        assert done.returncode == code, done.stderr[-3000:]
        return done

    return run


@contextlib.contextmanager
def _pynq_turn():
    """Wait until no other worker runs pynq: it notes what it loaded in its own folder, for one process at a time."""
    with (Path(os.environ["XNORFLOW_CACHE"]) / "pynq.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def pynq_turn():
    """``with pynq_turn():`` waits until no other worker runs pynq."""
    return _pynq_turn


class Server:
    """A server for PYNQ.remote in its own process, on a free port."""

    def __init__(self, python, variables, folder, *options, port=0):
        self.python, self.variables, self.folder = python, variables, folder
        command = (python, "-m", "xnorflow.virtual_board.server", "--design", folder, "--port", str(port), *options)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe, text=True)
        self.line = self.process.stdout.readline().strip()  # empty where it has ended
        found = re.search(r"127\.0\.0\.1:(\d+)", self.line)
        self.port = int(found[1]) if found else port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def end(self, number):
        """Send a signal; return exit code and what was printed since the first line."""
        self.process.send_signal(number)
        return (*self.wait(), self.process.returncode)

    def wait(self):
        """Return what was printed since the first line, once the process has ended."""
        return self.process.communicate(timeout=30)

    def client(self, script, *arguments, code=0):
        """Run a script of this folder beside pynq to its end; return what it printed last, as JSON."""
        command = (self.python, Path(__file__).with_name(script), str(self.port), *map(str, arguments))
        with _pynq_turn():
            done = subprocess.run(command, env=self.variables, capture_output=True, text=True, check=False, timeout=280)
        assert done.returncode == code, done.stdout[-1000:] + done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def memory(self):
        """Return the most memory that the process has had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10


@pytest.fixture(scope="session")
def start_server(board_python, board_variables):
    """Start a server: ``start_server(folder, *options)``, a context manager."""
    return functools.partial(Server, board_python, board_variables)
