"""The virtual Zynq: registers, memory, and the accelerator in RTL between them."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError, DeployError
from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.overlay import HOST, GoldenFrames
from xnorflow.virtual_board.bus import BusError
from xnorflow.virtual_board.soc import Soc

BASES = {"Pynq-Z2": 0x4000_0000, "ZCU104": 0xA000_0000}
CONTROL, ADDRESS, FRAMES, FAILURE = 0x00, 0x10, 0x1C, 0x28
START, DONE, IDLE = 1, 2, 4


@pytest.fixture(params=["Pynq-Z2", "ZCU104"])
def soc(request):
    folder = request.getfixturevalue("own_pynq_z2" if request.param == "Pynq-Z2" else "own_zcu104")
    with Soc(folder, memory=1 << 20) as board:
        board.configure((folder / "net.bit").read_bytes())
        yield board


@pytest.fixture
def zcu(own_zcu104):
    with Soc(own_zcu104, memory=1 << 20) as board:
        board.configure((own_zcu104 / "net_axi_dma.bit").read_bytes())
        yield board


def golden(soc):
    """Golden frames as they lie in memory, and the results as integers."""
    frames = GoldenFrames.load(soc.folder)
    values = HostCodec.load(soc.folder / HOST).quantize(frames.images)
    return soc.description.source.pack(values), frames.results


def start(soc, source, target, frames):
    base = soc.processor.logic_base
    for engine, address in ((0x1_0000, target), (0, source)):
        soc.write(base + engine + ADDRESS, address)
        soc.write(base + engine + FRAMES, frames)
        soc.write(base + engine + CONTROL, START)


def wait(soc):
    control = soc.processor.logic_base + 0x1_0000 + CONTROL
    for _ in range(10_000):
        if soc.read(control) & DONE:
            return
    raise AssertionError("never done")


def result(soc, target, frames):
    size = soc.description.sink.frame_bytes
    data = np.frombuffer(soc.memory.read(target, frames * size), np.uint8).reshape(frames, size)
    return soc.description.sink.unpack(data)


def compute(soc, packed):
    source = soc.memory.allocate(packed.size)
    target = soc.memory.allocate(len(packed) * soc.description.sink.frame_bytes)
    soc.memory.write(source, packed.tobytes())
    start(soc, source, target, len(packed))
    wait(soc)
    found = result(soc, target, len(packed))
    soc.memory.free(source)
    soc.memory.free(target)
    return found


def test_golden_frames_by_registers(soc):
    """Twice, and once more after the bitstream was loaded again; addresses are those of the family."""
    packed, expected = golden(soc)
    assert soc.processor.logic_base == BASES[soc.board.name]
    for _ in range(2):
        np.testing.assert_array_equal(compute(soc, packed), expected)
    soc.configure((soc.folder / "net.bit").read_bytes())
    assert soc.cycles == 0
    np.testing.assert_array_equal(compute(soc, packed), expected)
    assert len(np.unique(expected, axis=0)) > 5


def test_cycles_are_those_of_the_accelerator(soc):
    packed, _ = golden(soc)
    compute(soc, packed)
    description = soc.description
    fewest = (len(packed) - 1) * description.cycles_per_frame
    assert fewest < soc.batch_cycles < fewest + description.latency_cycles + 400
    assert soc.batch_frames == len(packed)
    counter = soc.processor.logic_base + 0x3_0000
    assert (soc.read(counter), soc.read(counter + 4)) == (soc.cycles, 0)


def test_what_was_not_written_is_not_computed(soc):
    """The accelerator sees what is in memory, not what somebody meant to write there."""
    packed, expected = golden(soc)
    source, target = soc.memory.allocate(packed.size), soc.memory.allocate(packed.size * 4)
    start(soc, source, target, len(packed))
    wait(soc)
    assert (result(soc, target, len(packed)) != expected).any(axis=1).mean() > 0.9


def test_an_address_outside_memory_is_a_failure_and_the_next_batch_works(soc):
    packed, expected = golden(soc)
    target = soc.memory.allocate(4096)
    start(soc, 0x3FFF_0000, target, 2)
    wait(soc)
    assert soc.read(soc.processor.logic_base + FAILURE) == 1
    np.testing.assert_array_equal(compute(soc, packed), expected)


@pytest.mark.parametrize("offset", [0x10_0000, -4, 0x1000_0000])
def test_nothing_answers_there(soc, offset):
    address = soc.processor.logic_base + offset
    for access in (lambda: soc.read(address), lambda: soc.write(address, 0)):
        with pytest.raises(BusError, match=rf"address {address:#x}: nothing answers there; allowed: idma0 at"):
            access()
    with pytest.raises(BusError, match="no multiple of 4"):
        soc.read(soc.processor.logic_base + 2)


def test_nothing_is_there_before_a_bitstream(own_pynq_z2):
    with Soc(own_pynq_z2) as board:
        with pytest.raises(BusError, match=r"address 0x40000000: nothing answers there.*; load an overlay first"):
            board.read(0x4000_0000)
        assert (board.cycles, board.batch_cycles, board.batch_frames) == (0, 0, 0)
        assert board.clock_mhz == pytest.approx(100)


def test_the_clock_follows_its_register(soc):
    page, offset = (0xFF5E_0000, 0xC0) if soc.board.name == "ZCU104" else (0xF800_0000, 0x170)
    soc.write(page + offset, soc.read(page + offset) & ~(0x3F << 8) | 30 << 8)
    assert soc.clock_mhz == pytest.approx(50 if soc.board.name == "ZCU104" else 100 / 3)


def test_bitstreams_of_other_boards_and_designs(own_zcu104, own_pynq_z2):
    with Soc(own_zcu104) as board:
        with pytest.raises(ConfigError, match=r"bitstream net: for board Pynq-Z2; allowed: this one is a ZCU104"):
            board.configure((own_pynq_z2 / "net.bit").read_bytes())
        bit = (own_zcu104 / "net.bit").read_bytes()
        board.configure(bit)
        (own_zcu104 / "accelerator.json").write_text("{}")
        with pytest.raises(ConfigError, match=r"accelerator.json: changed since it was deployed"):
            board.configure(bit)
        assert board.read(0xA001_0000) & IDLE  # what was loaded stays
        (own_zcu104 / "virtual.json").write_text((own_zcu104 / "virtual.json").read_text() + "\n")
        with pytest.raises(ConfigError, match=r"bitstream net: made for another design, or for an earlier one"):
            board.configure(bit)


def test_folders_that_hold_no_virtual_board(own_zcu104):
    with pytest.raises(ConfigError, match=r"board 'zcu105': unknown; .*; did you mean 'ZCU104'"):
        Soc(own_zcu104, "zcu105")
    (own_zcu104 / "virtual.json").unlink()
    with pytest.raises(ConfigError, match=r"virtual.json: missing, or of another version"):
        Soc(own_zcu104)


def test_one_at_a_time(own_zcu104):
    program = "import sys; from xnorflow.virtual_board.soc import Soc; Soc(sys.argv[1])"
    with Soc(own_zcu104):
        with pytest.raises(DeployError, match=r"this process is on it; allowed: one at a time, as on a board"):
            Soc(own_zcu104)
        command = (sys.executable, "-c", program, str(own_zcu104))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "is on it; allowed: one at a time, as on a board" in done.stderr
    Soc(own_zcu104).close()


def test_many_threads(zcu):
    """Batches and buffers of some threads while others look at registers."""
    packed, expected = golden(zcu)
    batch, failures = threading.Lock(), []

    def work(number):
        try:
            for _ in range(5):
                address = zcu.memory.allocate(5000 + number)
                zcu.memory.write(address, bytes([number]) * 5000)
                with batch:
                    assert (compute(zcu, packed) == expected).all()
                assert zcu.read(0xA000_0000 + FRAMES) in (0, len(packed))
                assert zcu.memory.read(address, 5000) == bytes([number]) * 5000
                zcu.memory.free(address)
        except BaseException as reason:
            failures.append(reason)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert zcu.memory.allocated == 0


class Dma:
    """An AXI DMA by its registers."""

    def __init__(self, soc):
        self.soc, self.base = soc, 0xA004_0000

    def read(self, offset):
        return self.soc.read(self.base + offset)

    def write(self, offset, value):
        self.soc.write(self.base + offset, value)

    def send(self, source, size, target, room):
        for channel, address, length in ((0x00, source, size), (0x30, target, room)):
            self.write(channel, 1)
            assert not self.read(channel + 4) & 1  # runs
            self.write(channel + 0x18, address)
            self.write(channel + 0x28, length)

    def ended(self, channel):
        return self.read(channel + 4) & (2 | 1)


def test_axi_dma(zcu):
    packed, expected = golden(zcu)
    dma, size = Dma(zcu), len(packed) * zcu.description.sink.frame_bytes
    assert dma.read(0x04) & 1 and dma.read(0x34) & 1  # halted after reset
    source, target = zcu.memory.allocate(packed.size), zcu.memory.allocate(2 * size)
    zcu.memory.write(source, packed.tobytes())
    dma.send(source, packed.size, target, 2 * size)
    assert not dma.read(0x04) & 2  # busy
    for channel in (0x00, 0x30):
        assert any(dma.ended(channel) for _ in range(10_000))
    assert (dma.read(0x34) & 0x1002, dma.read(0x58)) == (0x1002, size)
    np.testing.assert_array_equal(result(zcu, target, len(packed)), expected)
    dma.write(0x34, 0x1000)  # clears the interrupt
    assert dma.read(0x34) & 0x1000 == 0


@pytest.mark.parametrize(("sent", "room", "channel"), [(7, 4096, 0x00), (0, 4096, 0x00), (None, 1, 0x30)])
def test_axi_dma_refuses_parts_of_frames(zcu, sent, room, channel):
    packed, expected = golden(zcu)
    dma = Dma(zcu)
    source, target = zcu.memory.allocate(packed.size), zcu.memory.allocate(4096)
    zcu.memory.write(source, packed.tobytes())
    dma.send(source, packed.size if sent is None else sent, target, room)
    assert dma.read(channel + 4) & 0x11 == 0x11  # halted, internal error
    dma.write(0x00, 4)  # reset
    size = len(packed) * zcu.description.sink.frame_bytes
    dma.send(source, packed.size, target, size)
    assert any(dma.ended(0x30) for _ in range(10_000))
    np.testing.assert_array_equal(result(zcu, target, len(packed)), expected)
