"""Measuring, keeping, and what stops it: always before anything long, and with earlier results kept."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime

import pytest

from xnorflow.artifact.errors import ConfigError, OutputError, SynthesizeError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.bench import results as results_module
from xnorflow.bench.results import load_results, source_commit
from xnorflow.bench.run import run_bench
from xnorflow.flow.cli import main


def run(rows, files, only=None):
    return run_bench(rows if only is None else only, files, SilentProgress(), all_rows=tuple(rows))


def stored(files):
    return json.loads(files.output.read_text())["rows"]


def test_results_are_noted_with_day_and_commit(files, make_row, monkeypatch):
    monkeypatch.setattr(results_module, "source_commit", lambda: "abc+")
    rows = [make_row("one", 1.5), make_row("two")]
    run(rows, files)
    (entry,) = stored(files).values()
    assert entry["date"] == datetime.now(UTC).date().isoformat() and entry["seconds"] >= 0
    assert (entry["value"], entry["unit"], entry["plain"], entry["path"]) == (1.5, "LUT/MAC", 2.5, "counted")
    assert (entry["commit"], entry["what"], entry["details"]) == ("abc+", "what one is", {"name": "one"})
    text = files.readme.read_text()
    assert "| what one is |" in text and "| what two is | 3.03 [1] | ≤ 1.25 | not measured |" in text
    assert text.startswith("# Title\n") and text.endswith("\n\nText behind.\n")
    assert not list(files.work.iterdir())


def test_rows_that_are_not_measured_keep_their_results(files, make_row, monkeypatch):
    monkeypatch.setattr(results_module, "source_commit", lambda: "first")
    run([make_row("one", 1.5), make_row("two", 2.0), make_row("gone", 9.0)], files)
    monkeypatch.setattr(results_module, "source_commit", lambda: "second")
    rows = [make_row("zero", 0.5), make_row("one", 1.0), make_row("two", 7.0)]
    run(rows, files, only=rows[:2])
    entries = stored(files)
    assert [(name, entry["value"], entry["commit"]) for name, entry in entries.items()] == [
        ("zero", 0.5, "second"), ("one", 1.0, "second"), ("two", 2.0, "first"), ("gone", 9.0, "first")
    ]  # fmt: skip
    assert "**2** LUT/MAC" in files.readme.read_text()


def test_a_row_that_fails_leaves_those_before_it(files, make_row):
    rows = [make_row("one", 1.5), make_row("two", SynthesizeError("node x", "is rejected")), make_row("three", 1.0)]
    with pytest.raises(SynthesizeError, match="node x"):
        run(rows, files)
    assert list(stored(files)) == ["one"]
    assert "**1.5** LUT/MAC" in files.readme.read_text()
    assert not list(files.work.iterdir())


def test_a_table_without_measuring(files, make_row):
    rows = [make_row("one", 1.5, reason="early")]
    run(rows, files)
    changed = [make_row("one", 7.0, goal=">= 9", reason="late")]
    run(changed, files, only=[])
    assert "≥ 9 | **1.5** LUT/MAC, plain code 2.5: missed; late |" in files.readme.read_text()


def test_rows_that_nothing_measures(files, make_row):
    rows = [make_row("one"), make_row("two", 1.0)]
    with pytest.raises(ConfigError, match=r"^option --only: only rows that nothing measures yet; allowed: two; "):
        run(rows, files, only=rows[:1])
    assert not files.output.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"rows": {"one": {"value": 1}}}', '{"rows": []}'])
def test_damaged_results(files, make_row, text):
    files.output.parent.mkdir()
    files.output.write_text(text)
    with pytest.raises(
        ConfigError, match=r"^results .*results\.json: unreadable, or not what `xnorflow bench` writes; "
    ):
        run([make_row("one", 1.0)], files)
    assert files.output.read_text() == text


def test_no_markers_no_measuring(files, make_row):
    files.readme.write_text("nothing")
    with pytest.raises(ConfigError, match="has not both markers"):
        run([make_row("one", 1.0)], files)
    files.readme.unlink()
    with pytest.raises(ConfigError, match=r"README\.md: no such file; allowed: a text file with the table's markers"):
        run([make_row("one", 1.0)], files)
    files.readme.write_bytes(b"\xff\xfe")
    with pytest.raises(OutputError, match=r"README\.md: unreadable: "):
        run([make_row("one", 1.0)], files)
    assert not files.output.exists()


def test_output_that_cannot_be_written(files, make_row, monkeypatch):
    files.output.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"^results .*: unreadable"):
        run([make_row("one", 1.0)], files)
    files.output.rmdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: path != files.output.parent)
        with pytest.raises(OutputError, match=r"^file .*results\.json: its folder cannot be written; allowed: a file "):
            run([make_row("one", 1.0)], files)
    files.output.parent.rmdir()
    files.output.parent.write_text("a file where a folder should be")
    with pytest.raises(OutputError, match=r"^output folder .*benchmarks: File exists; "):
        run([make_row("one", 1.0)], files)


def test_results_survive_their_file(files, make_row):
    run([make_row("one", 1.5)], files)
    assert load_results(files.output)["one"].to_json() == stored(files)["one"]


def test_commit_of_the_sources():
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert head.startswith(source_commit().removesuffix("+"))


def test_commit_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert source_commit() == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--only", "nothing"], "option --only: no row is called 'nothing'; allowed: unit_pe64_simd64, "),
        (["--readme", "none.md"], "file none.md: no such file; allowed: a text file with the table's markers; "),
        (["--output", "README.md"], "results README.md: unreadable, or not what `xnorflow bench` writes; "),
    ],
)
def test_command_line_errors(files, monkeypatch, capsys, arguments, line):
    monkeypatch.chdir(files.readme.parent)
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {line}") and error.count("\n") == 1
    assert not files.output.exists()


def test_command_line_lists_and_writes_the_table(files, monkeypatch, capfd):
    monkeypatch.chdir(files.readme.parent)
    assert main(["bench", "--list", "--only", "unit_*"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["row", "unit_pe64_simd64", "unit_pe16_simd64"]
    assert all(line.rstrip().endswith("not measured") for line in lines[1:])
    assert main(["bench", "--table-only"]) == 0
    assert "results.json -> table in README.md" in capfd.readouterr().out
    assert "| not measured |" in files.readme.read_text()
    assert not files.output.exists()
