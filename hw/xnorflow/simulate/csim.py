"""C simulation: generated C++ functions as a shared library, on packed beats, by any C++ compiler.

What Vitis HLS calls C simulation, without Vitis: AMD's own integer and stream types, :mod:`xnorflow.simulate.ap_types`.
Streams have no end here, so it says nothing about cycles or depths; what goes through them is exact.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.cache import cache_get, cache_put, content_key
from xnorflow.artifact.compiler import find_compiler
from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.processes import NO_MESSAGE, Command, run_commands
from xnorflow.render.templates import load_template
from xnorflow.simulate.ap_types import find_ap_types
from xnorflow.simulate.library import open_library

__all__ = ["CFunction", "CPort", "CSimulation", "compile_functions", "compile_text"]

ByteArray = npt.NDArray[np.uint8]

_FLAGS = ("-std=c++14", "-O2", "-fPIC", "-fvisibility=hidden")
"""The standard is the one that FINN has Vitis HLS take."""
# Pragmas and labels are for Vitis HLS; the default constructor of AMD's types masks what it does not set.
_WARNINGS = ("-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-label", "-Wno-uninitialized",
             "-Wno-maybe-uninitialized")  # fmt: skip
_MESSAGE_BYTES = 1024
_CHUNK_FRAMES = 64
_HERE = Path(str(files("xnorflow.simulate")))
_INCLUDED = (_HERE, Path(str(files("xnorflow.cycles"))))


@dataclass(frozen=True)
class CPort:
    """A stream of a function.

    Args:
        bits: of a beat.
        beats: of a frame.
    """

    bits: int
    beats: int

    @property
    def bytes(self) -> int:
        """Bytes of a beat."""
        return -(-self.bits // 8)


@dataclass(frozen=True)
class CFunction:
    """A C++ function of streams that computes one frame.

    Args:
        name: of what it computes, for messages; a C identifier.
        call: the function.
        source: file that defines it.
        inputs: streams in.
        outputs: streams out, behind them in the function's parameters.
    """

    name: str
    call: str
    source: str
    inputs: tuple[CPort, ...]
    outputs: tuple[CPort, ...]


def compile_functions(
    functions: Sequence[CFunction], folder: Path, work_dir: Path, *, widest: int = 1024, strict: bool = False,
    taps: bool = False,
) -> Path:  # fmt: skip
    """Build functions as a shared library for :class:`CSimulation`.

    Args:
        functions: to build, of different names.
        folder: of their sources and of all that these include, AMD's headers excepted.
        work_dir: takes the library; created when missing.
        widest: bits of the widest integer.
        strict: whether a warning is an error.
        taps: whether to keep what streams carry, for :meth:`CSimulation.taken`.

    Returns:
        Path of the library, whose name holds the content hash.

    Raises:
        SimulateError: the C++ does not compile; names the node and the line.
        ToolError: the compiler or AMD's headers are missing.
        OutputError: ``work_dir`` cannot be written.
    """
    text = load_template(_HERE / "csim.cpp.j2").render(
        functions=functions, includes=list(dict.fromkeys(one.source for one in functions)), widest=widest, taps=taps
    )
    nodes = {Path(one.source).stem: one.name for one in functions}
    flags = ("-shared", *(("-Werror",) if strict else ()))
    return compile_text(text, "csim", ".so", nodes, folder, work_dir, flags)


def compile_text(
    text: str, name: str, suffix: str, nodes: dict[str, str], folder: Path, work_dir: Path, flags: Sequence[str]
) -> Path:
    """Compile C++ that includes generated headers.

    The result is cached under the content of all sources and the tools. What the compiler says of C++ that is wrong
    stays in ``work_dir``.

    Args:
        text: what to compile.
        name: first part of the result's name, before the content hash.
        suffix: last part.
        nodes: for the stem of a header the layer that it is of; other generated headers are called like theirs.
        folder: of all that is included, AMD's headers and those of this package excepted.
        work_dir: takes the result; created when missing.
        flags: of the compiler, beside those that all get.

    Returns:
        Path of the result.

    Raises:
        SimulateError: the C++ does not compile; names the layer and the line.
        ToolError: the compiler or AMD's headers are missing.
        OutputError: ``work_dir`` cannot be written.
    """
    compiler, types = find_compiler(), find_ap_types()
    flags = (*_FLAGS, *_WARNINGS, *flags)
    texts = [part for path in sorted(folder.glob("*.[hc]pp")) for part in (path.name.encode(), path.read_bytes())]
    harness = [path.read_bytes() for included in _INCLUDED for path in sorted(included.glob("*.hpp"))]
    amd = (path.read_bytes() for path in sorted(types.rglob("*.h")))
    machine = (compiler.program, compiler.version, platform.system(), platform.machine())
    result = work_dir / f"{name}_{content_key(text, *harness, *texts, *amd, *machine, *flags)}{suffix}"
    if result.is_file():
        return result
    write_text(work_dir / ".gitignore", "*\n")  # also finds out whether the folder can be written
    if not cache_get("csim", result.name, result):
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=work_dir) as scratch:
            (Path(scratch) / f"{name}.cpp").write_text(text, encoding="utf-8")
            built, paths = (
                Path(scratch) / "built",
                ("-isystem", str(types), *(f"-I{one}" for one in (folder, *_INCLUDED))),
            )
            arguments = (compiler.program, *flags, *paths, str(Path(scratch) / f"{name}.cpp"), "-o", str(built))
            _compile(Command(arguments, work_dir / f"{name}.log", environment={"LC_ALL": "C"}), nodes)
            built.rename(result)
        cache_put("csim", result, result.name)
    return result


def _compile(command: Command, nodes: dict[str, str]) -> None:
    with contextlib.closing(run_commands([command])) as outcomes:
        outcome = next(outcomes)
    if outcome.code == 0:
        command.log.unlink()
        return
    if outcome.code == 127 or outcome.code < 0:
        raise ToolError(f"C++ compiler {command.arguments[0]}", f"ended with code {outcome.code}")
    node, place, message = _first_error(outcome.output, nodes)
    raise SimulateError(
        f"node {node}" if node else "C++ of the design", f"{place}: {message}",
        fix=f"see {command.log}, and generate the design again or report it",
    )  # fmt: skip


def _first_error(output: str, nodes: dict[str, str]) -> tuple[str, str, str]:
    """Return the node that the first error belongs to, the place in its file, and what is wrong.

    Where the error stands in the library, the compiler says before it from where that was required.
    """
    context: list[tuple[str, str]] = []
    for line in output.splitlines():
        found = re.match(r"(?:In file included from |\s+from )?(?:.*/)?([\w.]+):(\d+)(?::\d+)?[:,]?(.*)", line)
        if found is None:
            continue
        file, number, rest = found.groups()
        context.append((file, number))
        if "error:" not in rest:
            continue
        message = rest.split("error:", 1)[1].strip()
        for name, place in reversed(context):
            stem = Path(name).stem.removeprefix("params_")
            if stem in nodes or stem.removeprefix("top_") in nodes or _is_node(name):
                return nodes.get(stem, stem), f"{name}:{place}", message
        return "", f"{file}:{number}", message
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return "", "compiler", lines[-1] if lines else NO_MESSAGE


def _is_node(name: str) -> bool:
    """Tell whether a header is generated for a node."""
    return (
        name.endswith(".hpp")
        and not name.startswith("xnorflow_")
        and name not in ("csim.hpp", "csim_taps.hpp", "cosim.hpp", "top.hpp")
    )


class CSimulation:
    """A library of functions, loaded.

    Args:
        library: what :func:`compile_functions` returned.

    Raises:
        ToolError: it cannot be loaded.
    """

    def __init__(self, library: Path) -> None:
        self._calls = open_library(library)

    def run(
        self, function: CFunction, inputs: Sequence[ByteArray], on_chunk: Callable[[int], None] | None = None
    ) -> list[ByteArray]:
        """Run frames through a function.

        Args:
            function: one of the library.
            inputs: for each stream in, uint8 (frames * beats, bytes of a beat), little-endian, zeros above its bits.
            on_chunk: called with the number of frames that are done.

        Returns:
            The same for each stream out.

        Raises:
            ValueError: an array is not of the function's shape.
            SimulateError: a frame reads more than it is given, leaves some of it, or gives another number of beats.
        """
        frames = len(inputs[0]) // function.inputs[0].beats
        for array, port in zip(inputs, function.inputs, strict=True):
            if array.dtype != np.uint8 or array.shape != (frames * port.beats, port.bytes):
                shape = (frames * port.beats, port.bytes)
                raise ValueError(f"{function.name}: {array.dtype} {array.shape}, expected uint8 {shape}")
        arrays = [np.ascontiguousarray(array) for array in inputs]
        outputs = [np.zeros((frames * port.beats, port.bytes), np.uint8) for port in function.outputs]
        for first in range(0, frames, _CHUNK_FRAMES):
            last = min(first + _CHUNK_FRAMES, frames)
            self._run_chunk(function, arrays, outputs, first, last)
            if on_chunk is not None:
                on_chunk(last)
        return outputs

    def taken(self, stream: str, bits: int) -> ByteArray:
        """Return what a stream has carried since this was asked last, of a library with taps.

        Args:
            stream: its name.
            bits: of a beat.

        Returns:
            uint8 (beats, bytes of a beat), little-endian, zeros above its bits.
        """
        size = self._calls.xnf_tap_size
        size.restype = ctypes.c_int64
        kept = np.zeros(size(stream.encode()), np.uint8)
        self._calls.xnf_tap_take(stream.encode(), ctypes.c_void_p(kept.ctypes.data))
        return kept.reshape(-1, CPort(bits, 1).bytes)

    def _run_chunk(
        self, function: CFunction, inputs: list[ByteArray], outputs: list[ByteArray], first: int, last: int
    ) -> None:
        call = self._calls[f"xnf_run_{function.name}"]
        call.restype = ctypes.c_int64
        message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        sides = []
        for arrays, ports in ((inputs, function.inputs), (outputs, function.outputs)):
            starts = [array[first * port.beats :].ctypes.data for array, port in zip(arrays, ports, strict=True)]
            sides.append((ctypes.c_void_p * len(starts))(*starts))
        failed = call(*sides, ctypes.c_int64(last - first), message, ctypes.c_int64(_MESSAGE_BYTES))
        if failed >= 0:
            raise SimulateError(
                f"node {function.name}", f"frame {first + failed}: {message.value.decode(errors='replace')}",
                "as many beats as the streams' shapes say", "report this design",
            )  # fmt: skip
