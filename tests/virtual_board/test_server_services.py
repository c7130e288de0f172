"""What the server grants and refuses, service by service, without gRPC."""

import sys
import threading
from types import SimpleNamespace

import pytest

from xnorflow.virtual_board import buffers, clients
from xnorflow.virtual_board.buffers import BufferService
from xnorflow.virtual_board.bus import RegisterFile
from xnorflow.virtual_board.device_files import DeviceService
from xnorflow.virtual_board.gpio import GpioService
from xnorflow.virtual_board.limits import MOST_BUFFERS, MOST_FILE_BYTES, MOST_FILES, RefusedError, shown
from xnorflow.virtual_board.memory import Memory
from xnorflow.virtual_board.mmio import MmioService

PEER, OTHER = "ipv4:127.0.0.1:1", "ipv4:127.0.0.1:2"
SIZE = 1 << 25
MANAGER = "/sys/class/fpga_manager/fpga0/"
BASE = 0xA000_0000


class Board:
    """Registers at one place, memory, and what was loaded."""

    def __init__(self):
        self.memory = Memory(SIZE, threading.RLock())
        self.registers, self.loaded = RegisterFile(), []
        self.processor, self.board = SimpleNamespace(arch="aarch64"), SimpleNamespace(name="ZCU104")

    def configure(self, binary):
        self.loaded.append(binary)

    def read(self, address):
        return self.registers.read(address - BASE)

    def write(self, address, value):
        self.registers.write(address - BASE, value)


@pytest.fixture
def board():
    return Board()


def request(**fields):
    names = ("size", "cacheable", "start", "end", "data", "buffer_id", "length", "word_order", "file_path", "partial")
    return SimpleNamespace(**{**dict.fromkeys(names, 0), "data": b"", **fields})


def feed(sink, *messages):
    """Send messages to a generator and end them; return what it returned."""
    next(sink)
    try:
        for message in (*messages, None):
            sink.send(message)
    except StopIteration as end:
        return end.value
    finally:
        sink.close()
    raise AssertionError("it goes on")


def refused(code, message, work, *arguments):
    with pytest.raises(RefusedError, match=message) as caught:
        work(*arguments)
    assert caught.value.code == code


class TestRegisters:
    @pytest.fixture
    def mmio(self, board):
        return MmioService(board)

    @pytest.fixture
    def name(self, mmio):
        return mmio.get_mmio(PEER, SimpleNamespace(base_addr=BASE, length=64))["mmio_id"]

    def test_words(self, mmio, name):
        mmio.write(PEER, request(mmio_id=name, offset=8, data=bytes(range(8))))
        assert mmio.read(PEER, request(mmio_id=name, offset=12))["data"] == 0x07060504
        assert mmio.read(PEER, request(mmio_id=name, offset=12, length=2))["data"] == 0x0504

    @pytest.mark.parametrize(
        ("fields", "code", "message"),
        [
            ({"offset": 64}, "OUT_OF_RANGE", r"4 bytes at offset 0x40; allowed: a multiple of 4, 64 bytes in all"),
            ({"offset": (1 << 64) - 4}, "OUT_OF_RANGE", "at offset 0xfffffffffffffffc"),
            ({"offset": 2}, "OUT_OF_RANGE", "a multiple of 4"),
            ({"offset": 0, "length": 8}, "INVALID_ARGUMENT", "MMIO read: 8 bytes; allowed: 1, 2 or 4"),
            ({"offset": 0, "mmio_id": "7"}, "NOT_FOUND", "MMIO '7': unknown; allowed: an id from get_mmio"),
            (
                {"offset": 0, "mmio_id": "1+4"},
                "INVALID_ARGUMENT",
                "MMIO at 0x1: 4 bytes; allowed: an address that is a",
            ),
        ],
    )
    def test_reads_that_are_refused(self, mmio, name, fields, code, message):
        refused(code, message, mmio.read, PEER, request(**{"mmio_id": name, **fields}))

    @pytest.mark.parametrize("data", [b"", b"abc", bytes(65540)])
    def test_writes_that_are_refused(self, mmio, name, data):
        message = f"MMIO write: {len(data):,} bytes; allowed: a multiple of 4 up to 65,536"
        refused("INVALID_ARGUMENT", message, mmio.write, PEER, request(mmio_id=name, offset=0, data=data))

    @pytest.mark.parametrize(("base", "length"), [(0, 0), (2, 4), (0xFFFF_FFFC, 8), (1 << 63, 1 << 63)])
    def test_ranges_that_are_none(self, mmio, base, length):
        fields = SimpleNamespace(base_addr=base, length=length)
        refused("INVALID_ARGUMENT", "a range that ends below 4 GiB", mmio.get_mmio, PEER, fields)


