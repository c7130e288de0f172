"""Files and rows for the benchmark's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnorflow.bench.row import Bench, Goal, Measurement, Peer, Row
from xnorflow.bench.run import BenchFiles
from xnorflow.bench.table import BEGIN, END


@pytest.fixture
def files(tmp_path) -> BenchFiles:
    """A README with markers, and where the rest goes."""
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\n{END}\n\nText behind.\n", encoding="utf-8")
    return BenchFiles(tmp_path / "benchmarks" / "results.json", readme, tmp_path / "work")


@pytest.fixture
def make_row():
    """Return a row that measures to ``value``, or raises it, or cannot be measured (None)."""

    def make(name: str, value: float | Exception | None = None, goal: str = "<= 1.25", reason: str = "") -> Row:
        def measure(bench: Bench) -> Measurement:
            assert not list(Path(bench.work).iterdir())
            (bench.work / "built").mkdir()
            if isinstance(value, Exception):
                raise value
            assert value is not None
            return Measurement(value, "LUT/MAC", "counted", {"name": name}, plain=2.5)

        peer = Peer("3.03", "a paper")
        return Row(name, f"what {name} is", peer, Goal(goal), None if value is None else measure, reason)

    return make
