"""AMD's tools on this machine: where they are, which version, and one run of them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import ToolError
from xnorflow.artifact.processes import Command, Outcome, run_commands
from xnorflow.artifact.progress import Progress
from xnorflow.synthesize.vivado_errors import explain

__all__ = ["FINN_VERSIONS", "OLDEST", "Vivado", "find_vivado", "hls_location", "run_script", "vivado_location"]

FINN_VERSIONS = ("2022.2", "2024.2")
"""Those that finn-plus 1.6.1 says it supports; bitstreams are its work."""
OLDEST = "2022.2"
"""Of the versions that our own Tcl, for one design out of context, is written for; later ones will do."""
_PLAIN_TARGETS = "or choose --target yosys or ecp5, which need none"


@dataclass(frozen=True)
class Vivado:
    """An installation.

    Args:
        root: what ``XILINX_VIVADO`` names.
        program: the program itself.
        version: e.g. ``2022.2``.
        hls: folder that holds ``vitis_hls``; None where that was not looked for.
    """

    root: Path
    program: Path
    version: str
    hls: Path | None = None

    @contextlib.contextmanager
    def on_path(self) -> Iterator[None]:
        """Put the programs in front of all others of their names while the context lasts: FINN looks on ``PATH``."""
        before = os.environ["PATH"]
        folders = [str(self.program.parent), *([str(self.hls)] if self.hls else []), before]
        os.environ["PATH"] = os.pathsep.join(folders)
        try:
            yield
        finally:
            os.environ["PATH"] = before


def vivado_location() -> str:
    """Return where Vivado is, in words; empty where it is not. Starts nothing."""
    root = os.environ.get("XILINX_VIVADO", "")
    program = _program("vivado", root)
    if program is None:
        return ""
    return f"{program}" if root else f"{program}, but XILINX_VIVADO is not set"


def hls_location() -> str:
    """Return where Vitis HLS is; empty where it is not. Starts nothing."""
    return str(_hls_program() or "")


def _hls_program() -> Path | None:
    return _program("vitis_hls", *(os.environ.get(f"XILINX_{name}", "") for name in ("HLS", "VITIS", "VIVADO")))


def _program(name: str, *roots: str) -> Path | None:
    folders = [str(Path(root) / "bin") for root in roots if root]
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    return Path(found) if found else None


def _wanted(whole: bool) -> str:
    return f"Vivado {' or '.join(FINN_VERSIONS)}" if whole else f"Vivado {OLDEST} or later"


def find_vivado(logs: Path, progress: Progress, *, whole: bool) -> Vivado:
    """Find Vivado by ``XILINX_VIVADO`` and start it once.

    Args:
        logs: folder for what it prints.
        progress: told.
        whole: whether the whole way to a bitstream is wanted: then a version that FINN supports, and Vitis HLS.

    Raises:
        ToolError: the variable is not set, the program is not there or does not start, or its version is another.
    """
    root, wanted = os.environ.get("XILINX_VIVADO", ""), _wanted(whole)
    if not root:
        fix = f"run `source settings64.sh` of an installation, {_PLAIN_TARGETS}"
        raise ToolError("Vivado", "XILINX_VIVADO is not set", wanted, fix)
    program = _program("vivado", root)
    if program is None:
        found = f"XILINX_VIVADO is {root}, but {root}/bin/vivado is no program, and none is on PATH"
        raise ToolError("Vivado", found, wanted, "correct the variable, or install Vivado there")
    log = logs / "vivado_version.log"
    with progress.task("Start Vivado"):
        outcome = _run(Command((str(program), "-version"), log))
    match = re.search(r"vivado v?(20\d\d\.\d)", outcome.output, re.IGNORECASE)
    if outcome.code != 0 or match is None:
        found = f"{program} does not start: {outcome.last_line or outcome.code}"
        raise ToolError("Vivado", found, wanted, f"see {log}")
    version = match[1]
    if version not in FINN_VERSIONS if whole else version < OLDEST:
        reason = "by finn-plus 1.6.1, which makes the bitstream" if whole else "by the Tcl that is written here"
        fix = "install one of these" + (", or leave --shell finn out" if whole and version >= OLDEST else "")
        raise ToolError("Vivado", f"version {version} in {root}, not supported {reason}", wanted, fix)
    return Vivado(Path(root), program, version, _find_hls(root, version) if whole else None)


def _find_hls(root: str, version: str) -> Path:
    """Return the folder of ``vitis_hls``; FINN also reads the version from the folder's name, so that is checked.

    Raises:
        ToolError: there is no vitis_hls, or ``XILINX_VIVADO`` does not say the version.
    """
    if version not in re.findall(r"\b20\d\d\.[12]\b", root):
        found = f"XILINX_VIVADO is {root}, which does not name its version {version}"
        raise ToolError("Vivado", found, "a folder such as /tools/Xilinx/Vivado/2022.2", "set it to the folder itself")
    program = _hls_program()
    if program is None:
        hls = os.environ.get("XILINX_HLS") or "not set"
        found = f"XILINX_HLS is {hls}, and there is no vitis_hls in its bin, Vitis's, Vivado's or on PATH"
        raise ToolError(
            "Vitis HLS",
            found,
            f"Vitis HLS {version}",
            "install it: FINN's DMA is made by it, or leave --shell finn out",
        )
    return program.parent


def _run(command: Command) -> Outcome:
    with contextlib.closing(run_commands([command])) as outcomes:
        return next(outcomes)


def run_script(vivado: Vivado, script: str, log: Path, folder: Path, where: str, options: Sequence[str] = ()) -> float:
    """Have Vivado run a Tcl script in batch mode.

    Args:
        vivado: the tool.
        script: file name in ``folder``, or a whole path.
        log: takes what Vivado prints.
        folder: where it runs.
        where: what the script works on, for the error.
        options: the script's own arguments.

    Returns:
        Seconds.

    Raises:
        UserError: it failed; the message says why as far as the log tells, and names the log.
    """
    arguments: tuple[str, ...] = (
        "-mode",
        "batch",
        "-nojournal",
        "-log",
        f"{Path(script).stem}.vivado.log",
        "-source",
        script,
    )
    if options:
        arguments = (*arguments, "-tclargs", *options)
    outcome = _run(Command((str(vivado.program), *arguments), log, cwd=folder))
    if outcome.code != 0:
        raise explain(where, f"Vivado ended with code {outcome.code}", outcome.output, log)
    return outcome.seconds
