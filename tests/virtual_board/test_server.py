"""The server for PYNQ.remote, by pynq as it comes, by AMD's own self-test, and by clients that pynq would never be."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.virtual_board.board_lock import BoardLock
from xnorflow.virtual_board.design_files import DesignFiles
from xnorflow.virtual_board.overlay_files import write_overlay

FRAMES = 20
HERE = Path(__file__).parent
DDR = 256 << 20
FILES = 64 << 20
IN_FLIGHT = 32 * (4 << 20)


@pytest.fixture(scope="module")
def folder(zcu104, tmp_path_factory):
    return Path(shutil.copytree(zcu104, tmp_path_factory.mktemp("server") / "zcu104"))


@pytest.fixture(scope="module")
def server(start_server, folder):
    with start_server(folder) as server:
        yield server


@pytest.fixture(scope="module")
def others(deployed, tmp_path_factory):
    """Bit files that a virtual ZCU104 must refuse: of a Pynq-Z2, without .hwh, and for a real FPGA."""
    folder = tmp_path_factory.mktemp("others")
    for suffix in (".bit", ".hwh"):
        shutil.copyfile(deployed / "deploy" / f"net{suffix}", folder / f"other{suffix}")
    shutil.copyfile(folder / "other.bit", folder / "alone.bit")
    virtual = (folder / "other.bit").read_bytes()
    start = virtual.index(b"xnorflow VIRTUAL")
    (folder / "real.bit").write_bytes(virtual[:start] + b"\xaa\x99\x55\x66" * (len(virtual[start:]) // 4))
    shutil.copyfile(folder / "other.hwh", folder / "real.hwh")
    return folder


@pytest.fixture(scope="module")
def found(server, folder, others):
    return server.client("remote_client.py", folder, others)


def test_the_first_line(server):
    line = r"ZCU104, virtual board, simulated, at 127\.0\.0\.1:\d+: PYNQ_REMOTE_DEVICES=127\.0\.0\.1 python \.\.\."
    assert re.fullmatch(line, server.line)


def test_pynq_takes_it_for_a_board(found):
    assert (found["pynq"], found["device"], found["board"]) == ("4.0.0", "RemoteDevice", "ZCU104")
    assert {"idma0", "odma0", "StreamingDataflowPartition_1", "axi_dma_0"} < set(found["cells"])
    assert found["clocks"] == pytest.approx([100, 50], rel=1e-3)


def test_golden_frames_go_through_the_rtl(found):
    assert found["engines"] == found["axi_dma"] == found["accelerator"] == found["accelerator after refusals"] == FRAMES
    assert found["path"] == "virtual board, simulated"
    assert found["words"] == [0, 1, 2, 3]


def test_errors_reach_the_client(found):
    assert re.match("FAILED_PRECONDITION virtual ZCU104, address 0xb0000000: nothing answers there", found["nowhere"])
    assert re.match("RESOURCE_EXHAUSTED .*no room for 2,147,483,647 bytes; allowed: 268,435,456", found["too much"])
    assert re.match("NOT_FOUND buffer 'buffer-.*': unknown or freed; allowed: one that was alloc", found["freed twice"])
    assert re.match("PERMISSION_DENIED file '/tmp/../etc/passwd': cannot be written", found["elsewhere"])


def test_other_bit_files_are_refused(found):
    message = "FAILED_PRECONDITION bitstream net: for board Pynq-Z2; allowed: this one is a ZCU104; load the bitstream"
    assert found["other.bit"].startswith(message)
    assert re.match("FAILED_PRECONDITION bitstream of .* bytes: not a virtual one", found["real.bit"])
    assert "metadata" in found["alone.bit"]  # pynq's own words: the bit file does not get here


def test_a_zynq_7000(start_server, own_pynq_z2, found):
    library = own_pynq_z2 / DesignFiles.load(own_pynq_z2).library
    write_overlay(own_pynq_z2, library, own_pynq_z2 / "rtl", axi_dma=True, name="net_axi_dma")
    with start_server(own_pynq_z2) as server:
        assert server.line.startswith("Pynq-Z2, virtual board, simulated")
        again = server.client("remote_client.py", own_pynq_z2)
    assert again["engines"] == again["axi_dma"] == again["accelerator"] == 30
    assert again["clocks"] == pytest.approx([100, 50], rel=1e-3)


def test_the_self_test_of_pynq(server, folder, pynq_turn):
    bit = folder / "net_axi_dma.bit"
    command = (server.python.with_name("pynq-remote-selftest"), "--ip", "127.0.0.1", "--port", str(server.port))
    with pynq_turn():
        done = subprocess.run((*command, "--bitstream", bit), capture_output=True, text=True, check=False, timeout=60)
    assert "summary: 11 passed, 0 failed, 0 skipped" in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("count", "seed"),
    [(600, 1), pytest.param(10_000, 2, marks=pytest.mark.full), pytest.param(10_000, 3, marks=pytest.mark.full)],
)
def test_hostile_messages(start_server, own_zcu104, count, seed, tmp_path, monkeypatch):
    """Each is answered, nothing is written, no more memory is taken than is modeled; then it is a board as before."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    before = {path.name for path in own_zcu104.iterdir()}
    with start_server(own_zcu104) as server:
        started = server.memory()
        found = server.client("fuzz_client.py", count, seed)
        assert found["messages"] >= count and not found["bad"]
        assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "OUT_OF_RANGE"} < set(found["statuses"])
        assert server.memory() - started < DDR + FILES + IN_FLIGHT
        print(f"{found['messages']:,} messages, {found['statuses']}, {started >> 20} to {server.memory() >> 20} MiB")
        after = server.client("remote_client.py", own_zcu104)
        assert after["engines"] == after["axi_dma"] == after["accelerator"] == FRAMES
        out, error, code = server.end(signal.SIGTERM)
    assert (code, error) == (0, "")
    assert re.fullmatch(r"(loaded net(_axi_dma)?\.bin, \d+ bytes\n){2}ended\n", out)
    assert not list(empty.iterdir())
    assert {path.name for path in own_zcu104.iterdir()} - before <= {".board.lock"}
    assert not Path("/tmp/fuzz_of_xnorflow").exists()


