"""Everything that has to be done to run finn-plus 1.6.1 as a library, in one place.

Each function names the reason; each has a test that fails without it (tests/lower/test_finn_compat.py).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import ToolError

__all__ = ["FINN_VERSION", "build_directory", "dataflow_config", "prepare_finn"]

FINN_VERSION = "1.6.1"


def _check_version() -> None:
    try:
        found = metadata.version("finn-plus")
    except metadata.PackageNotFoundError:
        found = "none"
    if found != FINN_VERSION:
        raise ToolError("finn-plus", f"version {found}", FINN_VERSION, "run `make install`")


@cache
def prepare_finn() -> None:
    """Make finn-plus importable and usable without its command line and without Vivado.

    - Code generation asks a global settings object for the build folder: without it, FINNUserError.
    - ``finn.builder.build_dataflow_steps`` takes ``finn.xsi.SimEngine``, which loads Vivado's simulator: without a
      stand-in, OSError. It is never instantiated here, since our simulator is Verilator.
    - Own operators must be registered before a graph that holds them is loaded: without it, KeyError.

    Raises:
        ToolError: another version of finn-plus is installed.
    """
    _check_version()
    warnings.filterwarnings("ignore", module=r"(finn|qonnx|brevitas|onnx|torch).*")
    if "FINN_BUILD_DIR" not in os.environ:
        scratch = tempfile.mkdtemp(prefix="xnorflow_finn_")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        os.environ["FINN_BUILD_DIR"] = scratch
    from finn.util.settings import initialize_dummy_settings

    initialize_dummy_settings()
    import finn.xsi

    finn.xsi.SimEngine = object
    logging.getLogger("finn_logger").setLevel(logging.ERROR)
    import xnorflow.ops  # noqa: F401  (registers)


@contextlib.contextmanager
def build_directory(path: Path) -> Iterator[None]:
    """Have FINN write its generated code below ``path`` while the context lasts."""
    prepare_finn()
    import finn.util.settings as settings

    previous_variable, previous_settings = os.environ.get("FINN_BUILD_DIR"), settings._SETTINGS
    os.environ["FINN_BUILD_DIR"] = str(path)
    settings.initialize_dummy_settings()
    try:
        yield
    finally:
        settings._SETTINGS = previous_settings
        if previous_variable is not None:
            os.environ["FINN_BUILD_DIR"] = previous_variable


def dataflow_config(output: Path, part: str, clock_ns: float) -> Any:
    """Return FINN's own build configuration, as its step functions want it.

    The part is given instead of the board: FINN's list of boards is not ours.
    """
    prepare_finn()
    from finn.builder.build_dataflow_config import DataflowBuildConfig, DataflowOutputType

    return DataflowBuildConfig(
        output_dir=str(output),
        fpga_part=part,
        synth_clk_period_ns=clock_ns,
        standalone_thresholds=False,
        generate_outputs=[DataflowOutputType.ESTIMATE_REPORTS],
        verify_steps=[],
    )
