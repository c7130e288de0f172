"""Calls of pynq's services without pynq: what its client would never send. Run in the board's environment.

Usage: raw_client.py PORT WHAT [FOLDER]; prints a line once it is where WHAT says, then JSON, or waits to be killed.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import grpc
from google.protobuf.message_factory import GetMessageClass

from xnorflow.virtual_board.rpc import load_protocols

CHUNK = 2 << 20


class Client:
    """A channel to the server."""

    def __init__(self, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.methods = {method.full_name: method for service in load_protocols() for method in service.methods}

    def open(self, name, messages, timeout=30):
        """Start a call with an iterable of dictionaries; return the call, an iterator of responses."""
        method = self.methods[name]
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        stream = self.channel.stream_stream(
            f"/{method.containing_service.full_name}/{method.name}",
            lambda fields: request(**fields).SerializeToString(), response.FromString,
        )  # fmt: skip
        return stream(iter(messages), timeout=timeout)

    def call(self, name, **fields):
        """Make a call with one message and return its one response."""
        return list(self.open(name, [fields]))[-1]

    def status(self, name, *messages):
        """Make a call; return its status and details."""
        call = self.open(name, messages)
        with contextlib.suppress(grpc.RpcError):
            list(call)
        return call.code().name, call.details()


def forever(first):
    """Yield messages, then nothing for as long as this process lives."""
    yield from first
    arrived()
    time.sleep(600)


def slowly(messages):
    """Yield messages, some time between them."""
    for message in messages:
        yield message
        time.sleep(0.1)


def arrived():
    print("there", flush=True)


def vanish(client, what, folder):
    """Take most of the memory, get into the middle of something, and wait to be killed."""
    size = 200 << 20
    name = client.call("buffer.RemoteBuffer.allocate", size=size).buffer_id
    if what == "write":
        call = client.open("buffer.RemoteBuffer.write", forever([{"buffer_id": name, "data": bytes(CHUNK)}] * 3))
    elif what == "file":
        call = client.open(
            "remote_device.RemoteDevice.writefile", forever([{"file_path": "/tmp/part", "data": bytes(CHUNK)}] * 20)
        )
    elif what == "read":
        call = client.open("buffer.RemoteBuffer.read", [{"buffer_id": name}])
        next(call)
        arrived()
    elif what == "engine":
        binary = next(folder.glob("*.bit")).read_bytes()
        files = "remote_device.RemoteDevice.writefile"
        client.call(files, file_path="/lib/firmware/x.bin", data=binary)
        client.call(files, file_path="/sys/class/fpga_manager/fpga0/firmware", data=b"x.bin")
        address = client.call("buffer.RemoteBuffer.physical_address", buffer_id=name).address
        for engine in ("a0010000+1000", "a0000000+1000"):
            for offset, value in ((0x10, address), (0x14, 0), (0x1C, 50_000), (0, 1)):
                client.call("mmio.Mmio.write", mmio_id=engine, offset=offset, data=value.to_bytes(4, "little"))
        assert not client.call("mmio.Mmio.read", mmio_id="a0010000+1000").data & 6
        arrived()
    time.sleep(600)


def after(client):
    """Use the board as one who comes next; return what there was."""
    parts = client.open("remote_device.RemoteDevice.writefile", slowly([{"file_path": "/tmp/part", "data": b"x"}] * 20))
    name = client.call("buffer.RemoteBuffer.allocate", size=200 << 20).buffer_id
    written = bytes(range(256)) * 4096
    client.call("buffer.RemoteBuffer.write", buffer_id=name, data=written, start=1 << 20)
    read = b"".join(
        part.data
        for part in client.open("buffer.RemoteBuffer.read", [{"buffer_id": name, "start": 1 << 20, "end": 2 << 20}])
    )
    client.call("buffer.RemoteBuffer.freebuffer", buffer_id=name)
    parts.cancel()
    files = [{"file_path": "/tmp/whole", "data": bytes(CHUNK)}] * 30  # does not fit beside what never came whole
    return {
        "same": read == written,
        "part": client.call("remote_device.RemoteDevice.existsfile", file_path="/tmp/part").exists,
        "whole": client.status("remote_device.RemoteDevice.writefile", *files)[0],
    }


def hang(client):
    """Open more calls than there may be, and send nothing; then call as anybody."""
    calls = [client.open("mmio.Mmio.read", forever([])) for _ in range(40)]
    found = {}
    for call in calls:
        found.setdefault(call.code().name, call.details())
    end = time.monotonic() + 5  # the server counts a call until a moment after its answer
    while (status := client.status("gpio.Gpio.get_gpio_npins", {})[0]) != "OK" and time.monotonic() < end:
        time.sleep(0.05)
    return {**found, "next": status}


if __name__ == "__main__":
    connected = Client(int(sys.argv[1]))
    if sys.argv[2] == "after":
        print(json.dumps(after(connected)))
    elif sys.argv[2] == "hang":
        print(json.dumps(hang(connected)))
        sys.stdout.flush()
        os._exit(0)
    else:
        vanish(connected, sys.argv[2], Path(sys.argv[3]))
