"""The virtual board's memory."""

import threading

import pytest

from xnorflow.virtual_board.bus import BusError
from xnorflow.virtual_board.memory import BASE, PAGE, Memory


@pytest.fixture
def memory():
    return Memory(8 * PAGE, threading.RLock())


def test_buffers_begin_at_pages_below_4_gib(memory):
    addresses = [memory.allocate(size) for size in (1, PAGE, PAGE + 1, 5)]
    assert addresses == [BASE, BASE + PAGE, BASE + 2 * PAGE, BASE + 4 * PAGE]
    assert memory.allocated == 5 * PAGE
    assert BASE + 3 * (1 << 28) < 1 << 32


def test_freed_memory_is_used_again(memory):
    addresses = [memory.allocate(2 * PAGE) for _ in range(4)]
    for address in addresses[1:3]:
        memory.free(address)
    assert memory.allocate(4 * PAGE) == addresses[1]
    for address in (addresses[0], addresses[1], addresses[3]):
        memory.free(address)
    assert memory.allocated == 0
    assert memory.allocate(8 * PAGE) == BASE


def test_no_room(memory):
    memory.allocate(5 * PAGE)
    with pytest.raises(BusError, match=r"no room for 16,384 bytes; allowed: 32,768 in all, 20,480 of them taken"):
        memory.allocate(4 * PAGE)
    with pytest.raises(BusError, match="no room"):
        memory.allocate(1 << 80)
    assert memory.allocate(3 * PAGE)


def test_new_buffers_hold_neither_zeros_nor_what_was_there(memory):
    address = memory.allocate(8)
    memory.write(address, b"secret!!")
    assert memory.read(address, 8) == b"secret!!"
    memory.free(address)
    assert memory.allocate(8) == address
    assert memory.read(address, 8) == b"\xa5" * 8


@pytest.mark.parametrize("size", [0, -1])
def test_empty_buffers(memory, size):
    with pytest.raises(BusError, match=f"a buffer of {size} bytes; allowed: 1 byte or more"):
        memory.allocate(size)


def test_accesses_stay_in_one_buffer(memory):
    first, second = memory.allocate(10), memory.allocate(10)
    memory.write(second + 6, b"abcd")
    assert memory.read(second + 6, 4) == b"abcd"
    for access in (
        lambda: memory.read(first, 11),
        lambda: memory.read(first - 1, 2),
        lambda: memory.read(first, -1),
        lambda: memory.write(second + 7, b"abcd"),
        lambda: memory.write(BASE + 7 * PAGE, b""),
    ):
        with pytest.raises(BusError, match=r"outside all buffers; allowed: bytes of one buffer"):
            access()


def test_a_buffer_is_freed_once(memory):
    address = memory.allocate(10)
    memory.free(address)
    with pytest.raises(BusError, match=r"no buffer starts there; allowed: addresses of live buffers"):
        memory.free(address)
    with pytest.raises(BusError, match="outside all buffers"):
        memory.read(address, 1)


@pytest.mark.parametrize("size", [0, PAGE + 1, 1 << 30])
def test_sizes(size):
    with pytest.raises(BusError, match=r"a multiple of 4,096 up to 805,306,368"):
        Memory(size, threading.RLock())
