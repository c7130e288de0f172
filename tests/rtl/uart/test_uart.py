"""xnorflow_uart_*: bytes of a line in, bytes of a line out, bit by bit; what the shell does when a byte is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from serial_line import bits_of, idle, low, receive, send, send_bits

from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

BIT = 8
BREAK = low(12 * BIT)


@pytest.fixture
def loop(bench):
    """Run a line through a shell that gives back what it takes; returns tx, error and reset by cycle."""

    def run(*parts: np.ndarray, **parameters: int) -> np.ndarray:
        sources = (*bench.sources, Path(__file__).with_name("serial_loop.sv"))
        parameters = {"CyclesPerBit": BIT, **parameters}
        library = compile_design(
            "serial_loop", sources, bench.work_dir, ports=PortNames.library(), parameters=parameters
        )
        line = np.concatenate([idle(20), *parts])
        with StreamModel(library) as model:
            # The line stays idle behind its end, until the last byte is back.
            beats = model.run(line[:, None], len(line) + 400 * parameters["CyclesPerBit"]).beats[:, 0]
        return np.stack([(beats >> place) & 1 for place in range(3)])

    return run


def values(count: int) -> list[int]:
    return [0, 255, 1, 128, *(int(byte) for byte in np.random.default_rng(5).integers(0, 256, count - 4))]


@pytest.mark.parametrize(
    ("in_bytes", "out_bytes", "bit"), [(1, 1, 8), (7, 1, 8), (1, 3, 8), (2, 4, 11), (6, 2, 16), (3, 3, 9)]
)
def test_bytes_come_back_in_order(loop, in_bytes, out_bytes, bit):
    sent = values(12 * max(in_bytes, out_bytes))
    tx, error, _ = loop(send(sent, bit), CyclesPerBit=bit, InBytes=in_bytes, OutBytes=out_bytes, Depth=3)
    assert receive(tx, bit) == sent
    assert not error.any()
    if in_bytes >= out_bytes:  # else the first byte back waits for several beats
        front = 3 + (in_bytes > 1) + 2  # receiver, joiner, buffer
        behind = (in_bytes > out_bytes) + (out_bytes > 1) + 1  # the loop's converter, splitter, sender
        last_start = 20 + 10 * bit * (in_bytes - 1)
        assert int(np.argmin(tx)) == last_start + 9 * bit + bit // 2 + front + behind


@pytest.mark.parametrize("pause", [1, 3, 10, 57])
def test_pauses_of_any_length_between_bytes(loop, pause):
    sent = values(20)
    tx, error, _ = loop(*(part for byte in sent for part in (send([byte], BIT), idle(pause))))
    assert receive(tx, BIT) == sent and not error.any()


@pytest.mark.parametrize("drift", [-0.04, -0.02, 0.02, 0.04])
def test_a_sender_whose_clock_is_off(loop, drift):
    """No sum of both sides' errors beyond what half a bit in ten allows; a fast one pauses after each byte."""
    sent = values(30)
    tx, error, _ = loop(
        *(part for byte in sent for part in (send([byte], 32 * (1 + drift)), idle(32))), CyclesPerBit=32
    )
    assert receive(tx, 32) == sent and not error.any()


def test_a_glitch_is_no_byte(loop):
    tx, error, _ = loop(low(BIT // 2 - 1), idle(40), send([7], BIT))
    assert receive(tx, BIT) == [7] and not error.any()


@pytest.mark.parametrize("in_bytes", [1, 4])
def test_without_its_stop_bit_a_byte_and_all_behind_it_are_dropped(loop, in_bytes):
    bad = send_bits(bits_of(9, stop=0), BIT)
    tx, error, _ = loop(send(range(4), BIT), bad, idle(50), send(range(8), BIT), InBytes=in_bytes)
    assert receive(tx, BIT) == [0, 1, 2, 3]
    assert error[-1] == 1 and (np.diff(error.astype(int)) >= 0).all()


def test_bytes_that_find_no_room_stop_the_shell(loop):
    """A FIFO of 3 beats, one in the joiner, its spare piece and the receiver's byte: then one is lost."""
    tx, error, _ = loop(send(range(40), BIT), InBytes=2, Depth=3, Gap=0)
    lost = int(np.argmax(error))
    assert receive(tx, BIT) == [] and error[-1] == 1
    assert (lost - 20) // (10 * BIT) == 2 * 3 + 2 + 1 + 1 + 1  # bytes in front of it, the lost one included


def test_a_break_forgets_what_was_sent_and_the_error(loop):
    part = send([1, 2, 3], BIT)
    bad = send_bits(bits_of(9, stop=0), BIT)
    tx, error, reset = loop(part, bad, idle(9), BREAK, idle(BIT), send(range(8, 16), BIT), InBytes=4, OutBytes=2)
    assert receive(tx, BIT) == list(range(8, 16))
    assert error.any() and error[-1] == 0
    began = 20 + len(part) + len(bad) + 9
    low_cycles = np.flatnonzero(reset[20:]) + 20
    assert began + 9 * BIT < low_cycles[0] < began + 10 * BIT + 4
    assert began + len(BREAK) <= low_cycles[-1] <= began + len(BREAK) + 4


def test_a_slow_accelerator_makes_no_difference(loop):
    """One beat in 150 cycles, where a byte takes 80: beats of two bytes come slowly enough, bursts are buffered."""
    sent = values(40)
    tx, error, _ = loop(send(sent, BIT), InBytes=2, OutBytes=2, Depth=2, Gap=150)
    assert receive(tx, BIT) == sent and not error.any()
