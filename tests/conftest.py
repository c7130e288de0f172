"""Set-up common to all tests: one thread a worker, a cache of its own, the data root."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Workers run side by side: more threads in each only get in one another's way. Set before numpy and torch are loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["MPLBACKEND"] = "agg"
for variable in ("XNORFLOW_VERILATOR", "XNORFLOW_AP_TYPES", "CXX", "COLUMNS", "FORCE_COLOR"):
    os.environ.pop(variable, None)  # the developer's own settings would change what is tested

CACHE = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Give this session a cache that its workers share: what one compiles, none compiles again."""
    if not hasattr(config, "workerinput"):
        config.stash[CACHE] = Path(tempfile.mkdtemp(prefix="xnorflow_test_cache_"))
        os.environ["XNORFLOW_CACHE"] = str(config.stash[CACHE])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the session's cache."""
    if CACHE in config.stash:
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder with MNIST in torchvision's layout; the test is skipped where there is none."""
    value = os.environ.get("XNORFLOW_DATA_ROOT")
    if not value or not (Path(value) / "MNIST" / "raw").is_dir():
        pytest.skip("XNORFLOW_DATA_ROOT names no folder with MNIST/raw")
    return Path(value)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that accepts changed generated text."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files from what is generated now")


Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def perceptron() -> Maker:
    sys.path.insert(0, str(Path(__file__).parent / "lower"))
    from perceptron_files import write_perceptron  # behind the thread settings above

    return write_perceptron


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, perceptron: Maker) -> Path:
    """A build with a folder of `xnorflow deploy`, of a network that sends sums of nine classes of odd widths."""
    from xnorflow.flow.cli import main

    folder = tmp_path_factory.mktemp("deployed")
    model = perceptron(folder / "net.onnx", (30, 12, 9, 4), input_bits=4, seed=5)
    options = ("--board", "Pynq-Z2", "--frames", "40", "--until", "generate", "--target-cycles", "20", "--quiet")
    assert main(["build", str(model), "--output", str(folder / "net"), *options]) == 0
    assert main(["deploy", str(folder / "net"), "--frames", "30", "--quiet"]) == 0
    return folder / "net"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; the test is skipped, saying why, where there is none."""
    sys.path.insert(0, str(Path(__file__).parent / "browser"))
    from pages import find_browser, open_browser

    pytest.importorskip("playwright", reason="no playwright: run `make browser`")
    found = find_browser()
    if found is None:
        pytest.skip("no browser: run `make browser`, or install chromium (Debian: apt install chromium)")
    with open_browser(*found) as opened:
        yield opened
