"""Set-up common to all tests: one thread a worker, a cache of its own, the data root."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

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
