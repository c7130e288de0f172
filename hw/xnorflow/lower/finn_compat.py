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

__all__ = [
    "FINN_BOARDS",
    "FINN_VERSION",
    "bitstream_config",
    "build_directory",
    "dataflow_config",
    "keep_own_fifos",
    "prepare_finn",
    "vendor_build",
]

FINN_VERSION = "1.6.1"
FINN_BOARDS = {name: name for name in ("Pynq-Z1", "Pynq-Z2", "Ultra96", "ZCU104")} | {
    "KV260": "KV260_SOM", "AUP-ZU3": "AUP-ZU3_8GB"
}  # fmt: skip
"""What FINN calls the boards that it makes bitstreams for."""


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


@contextlib.contextmanager
def vendor_build(path: Path, jobs: int) -> Iterator[Path]:
    """Have FINN call AMD's tools with all its files below ``path`` while the context lasts.

    - Its Tcl asks the environment for FINN_RTLLIB and FINN_CUSTOM_HLS, which its command line sets: without it, Tcl
      stops at ``$::env(FINN_RTLLIB)``.
    - NUM_DEFAULT_WORKERS: without it, as many Vivados as processors, each of which takes GB.
    - XILINX_LOCAL_USER_DATA, unless it is set, as its command line does: else Vivados share a folder of the user.

    Yields:
        FINN_DEPS, the folder of finn-hlslib and of board files.
    """
    with build_directory(path):
        import finn.util.settings as settings

        known = settings.get_settings()
        changed = {
            "FINN_RTLLIB": str(known.finn_rtllib), "FINN_CUSTOM_HLS": str(known.finn_custom_hls),
            "NUM_DEFAULT_WORKERS": str(jobs),
            "XILINX_LOCAL_USER_DATA": os.environ.get("XILINX_LOCAL_USER_DATA", "no"),
        }  # fmt: skip
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        known.num_default_workers = jobs
        try:
            yield Path(known.finn_deps)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def bitstream_config(output: Path, board: str, clock_ns: float) -> Any:
    """Return FINN's own build configuration for a bitstream, ``board`` by our name of it."""
    prepare_finn()
    from finn.builder.build_dataflow_config import DataflowBuildConfig, DataflowOutputType, ShellFlowType

    return DataflowBuildConfig(
        output_dir=str(output), board=FINN_BOARDS[board], synth_clk_period_ns=clock_ns,
        shell_flow_type=ShellFlowType.VIVADO_ZYNQ, generate_outputs=[DataflowOutputType.BITFILE], verify_steps=[],
    )  # fmt: skip


def keep_own_fifos(model: Any) -> None:
    """Ask for no FIFO in a graph that has its own: without it, ZynqBuild puts FINN's beside ours once more."""
    from qonnx.custom_op.registry import getCustomOp

    for node in model.graph.node:
        operator = getCustomOp(node)
        for name in ("inFIFODepths", "outFIFODepths"):
            operator.set_nodeattr(name, [2] * len(operator.get_nodeattr(name)))
