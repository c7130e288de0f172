"""Which board is taken where nobody says."""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from types import SimpleNamespace

import pytest

from xnorflow.artifact.errors import DeployError
from xnorflow.deploy import board_lock, find
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.board import Engine, Register

HEADER = lambda part: ((b"a", b"top;UserID=0XFFFFFFFF\0"), (b"b", part), (b"c", b"2026/01/01\0"))  # noqa: E731


@pytest.fixture(autouse=True)
def no_board(monkeypatch, tmp_path):
    monkeypatch.delenv("BOARD", raising=False)
    monkeypatch.setattr(board_lock, "LOCK", tmp_path / "board.lock")


@pytest.fixture
def folder(deployed):
    return deployed / "deploy"


@pytest.fixture
def pynq(monkeypatch):
    """A pynq whose overlay holds what a test puts into it."""

    def make(blocks, registers=None):
        overlay = SimpleNamespace(ip_dict=blocks, free=lambda: None)
        module = SimpleNamespace(
            Overlay=lambda path: overlay,
            MMIO=lambda address, size: SimpleNamespace(read=(registers or {}).get(address, {}).get),
        )
        monkeypatch.setitem(sys.modules, "pynq", module)
        known = importlib.util.find_spec
        monkeypatch.setattr(find.importlib.util, "find_spec", lambda name: module if name == "pynq" else known(name))

    return make


@pytest.fixture
def bitfile(folder, tmp_path):
    """The folder with files in the bitstream's place."""
    shutil.copytree(folder, tmp_path / "deploy", ignore=shutil.ignore_patterns("obj"))
    (tmp_path / "deploy" / "net.hwh").write_bytes(b"")
    return write_bit(tmp_path / "deploy" / "net.bit")


def write_bit(path, part="7z020clg400"):
    """A header as Vivado writes it, without data."""
    fields = b"".join(key + struct.pack(">H", len(text)) + text for key, text in HEADER(part.encode() + b"\0"))
    path.write_bytes(struct.pack(">H", 9) + bytes.fromhex("0ff00ff00ff00ff000") + b"\0\1" + fields)
    return path


def test_a_virtual_board_where_there_is_no_pynq(folder):
    with Accelerator(folder) as accelerator:
        assert accelerator.path == "virtual board, simulated"
        assert accelerator.self_test() == 30


def test_neither_board_nor_virtual_board(folder, monkeypatch):
    monkeypatch.setattr(find, "VIRTUAL_BOARDS", "nobody's")
    with pytest.raises(DeployError, match=r"package pynq: not installed; allowed: a PYNQ image on a .*, or a virtual"):
        Accelerator(folder)


def test_no_bitstream(bitfile, pynq):
    pynq({})
    bitfile.unlink()
    with pytest.raises(DeployError, match=r"overlay .*/net.bit: missing; allowed: a .bit and the .hwh of the same"):
        Accelerator(bitfile.parent)


def test_a_virtual_bitstream_on_a_board(folder, pynq):
    pynq({})
    sys.modules["pynq"].Device = SimpleNamespace(active_device=type("EmbeddedDevice", (), {})())
    with pytest.raises(
        DeployError, match=r"net.bit: for virtual boards, it holds no logic; allowed: a bitstream for P"
    ):
        Accelerator(folder)


def test_a_bitstream_of_something_else(bitfile, pynq):
    pynq({"axi_dma_0": {}})
    with pytest.raises(DeployError, match=r"net.bit: IP axi_dma_0; allowed: cells idma0 and odma0; load a bitstream"):
        Accelerator(bitfile)


def test_registers_of_a_board(bitfile, pynq):
    """Engines are found by FINN's names; nobody counts cycles."""
    pynq({"idma0": {"phys_addr": 1}, "odma0": {"phys_addr": 2}}, {1: {0x10: 5}, 2: {0x10: 6}})
    with Accelerator(bitfile) as accelerator:
        board = accelerator._board
        assert (board.simulated, board.cycles()) == (False, None)
        assert [board.read(engine, Register.ADDRESS_LOW) for engine in Engine] == [5, 6]


