"""Verilator's headers, compiled once for each compiler: reading them is most of a small design's compilation."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from xnorflow.artifact.cache import cache_directory, content_key
from xnorflow.artifact.processes import Command, run_commands
from xnorflow.simulate.tools import Compiler

__all__ = ["HEADERS", "headers_text", "precompile"]

HEADERS = "headers.hpp"
_STANDARD = ("array", "cstdint", "cstring", "deque", "filesystem", "random", "stdexcept", "string", "vector")
_KIND = "headers"
_KEPT = 6
"""Sets of headers that are kept, 200 MB each at most: two for each compiler and Verilator."""


def headers_text() -> str:
    """Return what is included in front of each file; popcount.hpp goes first, as it has to."""
    return '#include "popcount.hpp"\n' + "".join(f"#include <{name}>\n" for name in _STANDARD)


def precompile(
    compiler: Compiler, flags: Sequence[str], levels: Sequence[str], sources: Mapping[str, str], version: str
) -> dict[str, Path]:
    """Compile the headers, unless that was done before.

    Args:
        compiler: that takes them, g++; of others nothing is known, so that there are none for them.
        flags: of all files that include them.
        levels: of optimization: each has headers of its own.
        sources: popcount.hpp, by its name.
        version: of Verilator, whose headers these are.

    Returns:
        Level to the file to include in front of all others. Without those for which it did not work, as where the cache
        cannot be written: it is slower then, nothing else.
    """
    if not _is_gcc(compiler):
        return {}
    found: dict[str, Path] = {}
    missing: dict[str, Path] = {}
    for level in levels:
        key = content_key(compiler.program, compiler.version, version, level, *flags, *sources.values(), headers_text())
        folder = cache_directory(_KIND) / key
        (found if (folder / HEADERS).is_file() else missing)[level] = folder
    with contextlib.suppress(OSError):
        if missing:
            found |= _build(compiler, flags, missing, sources)
            _drop_old()
        for folder in found.values():
            folder.touch()
    return {level: folder / HEADERS for level, folder in found.items()}


def _is_gcc(compiler: Compiler) -> bool:
    return "clang" not in f"{compiler.program} {compiler.version}".lower()


def _build(
    compiler: Compiler, flags: Sequence[str], folders: Mapping[str, Path], sources: Mapping[str, str]
) -> dict[str, Path]:
    """Compile headers beside their places and move them there, whole; return those that can be used."""
    parent = cache_directory(_KIND)
    parent.mkdir(parents=True, exist_ok=True)
    done = {}
    with tempfile.TemporaryDirectory(prefix=".", dir=parent) as name:
        commands = []
        for level in folders:
            work = Path(name) / level
            work.mkdir()
            for file, text in {**sources, HEADERS: headers_text()}.items():
                (work / file).write_text(text, encoding="utf-8")
            target = (level, "-x", "c++-header", str(work / HEADERS), "-o", str(work / f"{HEADERS}.gch"))
            commands.append(Command((compiler.program, *flags, *target), work / "headers.log"))
        with contextlib.closing(run_commands(commands, len(commands))) as outcomes:
            good = all(outcome.code == 0 for outcome in list(outcomes))
        for level, folder in folders.items() if good else ():
            with contextlib.suppress(OSError):  # another process was faster
                (Path(name) / level).rename(folder)
            done[level] = folder
    return done


def _drop_old() -> None:
    by_age = sorted(
        (path for path in cache_directory(_KIND).iterdir() if not path.name.startswith(".")),
        key=lambda path: path.stat().st_mtime, reverse=True,
    )  # fmt: skip
    for old in by_age[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
