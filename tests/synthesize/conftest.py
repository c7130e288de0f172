"""A small build, and stand-ins for AMD's tools, which record and check what they are asked for (see standins/)."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.stage import lower

STANDINS = Path(__file__).parent / "standins"


@pytest.fixture(scope="session")
def small_network(tmp_path_factory, perceptron) -> Path:
    """A build of a perceptron with 4-bit inputs, not to be written to."""
    folder = tmp_path_factory.mktemp("small_network")
    model = perceptron(folder / "net.onnx", (30, 12, 9, 4), input_bits=4, seed=5)
    build = folder / "build"
    build.mkdir()
    lowered = lower(model, build, BuildSettings(target_cycles=120), None, SilentProgress())
    generate(build, lowered, SilentProgress())
    return build


@pytest.fixture
def build(small_network, tmp_path) -> Path:
    """A copy of that build."""
    return Path(shutil.copytree(small_network, tmp_path / "build"))


@dataclass(frozen=True)
class Vendor:
    """An installation of stand-ins.

    Args:
        root: what XILINX_VIVADO names.
        folder: takes their records.
    """

    root: Path
    folder: Path

    def records(self, tool: str = "") -> list[dict[str, Any]]:
        """Return what the tools recorded, in order."""
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        return [record for record in found if record["tool"].startswith(tool)]

    def replace(self, tool: str, script: str) -> None:
        """Put a shell script in the place of a tool."""
        path = self.root / "bin" / tool
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def fail(self, tool: str, text: str, *, first: str = "") -> None:
        """Have a tool print a text and end with 1, but for its version; ``first`` is done before."""
        said = self.folder / f"{tool}.txt"
        said.write_text(text)
        version = 'if [ "$1" = -version ]; then echo "vivado v2022.2 (64-bit)"; exit 0; fi'
        self.replace(tool, f"{version}\n{first}\ncat {said}; cp {said} {tool}.log; exit 1")


def install(folder: Path, patch: pytest.MonkeyPatch) -> Vendor:
    """Put stand-ins of Vivado and Vitis HLS 2022.2 where the variables say, and a FINN_DEPS."""
    pytest.importorskip("tkinter", reason="Python has no Tcl: apt install python3-tk")
    found = Vendor(folder / "xilinx" / "Vivado" / "2022.2", folder / "records")
    found.folder.mkdir()
    (found.root / "bin").mkdir(parents=True)
    for tool in ("vivado", "vitis_hls"):
        found.replace(tool, f'exec {sys.executable} {STANDINS / f"{tool}.py"} "$@"')
    deps = folder / "deps" / "finn-hlslib"
    deps.mkdir(parents=True)
    (deps / "dma.h").write_text("// empty: a stand-in does not read it\n")
    for name, value in {
        "XILINX_VIVADO": found.root, "XILINX_HLS": found.root, "STANDIN_RECORD": found.folder, "FINN_DEPS": deps.parent
    }.items():  # fmt: skip
        patch.setenv(name, str(value))
    for name in ("STANDIN_GO_ON", "STANDIN_VERSION", "STANDIN_AP_TYPES", "XILINX_VITIS", "FINN_TOOL_DIR_OVERRIDE"):
        patch.delenv(name, raising=False)
    return found


@pytest.fixture
def vendor(tmp_path, monkeypatch) -> Vendor:
    """Stand-ins, for one test."""
    return install(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def shared_vendor(tmp_path_factory) -> Iterator[Vendor]:
    """Stand-ins, for all tests of a file."""
    with pytest.MonkeyPatch.context() as patch:
        yield install(tmp_path_factory.mktemp("vendor"), patch)


Command = Callable[..., str]


@pytest.fixture
def refused(capfd) -> Iterator[Command]:
    """Run a command line that has to fail with code 2 and one line; returns the line."""
    from xnorflow.flow.cli import main

    def call(*arguments: object) -> str:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        lines = capfd.readouterr().err.splitlines()
        assert code == 2 and len(lines) == 1 and lines[0].startswith("error: "), lines
        return lines[0].removeprefix("error: ")

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)
