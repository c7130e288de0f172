"""Registers as numpy arrays."""

from types import SimpleNamespace

import numpy as np
import pytest

from xnorflow.virtual_board.window import RegisterWindow

BASE = 0xA000_0000


@pytest.fixture
def log():
    return []


@pytest.fixture
def window(log):
    """Eight registers, each of which holds its own number times 3."""
    values = {BASE + 4 * index: 3 * index for index in range(8)}

    def read(address):
        log.append(address - BASE)
        return values[address]

    return RegisterWindow(SimpleNamespace(read=read, write=values.__setitem__), BASE, 8)


def test_nothing_is_read_by_mapping_or_slicing(window, log):
    part = window[2:6][1:]
    assert log == []
    assert (part[0], part[-1], log) == (9, 15, [12, 20])
    assert part.view("u4")[1] == 12


def test_elements_are_written_one_by_one(window):
    window[3] = -1
    window[4:6] = [7, 8]
    window[6:] = 9
    assert window.tolist() == [0, 3, 6, 0xFFFF_FFFF, 7, 8, 9, 9]


def test_numpy_sees_the_registers(window):
    expected = np.arange(8) * 3
    for found in (
        np.copy(window),
        window.copy(),
        window + 0,
        np.array(list(window)),
        np.frombuffer(window.tobytes(), "u4"),
    ):
        np.testing.assert_array_equal(found, expected)
        assert not isinstance(found, RegisterWindow)
    assert repr(window) == repr(expected.astype(np.uint32))


@pytest.mark.parametrize("index", [8, -9])
def test_there_is_an_end(window, index):
    with pytest.raises(IndexError):
        window[index]
    with pytest.raises(IndexError):
        window[index] = 1