class TestBuffers:
    @pytest.fixture
    def service(self, board, monkeypatch):
        monkeypatch.setattr(buffers, "_PAUSES", (0.0, 0.0))
        return BufferService(board, lambda: {PEER})

    def test_parts(self, service):
        name = service.allocate(PEER, request(size=100, cacheable=True))["buffer_id"]
        feed(service.write(PEER), request(buffer_id=name, data=bytes(60)), request(buffer_id=name, data=b"x" * 40))
        feed(service.write(PEER), request(buffer_id=name, data=b"abc", start=10, end=13))
        parts = list(service.read(PEER, request(buffer_id=name, start=9, end=14)))
        assert parts == [{"data": b"\0abc\0"}]
        assert service.cacheable(PEER, request(buffer_id=name)) == {"cacheable": True}
        assert len(b"".join(part["data"] for part in service.read(PEER, request(buffer_id=name)))) == 100

    def test_a_buffer_freed_while_it_is_read(self, service):
        name = service.allocate(PEER, request(size=3 << 20))["buffer_id"]
        parts = service.read(PEER, request(buffer_id=name))
        next(parts)
        service.freebuffer(PEER, request(buffer_id=name))
        refused("NOT_FOUND", "unknown or freed", next, parts)
        refused("NOT_FOUND", "unknown or freed", service.freebuffer, PEER, request(buffer_id=name))
        assert service.allocate(PEER, request(size=1))["buffer_id"] != name

    @pytest.mark.parametrize(("start", "end"), [(-1, 0), (0, 101), (50, 40), (101, 0)])
    def test_reads_outside(self, service, start, end):
        name = service.allocate(PEER, request(size=100))["buffer_id"]
        fields = request(buffer_id=name, start=start, end=end)
        refused("OUT_OF_RANGE", "allowed: 0 to 100", lambda: list(service.read(PEER, fields)))

    @pytest.mark.parametrize("fields", [{"data": bytes(101)}, {"start": -4, "data": b"x"}, {"end": 7, "data": b"x"}])
    def test_writes_outside(self, service, fields):
        name = service.allocate(PEER, request(size=100))["buffer_id"]
        refused("OUT_OF_RANGE", "allowed: 0 to 100", feed, service.write(PEER), request(buffer_id=name, **fields))
        refused("INVALID_ARGUMENT", "buffer's write: no message", feed, service.write(PEER))

    @pytest.mark.parametrize("size", [0, -1])
    def test_no_size(self, service, size):
        refused("INVALID_ARGUMENT", f"buffer: {size} bytes; allowed: 1 to", service.allocate, PEER, request(size=size))

    def test_memory_of_clients_that_are_gone(self, service, board):
        """It is taken back where room is needed, and only that of those."""
        kept = service.allocate(PEER, request(size=SIZE // 4))["buffer_id"]
        gone = service.allocate(OTHER, request(size=SIZE // 2))["buffer_id"]
        new = service.allocate(PEER, request(size=SIZE // 2))["buffer_id"]
        refused("NOT_FOUND", "unknown or freed", service.flush, OTHER, request(buffer_id=gone))
        assert service.flush(PEER, request(buffer_id=kept)) == service.invalidate(PEER, request(buffer_id=new)) == {}
        refused("RESOURCE_EXHAUSTED", "no room for", service.allocate, PEER, request(size=SIZE // 2))
        assert board.memory.allocated == SIZE * 3 // 4

    def test_where_connections_are_not_known_nobody_is_gone(self, board, monkeypatch):
        monkeypatch.setattr(buffers, "_PAUSES", (0.0, 0.0))
        service = BufferService(board, lambda: None)
        service.allocate(OTHER, request(size=SIZE // 2))
        refused("RESOURCE_EXHAUSTED", "no room for", service.allocate, PEER, request(size=SIZE))

    def test_too_many(self, service):
        for _ in range(MOST_BUFFERS):
            service.allocate(PEER, request(size=1))
        refused("RESOURCE_EXHAUSTED", "buffers: one more; allowed: 4,096", service.allocate, PEER, request(size=1))


class TestFiles:
    @pytest.fixture
    def said(self):
        return []

    @pytest.fixture
    def service(self, board, said):
        return DeviceService(board, said.append)

    def write(self, service, path, *parts, peer=PEER):
        return feed(service.writefile(peer), *(request(file_path=path, data=part) for part in parts))

    def exists(self, service, path, peer=PEER):
        return service.existsfile(peer, request(file_path=path))["exists"]

    def test_a_bitstream(self, service, board, said):
        """It is sent in parts, loaded by name, and not there any more: the next one of this name is sent again."""
        self.write(service, "/lib/firmware/a.bin", b"ab", b"cd")
        assert self.exists(service, "/lib/firmware/a.bin") and not self.exists(service, "/lib/firmware/a.bin", OTHER)
        self.write(service, f"{MANAGER}flags", b"0")
        self.write(service, f"{MANAGER}firmware", b"a.bin\n")
        assert board.loaded == [b"abcd"] and said == ["loaded a.bin, 4 bytes"]
        assert not self.exists(service, "/lib/firmware/a.bin")
        assert list(service.readfile(PEER, request(file_path=f"{MANAGER}state"))) == [{"data": b"operating\n"}]
        refused("NOT_FOUND", "file '/lib/firmware/a.bin': missing", self.write, service, f"{MANAGER}firmware", b"a.bin")

    def test_a_bitstream_by_download(self, service, board):
        service.set_bitstream_attrs(PEER, request(binfile_name="b.bin"))
        feed(service.download(PEER), SimpleNamespace(buffer=b"xy"), SimpleNamespace(buffer=b"z"))
        assert board.loaded == [b"xyz"]

    def test_a_partial_bitstream(self, service):
        partial = request(binfile_name="b.bin", partial=True)
        refused("UNIMPLEMENTED", "a partial bitstream; allowed: whole", service.set_bitstream_attrs, PEER, partial)

    def test_who_it_is(self, service):
        text = b"".join(part["data"] for part in service.readfile(PEER, request(file_path="/proc/version")))
        assert b"aarch64" in text and b"virtual board, simulated" in text

    @pytest.mark.parametrize(
        "path",
        ["", "/", "/etc/passwd", "/tmp/../etc/passwd", "/tmp/", "/tmp/.x", "/tmp/a\0", "/tmp/a/b", "/lib/firmware/..",
         "tmp/x", "/proc/version", f"{MANAGER}state", "/tmp/" + "x" * 256, "/lib/firmware/../firmware/a.bin"],
    )  # fmt: skip
    def test_places_where_nobody_writes(self, service, path):
        refused("PERMISSION_DENIED", "cannot be written on the virtual board", self.write, service, path, b"x")
        assert not self.exists(service, "/etc/passwd")
        if path not in ("/proc/version", f"{MANAGER}state"):
            refused(
                "NOT_FOUND", "missing on the virtual", lambda: list(service.readfile(PEER, request(file_path=path)))
            )

    @pytest.mark.parametrize("name", [b"../../etc/passwd", b"", b"a/b.bin", b"\xff\xfe\n\0"])
    def test_names_of_no_firmware(self, service, name):
        refused("PERMISSION_DENIED", "cannot be written", self.write, service, f"{MANAGER}firmware", name)

    @pytest.mark.parametrize("flags", [b"", b"x", b"\xeb"])
    def test_flags_that_are_none(self, service, flags):
        refused("INVALID_ARGUMENT", "no number; allowed: digits", self.write, service, f"{MANAGER}flags", flags)

    def test_too_much(self, service):
        """Of one file, of all together, in a setting, and of files that never came whole: that room is given back."""
        part = bytes(MOST_FILE_BYTES // 4)
        for _ in range(2):
            refused("RESOURCE_EXHAUSTED", "allowed: 67,108,864", self.write, service, "/tmp/x", *[part] * 4, b"1")
            sink = service.writefile(PEER)
            next(sink)
            sink.send(request(file_path="/tmp/cut", data=part))
            sink.close()
        assert not self.exists(service, "/tmp/x") and not self.exists(service, "/tmp/cut")
        self.write(service, "/tmp/x", *[part] * 3)
        refused("RESOURCE_EXHAUSTED", "files of the virtual board", self.write, service, "/tmp/y", part, b"1")
        refused("RESOURCE_EXHAUSTED", "513 bytes; allowed: 512", self.write, service, f"{MANAGER}flags", b"0" * 513)
        refused("INVALID_ARGUMENT", "file: no message", self.write, service, "/tmp/z")

    def test_too_many(self, service):
        for number in range(MOST_FILES):
            self.write(service, f"/tmp/{number}", b"x")
        self.write(service, "/tmp/0", b"y")
        refused("RESOURCE_EXHAUSTED", "file '/tmp/more': one more than 16", self.write, service, "/tmp/more", b"x")


def test_pins():
    gpio = GpioService("aarch64")
    assert gpio.get_gpio_npins(PEER, SimpleNamespace(target_label=""))["npins"] == 174
    assert (
        gpio.get_gpio_base_path(PEER, SimpleNamespace(target_label=""))["base_path"] == "/sys/class/gpio/gpiochip338/"
    )
    name = gpio.get_gpio(PEER, SimpleNamespace(index=416, direction="out"))["gpio_id"]
    gpio.write(PEER, SimpleNamespace(gpio_id=name, value=1))
    assert gpio.read(PEER, SimpleNamespace(gpio_id=name)) == {"value": 1}
    refused("INVALID_ARGUMENT", "value 2; allowed: 0 or 1", gpio.write, PEER, SimpleNamespace(gpio_id=name, value=2))
    gpio.unexport(PEER, SimpleNamespace(gpio_id=name))
    assert not gpio.is_exported(PEER, SimpleNamespace(gpio_id=name))["is_exported"]
    refused("NOT_FOUND", "GPIO '416': not exported", gpio.read, PEER, SimpleNamespace(gpio_id=name))
    refused("OUT_OF_RANGE", "GPIO 7: no such pin", gpio.get_gpio, PEER, SimpleNamespace(index=7, direction="in"))
    refused(
        "INVALID_ARGUMENT", "'up'; allowed: in or out", gpio.get_gpio, PEER, SimpleNamespace(index=400, direction="up")
    )
    name = gpio.get_gpio(PEER, SimpleNamespace(index=400, direction="in"))["gpio_id"]
    assert gpio.read(PEER, SimpleNamespace(gpio_id=name)) == {"value": 0}
    refused("FAILED_PRECONDITION", "an input", gpio.write, PEER, SimpleNamespace(gpio_id=name, value=1))


def test_a_client_s_text_is_quoted_and_short():
    assert shown("a\nb") == "'a\\nb'"
    assert len(shown("x" * 1000)) < 90


def test_without_grpc_nobody_is_gone(monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc._cython", None)
    assert clients.connected() is None
