"""A small build and its package, made once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.comparison import expect_golden
from xnorflow.flow.folders import Folders
from xnorflow.package.config import PackageSettings
from xnorflow.package.software import Vectors
from xnorflow.package.stage import write_package

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))
sys.path.insert(0, str(Path(__file__).parent))

from built_network import build_network
from elaboration import elaborate
from folder_contents import contents

NAME = "small"
CORE = f"xnorflow_{NAME}"
Packager = Callable[..., Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory, perceptron) -> Path:
    """A build of a perceptron with inputs of 4 bits, whose units read block RAM, LUTs and constants."""
    folder = tmp_path_factory.mktemp("build")
    build_network(perceptron(folder / "net.onnx", (30, 12, 9, 4), input_bits=4, seed=5), folder, 120, 16)
    return folder


def golden_of(build: Path, frames: int) -> Vectors:
    """Golden frames of a build, as `xnorflow package` takes them."""
    golden, expectation = expect_golden(Folders.of_build(build), frames, SilentProgress())
    flat = golden.inputs.reshape(len(golden.inputs), -1)
    return Vectors(flat, expectation.inputs, expectation.outputs, expectation.classes, golden.logits.shape[1])


@pytest.fixture(scope="session")
def vectors(build) -> Vectors:
    return golden_of(build, 5)


@pytest.fixture(scope="session")
def codec(build) -> HostCodec:
    return HostCodec.load(build / "host.npz")


@pytest.fixture(scope="session")
def design(build) -> Design:
    return Design.load(build / "design.json")


@pytest.fixture(scope="session")
def write(build, codec, vectors) -> Packager:
    """Package the build into a folder, with settings as given."""

    def call(output: Path, **settings: object) -> Path:
        write_package(build, output, codec, vectors, PackageSettings(**{"name": NAME, **settings}))
        return output

    return call


@pytest.fixture(scope="session")
def golden() -> Callable[[Path, int], Vectors]:
    return golden_of


@pytest.fixture(scope="session")
def package(write, tmp_path_factory) -> Iterator[Path]:
    """The package, moved away from where it was written; a test that leaves anything in it fails the last one."""
    folder = tmp_path_factory.mktemp("package")
    moved = Path(shutil.move(write(folder / "ip"), folder / "moved"))
    before = contents(moved)
    yield moved
    assert contents(moved) == before


@pytest.fixture(scope="session")
def elaborated(package, tmp_path_factory) -> tuple[dict[str, tuple[str, int]], int]:
    """Direction and width of the top's ports as yosys reads them, and how many LUT6_2 there are."""
    return elaborate(package, tmp_path_factory.mktemp("elaborated") / "hdl")
