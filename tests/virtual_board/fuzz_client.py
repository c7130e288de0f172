"""Hostile and truncated calls of every method of the server: run in the board's environment, prints JSON.

Usage: fuzz_client.py PORT COUNT SEED. Only statuses in ANSWERS, each with words where it is an error, count as answers.
"""

import json
import random
import socket
import sys
from collections import Counter

import grpc
from google.protobuf.message_factory import GetMessageClass

from xnorflow.virtual_board.rpc import load_protocols

ANSWERS = {
    "OK", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "CANCELLED",
}  # fmt: skip
TEXTS = [
    "", "0", "-1", "buffer-0", "buffer-1", "buffer-2", "buffer-99999999999", "a0000000+10000", "a0010000+10000",
    "a0000000+ffffffffffffffff", "ffffffffffffffff+ffffffffffffffff", "0+0", "1+1", "+", "10000000+1000",
    "ff5e0000+1000",
    "../../etc/passwd", "/etc/passwd", "/tmp/../etc/passwd", "/lib/firmware/../../etc/passwd", "/lib/firmware/a/b.bin",
    "/lib/firmware/", "/lib/firmware/..", "/tmp/fuzz_of_xnorflow", "/tmp/.hidden", "/tmp/\0",
    "/tmp/a\nb", "/tmp/" + "x" * 300,
    "/lib/firmware/fuzz.bin", "fuzz.bin", "/sys/class/fpga_manager/fpga0/firmware",
    "/sys/class/fpga_manager/fpga0/flags",
    "/sys/class/fpga_manager/fpga0/state", "/proc/version", "/proc/self/mem", "/dev/mem", "x" * 70_000,
    "\u202e\U0001f4a5",
    "in", "out", "big", "little", "338", "511", "%s%n{}", "u1",
]  # fmt: skip
INTS = [0, 1, 2, 3, 4, 8, 12, 16, 20, 28, 40, 100, 338, 400, 4095, 4096, 0x10000, 1 << 20, 1 << 24, 1 << 28,
        0x1000_0000,
        0xA000_0000, 0xA001_0000, 0xA003_0000, 0xFF5E_0000, (1 << 31) - 1, 1 << 31, (1 << 32) - 4, (1 << 32) - 1,
        1 << 32,
        1 << 63, (1 << 64) - 4, (1 << 64) - 1, -1, -4, -4096, -(1 << 31)]  # fmt: skip


class Fuzz:
    def __init__(self, port, seed):
        self.random, self.port = random.Random(seed), port
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", 64 << 20), ("grpc.enable_http_proxy", 0)]
        )
        self.methods = [method for service in load_protocols() for method in service.methods]
        self.statuses, self.bad = Counter(), []

    def data(self, most=64):
        kind = self.random.random()
        if kind < 0.02:
            return bytes(self.random.choice((1 << 16, 1 << 20, 2 << 20)))
        return self.random.randbytes(
            4 * self.random.randrange(most // 4) if kind < 0.6 else self.random.randrange(most)
        )

    def value(self, field):
        if field.type == field.TYPE_STRING:
            return self.random.choice(TEXTS)
        if field.type == field.TYPE_BYTES:
            return self.data()
        if field.type == field.TYPE_BOOL:
            return self.random.random() < 0.5
        low, high = (0, 1 << 64) if field.type == field.TYPE_UINT64 else (-(1 << 31), 1 << 31)
        number = self.random.choice(INTS) if self.random.random() < 0.7 else self.random.randrange(low, high)
        return min(max(number, low), high - 1)

    def message(self, kind):
        """Bytes of a message: well-formed with hostile fields, cut off, with a bit turned, or none at all."""
        fields = {field.name: self.value(field) for field in kind.fields if self.random.random() < 0.9}
        whole = GetMessageClass(kind)(**fields).SerializeToString()
        how = self.random.random()
        if how < 0.55:
            return whole
        if how < 0.70:
            return whole[: self.random.randrange(len(whole) + 1)]
        if how < 0.85 and whole:
            place = self.random.randrange(min(len(whole), 64))
            return whole[:place] + bytes([whole[place] ^ 1 << self.random.randrange(8)]) + whole[place + 1 :]
        if how < 0.999:
            return self.random.randbytes(self.random.randrange(64))
        return bytes((4 << 20) + 1)

    def call(self):
        """Make one call; return how many messages it sent."""
        method = self.random.choice(self.methods)
        path = f"/{method.containing_service.full_name}/{method.name}"
        if self.random.random() < 0.01:
            path += self.random.choice(("x", "/", "\u00e9"))
        count = self.random.choice((0, 1, 1, 2, 5)) if method.client_streaming or self.random.random() < 0.05 else 1
        messages = [self.message(method.input_type) for _ in range(count)]
        call = self.channel.stream_stream(path)(iter(messages), timeout=30)
        if self.random.random() < 0.05:
            call.cancel()
        try:
            for _ in call:
                if self.random.random() < 0.02:
                    call.cancel()
        except grpc.RpcError:
            pass
        name = call.code().name
        self.statuses[name] += 1
        if name not in ANSWERS or (name not in ("OK", "CANCELLED") and not call.details()):
            self.bad.append(f"{path} {name}: {call.details()}")
        return max(1, count)

    def raw(self):
        """Send bytes that are no HTTP/2, or the beginning of it."""
        start = self.random.choice((b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(start + self.random.randbytes(self.random.randrange(200)))

    def run(self, count):
        sent = 0
        while sent < count:
            if self.random.random() < 0.01:
                self.raw()
                sent += 1
            sent += self.call()
        return {"messages": sent, "statuses": dict(self.statuses), "bad": self.bad[:5]}


if __name__ == "__main__":
    port, count, seed = map(int, sys.argv[1:4])
    print(json.dumps(Fuzz(port, seed).run(count)))