def test_a_virtual_board_behind_pynq(bitfile, pynq):
    blocks = {"idma0": {"phys_addr": 1}, "odma0": {"phys_addr": 2}, "virtual_board_cycles": {"phys_addr": 3}}
    pynq(blocks, {3: {0: 7, 4: 1}})
    with Accelerator(bitfile) as accelerator:
        assert accelerator.path == "virtual board, simulated"
        assert accelerator._board.cycles() == (1 << 32) + 7


def test_a_folder_without_rtl(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "deploy", ignore=shutil.ignore_patterns("rtl", "obj"))
    with pytest.raises(DeployError, match=r"no rtl/xnorflow_shell.f; allowed: a folder that `xnorflow deploy` wrote"):
        Accelerator(tmp_path / "deploy")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("7z010clg400", "net.bit: a bitstream for 7z010clg400; allowed: xc7z020clg400-1, the part of a Pynq-Z2; take"),
        ("xczu7ev-ffvc1156-2-e", "a bitstream for xczu7ev-ffvc1156-2-e; allowed: xc7z020clg400-1"),
        ("", "a bitstream for no part"),
    ],
)
def test_a_bitstream_for_another_part(bitfile, pynq, part, message):
    pynq({})
    with pytest.raises(DeployError, match=message):
        Accelerator(write_bit(bitfile, part))


@pytest.mark.parametrize("content", [b"", b"\0\x09", bytes(range(256)) * 20, b"\xff" * 5000])
def test_a_file_that_is_no_bitstream(bitfile, pynq, content):
    pynq({})
    bitfile.write_bytes(content)
    with pytest.raises(DeployError, match=r"net.bit: not a bitstream; allowed: a .bit file as Vivado writes it"):
        Accelerator(bitfile)


def test_another_board(bitfile, pynq, monkeypatch):
    pynq({"idma0": {"phys_addr": 1}, "odma0": {"phys_addr": 2}})
    monkeypatch.setenv("BOARD", "KV260")
    with pytest.raises(DeployError, match=r"this board: a KV260; allowed: a Pynq-Z2, .*; build for it: .* KV260"):
        Accelerator(bitfile)
    monkeypatch.setenv("BOARD", "Pynq-Z1")
    Accelerator(bitfile).close()


def test_a_second_process_on_the_board(bitfile, pynq):
    """Two accelerators of one process are none; when both are closed, the other process has it."""
    pynq({"idma0": {"phys_addr": 1}, "odma0": {"phys_addr": 2}})
    code = (
        "import sys, pathlib; from xnorflow.deploy import board_lock\n"
        "board_lock.LOCK = pathlib.Path(sys.argv[1])\n"
        "try: board_lock.hold_board(); print('free')\n"
        "except Exception as reason: print(reason)"
    )
    other = lambda: subprocess.run(  # noqa: E731
        [sys.executable, "-c", code, str(board_lock.LOCK)], capture_output=True, text=True, check=True
    ).stdout.strip()
    first, second = Accelerator(bitfile), Accelerator(bitfile)
    first.close()
    first.close()
    assert other().startswith(f"this board: in use by process {os.getpid()}; allowed: one process at a time; end that")
    second.close()
    assert other() == "free"


def test_a_lock_that_cannot_be_written(bitfile, pynq, monkeypatch, tmp_path):
    pynq({})
    monkeypatch.setattr(board_lock, "LOCK", tmp_path)
    with pytest.raises(DeployError, match=r"this board's lock .*: Is a directory; allowed: a file that this user may"):
        Accelerator(bitfile)


def test_a_board_is_given_back_where_its_overlay_is_wrong(bitfile, pynq):
    pynq({"axi_dma_0": {}})
    with pytest.raises(DeployError, match="IP axi_dma_0"):
        Accelerator(bitfile)
    assert board_lock._held["users"] == 0


def test_pynq_that_cannot_be_imported(bitfile, pynq, monkeypatch):
    pynq({})
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(DeployError, match=r"package pynq: cannot be imported: .*; allowed: a PYNQ image on a Pynq-Z2"):
        Accelerator(bitfile)