@pytest.mark.parametrize("what", ["write", "file", "read", "engine"])
def test_a_client_that_is_gone_in_the_middle(start_server, own_zcu104, what):
    with start_server(own_zcu104) as server:
        command = (server.python, HERE / "raw_client.py", str(server.port), what, own_zcu104)
        client = subprocess.Popen(command, env=server.variables, stdout=subprocess.PIPE, text=True)
        assert client.stdout.readline() == "there\n"
        client.kill()
        client.communicate()
        assert server.client("raw_client.py", "after") == {"same": True, "part": False, "whole": "OK"}
        if what == "engine":
            assert server.client("remote_client.py", own_zcu104)["engines"] == FRAMES
        assert server.end(signal.SIGTERM)[1:] == ("", 0)


def test_clients_that_say_nothing(start_server, own_zcu104):
    """They hold up nobody for long, be they as many as there may be calls."""
    with start_server(own_zcu104, "--stall", "0.5") as server:
        found = server.client("raw_client.py", "hang")
    assert found["DEADLINE_EXCEEDED"] == "mmio.Mmio.read: no message for 0.5 s; call again"
    assert "limit" in found["RESOURCE_EXHAUSTED"]
    assert found["next"] == "OK"


def test_a_second_server(start_server, server, folder, own_zcu104, found):
    """On the same design, and on the same port: one line, and the first one goes on."""
    with start_server(folder) as second:
        out, error = second.wait()
    assert (second.process.returncode, out) == (2, "")
    process = f"process {server.process.pid} is on it; allowed: one at a time"
    assert re.fullmatch(rf"error: virtual board of {folder}: {process}.*\n", error)
    with start_server(own_zcu104, port=server.port) as third:
        out, error = third.wait()
    assert (third.process.returncode, out) == (2, "")
    message = (
        f"error: port {server.port} of 127.0.0.1: Address already in use; allowed: a free one; end the virtual bo.*"
    )
    assert re.fullmatch(message + "\n", error)
    assert server.client("raw_client.py", "after")["same"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end(start_server, own_zcu104, number):
    with start_server(own_zcu104) as server:
        assert server.end(number) == ("ended\n", "", 0)
        BoardLock(own_zcu104).release()
        with start_server(own_zcu104, port=server.port) as again:
            assert again.port == server.port and "simulated" in again.line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--design", "nowhere"), "accelerator nowhere/accelerator.json: missing"),
        (("--board", "ZCU999"), "board.*'?ZCU999'?"),
        (("--port", "70000"), "option --port: 70000; allowed: 1 to 65535"),
    ],
)
def test_what_cannot_be_started(board_python, board_variables, own_zcu104, options, message):
    command = (board_python, "-m", "xnorflow.virtual_board.server", "--design", own_zcu104, *options)
    done = subprocess.run(command, env=board_variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert re.match(f"error: .*{message}", done.stderr) and done.stderr.count("\n") == 1


def test_an_environment_without_pynq(own_zcu104):
    command = (sys.executable, "-m", "xnorflow.virtual_board.server", "--design", own_zcu104)
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert re.fullmatch(r"error: package (pynq|grpc): not installed.*make board-env.*\n", done.stderr)
