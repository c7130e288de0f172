"""The command line in this process, and small experiments for it."""

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xnorflow.flow.cli import main

sys.path.insert(0, str(Path(__file__).parent))  # verified
sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))  # map_files, styled_folding

EXPERIMENT = """
seed = 3
[data]
dataset = "digits"
[train]
network = "TFC_1W1A"
hidden = [12]
epochs = 2
[build]
target_cycles = 40
[synthesize]
enabled = false
"""


@dataclass(frozen=True)
class Outcome:
    """What a command line came to."""

    code: int
    out: str
    err: str

    def error_line(self) -> str:
        """The error, checked to be one line that says nothing of Python's insides."""
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: "), self.err
        assert "Traceback" not in self.err + self.out
        return lines[0]


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Run a command line here; its signal handlers are taken back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def experiment(tmp_path: Path) -> Callable[..., Path]:
    """Write an experiment file, the given text put in place of parts of the usual one."""

    def write(old: str = "", new: str = "", name: str = "tiny") -> Path:
        assert old in EXPERIMENT
        path = tmp_path / f"{name}.toml"
        path.write_text(EXPERIMENT.replace(old, new) if old else EXPERIMENT + new, encoding="utf-8")
        return path

    return write


@pytest.fixture
def left_behind() -> Callable[[Path], list[str]]:
    """List locks and temporary files below a folder."""
    return lambda folder: sorted(str(path) for path in folder.rglob(".*") if path.name != ".gitignore")
