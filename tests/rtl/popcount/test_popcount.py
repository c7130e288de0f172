"""xnorflow_popcount_pipeline: counts for one term and more, in fewer cycles than levels and in more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
SHAPES = [(1, 1), (2, 1), (3, 2), (5, 1), (5, 2), (17, 3), (33, 4), (64, 5), (64, 6), (70, 5), (100, 9)]
FIFO_LATENCY = 2


def open_counted(bench, folder: Path, **parameters: int) -> StreamModel:
    library = [bench.folder / f"xnorflow_{part}.sv" for part in ("fifo", "credit_fifo", "popcount_pipeline")]
    sources = (*library, HERE / "counted.sv")
    return StreamModel(compile_design("counted", sources, folder, ports=PortNames.library(), parameters=parameters))


def pairs(width: int) -> np.ndarray:
    """Return 0/1 (beats, 2 * width): none equal, all equal, each bit alone equal, then by chance."""
    rng = np.random.default_rng(width)
    first = rng.integers(0, 2, (width + 300, width))
    equal = rng.integers(0, 2, first.shape)
    equal[: width + 2] = np.vstack([np.zeros((1, width)), np.ones((1, width)), np.eye(width)])
    return np.hstack([first, first ^ equal ^ 1])


@pytest.mark.parametrize(("width", "latency"), SHAPES)
def test_counts_equal_bits(bench, tmp_path, width, latency):
    beats = pairs(width)
    source = StreamSpec("in", "BINARY", 1, 2 * width, 2 * width)
    sink = StreamSpec("out", f"UINT{width.bit_length()}", width.bit_length(), 1, 1)
    with open_counted(bench, tmp_path, Width=width, Latency=latency) as model:
        got, run = bench.stream(model, beats, source, sink)
    np.testing.assert_array_equal(got[:, 0], (beats[:, :width] == beats[:, width:]).sum(axis=1))
    assert set(run.intervals) == {1}
    assert run.latency == latency + FIFO_LATENCY
