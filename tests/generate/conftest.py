"""What the tests of generated RTL and of generated C++ share: a small network lowered, golden files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from xnorflow.artifact.progress import SilentProgress
from xnorflow.lower.config import Backend, BuildSettings, OutputKind
from xnorflow.lower.stage import Lowered, lower

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))  # vitis_rules
sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from styled_folding import WIDTHS, write_folding


@pytest.fixture(scope="session")
def lowered_small(tmp_path_factory, perceptron) -> Callable[..., tuple[Path, Lowered]]:
    """Return a function that lowers a perceptron, with layers in HLS, and gives its build folder too."""

    def call(backend: Backend = Backend.RTL, in_hls: tuple[str, ...] = ()) -> tuple[Path, Lowered]:
        folder = tmp_path_factory.mktemp("net")
        model = perceptron(folder / "net.onnx", WIDTHS, input_bits=4, seed=5)
        build = folder / "build"
        build.mkdir()
        folding = write_folding(folder / "folding.json", in_hls)
        settings = BuildSettings(folding=folding, output=OutputKind.LABELS, backend=backend)
        return build, lower(model, build, settings, None, SilentProgress())

    return call


@pytest.fixture
def is_golden(request) -> Callable[[str, str], None]:
    """Return a function that requires text to be that of a golden file."""

    def call(text: str, name: str) -> None:
        golden = Path(__file__).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8"), "look at it; if it is meant: pytest --update-golden"

    return call


@pytest.fixture(scope="session")
def bytes_in() -> Callable[..., dict[str, bytes]]:
    """Return a function from a folder and names in it to the bytes of all files there, by name."""

    def call(folder: Path, *names: str) -> dict[str, bytes]:
        paths = [path for name in names for path in ([folder / name] if (folder / name).is_file() else
                                                     sorted((folder / name).iterdir()))]  # fmt: skip
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    return call
