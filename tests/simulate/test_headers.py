"""Precompiled headers: made once, used, and done without where they cannot be had."""

from __future__ import annotations

import os
import subprocess

import pytest

from xnorflow.simulate import headers
from xnorflow.simulate.headers import HEADERS, precompile
from xnorflow.simulate.tools import Compiler, find_compiler

FLAGS = ("-std=c++20", "-w")
SOURCES = {"popcount.hpp": "#pragma once\ninline int answer() { return 42; }\n"}


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    """Few headers, and a cache of one's own."""
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(headers, "_STANDARD", ("cstdint",))


def test_they_are_compiled_once_for_each_level_and_used(tmp_path):
    compiler = find_compiler()
    found = precompile(compiler, FLAGS, ("-O2", "-O0"), SOURCES, "5")
    assert set(found) == {"-O2", "-O0"} and len(set(found.values())) == 2
    compiled = {level: path.with_name(f"{HEADERS}.gch").stat().st_mtime_ns for level, path in found.items()}
    assert precompile(compiler, FLAGS, ("-O0", "-O2"), SOURCES, "5") == found
    assert {level: path.with_name(f"{HEADERS}.gch").stat().st_mtime_ns for level, path in found.items()} == compiled
    source = tmp_path / "main.cpp"
    source.write_text("int main() { return answer(); }\n")
    for level, path in found.items():
        (path.parent / "popcount.hpp").write_text("#error not read again\n")
        command = [compiler.program, *FLAGS, level, "-Werror", "-Winvalid-pch", "-include", path, source]
        subprocess.run([*command, "-o", tmp_path / "main"], check=True)
        assert subprocess.run([tmp_path / "main"], check=False).returncode == 42


@pytest.mark.parametrize("change", [("-O2", SOURCES, "6"), ("-O2", {"popcount.hpp": "#pragma once\n"}, "5")])
def test_other_sources_and_versions_have_their_own(change):
    compiler, (level, sources, version) = find_compiler(), change
    first = precompile(compiler, FLAGS, ("-O2",), SOURCES, "5")
    assert precompile(compiler, FLAGS, (level,), sources, version) != first


def test_none_for_other_compilers_and_errors():
    compiler = find_compiler()
    assert precompile(Compiler("/usr/bin/clang++", "clang version 18"), FLAGS, ("-O2",), SOURCES, "5") == {}
    assert precompile(compiler, FLAGS, ("-O2",), {"popcount.hpp": "#error no\n"}, "5") == {}


def test_none_where_the_cache_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("in the way\n")
    assert precompile(find_compiler(), FLAGS, ("-O2",), SOURCES, "5") == {}


def test_the_oldest_are_dropped(tmp_path):
    compiler = find_compiler()
    (first,) = precompile(compiler, FLAGS, ("-O0",), SOURCES, "0").values()
    os.utime(first.parent, (1, 1))
    for number in range(6):
        (tmp_path / "cache" / "headers" / f"other{number}").mkdir()
    precompile(compiler, FLAGS, ("-O0",), SOURCES, "1")
    assert not first.is_file()
    assert len(list((tmp_path / "cache" / "headers").iterdir())) == 6
