"""DMA engines between a memory that answers late and a stream: every byte in its place, and none beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.simulate.ports import SocPorts
from xnorflow.simulate.soc import SocModel
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
BASE = 0x1000_0000
CONTROL, ENABLE, EVENTS, STATUS, LOW, HIGH, FRAMES, FAILURE = 0, 4, 8, 0xC, 0x10, 0x14, 0x1C, 0x28
START, DONE, IDLE, READY = 1, 2, 4, 8
READ, WRITE = 0, 1
LIMIT = 100_000
SHAPES = {
    "frames_of_98_bytes": {},
    "words": {"FrameBytes": 24, "PieceBytes": 8},
    "a_byte_a_frame": {"FrameBytes": 1, "PieceBytes": 1},
    "narrow": {"DataWidth": 32, "FrameBytes": 6, "PieceBytes": 2, "MaxBurst": 2},
    "wide": {"DataWidth": 256, "FrameBytes": 300, "PieceBytes": 4, "MaxBurst": 128},
    "bytes": {"DataWidth": 8, "FrameBytes": 5, "PieceBytes": 1, "MaxBurst": 256},
}


@pytest.fixture(scope="module")
def libraries(bench, tmp_path_factory):
    """Return a function from a shape's name to its library, built once."""
    folder, built = tmp_path_factory.mktemp("dma"), {}

    def run(name):
        if name not in built:
            built[name] = compile_design(
                "loopback", [*bench.sources, HERE / "loopback.sv"], folder, ports=SocPorts(), parameters=SHAPES[name]
            )
        return built[name]

    return run


def start(soc, source, target, frames):
    """Write all registers and start both engines, the one that writes first, as FINN's driver does."""
    for engine, address in ((WRITE, target), (READ, source)):
        soc.write(engine, LOW, address & 0xFFFF_FFFF)
        soc.write(engine, HIGH, address >> 32)
        soc.write(engine, FRAMES, frames)
        soc.write(engine, CONTROL, START)


def copy(soc, source, target, frames, size, seed=0):
    """Copy frames and check that nothing else has changed."""
    soc.memory[:] = np.random.default_rng(seed).integers(0, 256, len(soc.memory), np.uint8)
    expected = soc.memory.copy()
    expected[target : target + frames * size] = expected[source : source + frames * size]
    start(soc, BASE + source, BASE + target, frames)
    soc.wait(WRITE, LIMIT)
    assert soc.read(READ, CONTROL) == DONE | IDLE | READY
    np.testing.assert_array_equal(soc.memory, expected)
    assert soc.read(READ, FAILURE) == soc.read(WRITE, FAILURE) == 0


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("name", SHAPES)
def test_batches_are_copied(libraries, name, stall):
    """One after the other, from and to addresses around boundaries of 4 KiB, ending within words."""
    shape = {"DataWidth": 64, "FrameBytes": 98, **SHAPES[name]}
    word, size = shape["DataWidth"] // 8, shape["FrameBytes"]
    with SocModel(libraries(name), base=BASE, size=1 << 16, stall=stall, seed=3) as soc:
        places = [(0, 0x8000), (4096 - word, 0x8000 + 4096 - 3 * word), (word * 5, 0x9000 + word)]
        for number, frames in enumerate((1, 2, 3, 7, 17, 64)):
            source, target = places[number % len(places)]
            copy(soc, source, target, frames, size, seed=number)


def test_no_frames_are_done_at_once(libraries):
    with SocModel(libraries("words"), base=BASE) as soc:
        copy(soc, 0, 0x8000, 0, 24)


def test_full_rate(libraries):
    """Without pauses a word a cycle goes through, but for what it takes to begin and to end."""
    with SocModel(libraries("words"), base=BASE, size=1 << 18, latency=20) as soc:
        frames = 4000
        start(soc, BASE, BASE + (1 << 17), frames)
        cycles, words = soc.wait(WRITE, LIMIT), frames * 3
        assert words < cycles < 1.25 * words


def test_registers(libraries):
    with SocModel(libraries("words"), base=BASE) as soc:
        for engine in (READ, WRITE):
            assert soc.read(engine, CONTROL) == IDLE
            soc.write(engine, LOW, 0x1234_5678)
            soc.write(engine, HIGH, 0x9ABC_DEF0)
            soc.write(engine, FRAMES, 77)
            assert [soc.read(engine, place) for place in (LOW, HIGH, FRAMES)] == [0x1234_5678, 0x9ABC_DEF0, 77]
            assert soc.read(engine, 0x30) == 0
        soc.write(READ, ENABLE, 1)
        soc.write(READ, EVENTS, 1)
        start(soc, BASE, BASE + 0x8000, 2)
        assert not soc.read(READ, CONTROL) & IDLE
        soc.wait(WRITE, LIMIT)
        assert soc.read(READ, STATUS) == 1
        soc.write(READ, STATUS, 1)
        assert soc.read(READ, STATUS) == 0
        assert soc.read(READ, CONTROL) == DONE | IDLE | READY
        assert soc.read(READ, CONTROL) == IDLE  # cleared by reading


def test_an_address_without_memory_is_told(libraries):
    with SocModel(libraries("words"), base=BASE, size=1 << 16) as soc:
        start(soc, 0x2000_0000, BASE + 0x8000, 4)
        soc.wait(WRITE, LIMIT)
        assert (soc.read(READ, FAILURE), soc.read(WRITE, FAILURE)) == (1, 0)
        start(soc, BASE, 0x2000_0000, 4)
        soc.wait(WRITE, LIMIT)
        assert (soc.read(READ, FAILURE), soc.read(WRITE, FAILURE)) == (0, 1)
        copy(soc, 0, 0x8000, 5, 24)


def test_an_engine_alone_is_not_done(libraries):
    with SocModel(libraries("words"), base=BASE) as soc:
        soc.write(WRITE, LOW, BASE)
        soc.write(WRITE, FRAMES, 1)
        soc.write(WRITE, CONTROL, START)
        with pytest.raises(SimulateError, match=r"engine 1: not done after 500 cycles; .*; start both engines"):
            soc.wait(WRITE, 500)


@pytest.mark.parametrize("name", ["frames_of_98_bytes", "narrow"])
def test_a_word_that_is_not_aligned_breaks_a_rule(libraries, name):
    with SocModel(libraries(name), base=BASE) as soc:
        start(soc, BASE + 1, BASE + 0x8000, 1)
        with pytest.raises(SimulateError, match="a burst does not start at a word, cycle "):
            soc.run(500)
