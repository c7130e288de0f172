"""A virtual board for PYNQ.remote: ``python -m xnorflow.virtual_board.server --design FOLDER --board NAME``.

pynq's remote client, unchanged, takes it for a board: ``PYNQ_REMOTE_DEVICES=127.0.0.1 python ...``. It listens on
127.0.0.1 alone, since whoever reaches it may do what he wants with it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from xnorflow.artifact.errors import ConfigError, ToolError, UserError
from xnorflow.virtual_board import limits
from xnorflow.virtual_board.buffers import BufferService
from xnorflow.virtual_board.clients import CHANNELZ, connected
from xnorflow.virtual_board.device_files import DeviceService
from xnorflow.virtual_board.gpio import GpioService
from xnorflow.virtual_board.mmio import MmioService
from xnorflow.virtual_board.soc import Soc

__all__ = ["HOST", "PORT", "main", "serve"]

HOST = "127.0.0.1"
PORT = 7967
"""The only port that pynq's client knows."""
_THREADS = 8


def check_port(port: int) -> None:
    """Refuse a port that cannot be listened on, before gRPC says so in its own words.

    Raises:
        ConfigError: see above.
    """
    if not 0 <= port < 1 << 16:
        raise ConfigError("option --port", f"{port}", "1 to 65535", "pynq's client knows 7967 alone")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gRPC does: not kept from one just closed
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as reason:
            raise ConfigError(
                f"port {port} of {HOST}", reason.strerror or "cannot be listened on", "a free one",
                "end the virtual board that listens there, or give another --port",
            ) from reason  # fmt: skip


async def serve(soc: Soc, port: int, stall: float | None = None) -> None:
    """Serve a board until SIGINT or SIGTERM.

    Args:
        soc: the board.
        port: of 127.0.0.1; 0: a free one, which the first line names.
        stall: seconds that a call waits for its client; None: as the limits say.

    Raises:
        UserError: the port is taken, or pynq is not installed.
    """
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    try:
        import grpc.aio

        from xnorflow.virtual_board import rpc
    except ImportError as reason:
        raise ToolError(
            f"package {reason.name}",
            "not installed",
            "an environment with pynq",
            "run this in that of `make board-env`",
        ) from reason
    options = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", limits.MOST_MESSAGE_BYTES), CHANNELZ)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="board") as executor:
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=limits.MOST_CALLS)
        services, waiting = _services(soc), limits.STALL_SECONDS if stall is None else stall
        server.add_generic_rpc_handlers(
            [rpc.Methods(service, services[service.full_name], executor, waiting) for service in rpc.load_protocols()]
        )
        check_port(port)
        try:
            port = server.add_insecure_port(f"{HOST}:{port}")
        except RuntimeError as reason:  # somebody was faster
            raise ConfigError(f"port {port} of {HOST}", "in use", "a free one", "give another --port") from reason
        await server.start()
        say(f"{soc.board.name}, virtual board, simulated, at {HOST}:{port}: PYNQ_REMOTE_DEVICES={HOST} python ...")
        await end.wait()
        await server.stop(grace=None)


def _services(soc: Soc) -> dict[str, object]:
    """Return what implements each of pynq's services."""
    return {
        "remote_device.RemoteDevice": DeviceService(soc, say),
        "mmio.Mmio": MmioService(soc),
        "buffer.RemoteBuffer": BufferService(soc, connected),
        "gpio.Gpio": GpioService(soc.processor.arch),
    }


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server; return the exit code: 0 once it was told to end, 2 where it cannot start.

    Args:
        arguments: of the command line; None: this process's.
    """
    parser = argparse.ArgumentParser(
        prog="python -m xnorflow.virtual_board.server", description="Virtual PYNQ.remote board."
    )
    parser.add_argument("--design", type=Path, required=True, help="folder that `xnorflow deploy` wrote")
    parser.add_argument("--board", help="name of the board; else the one that the design is for")
    parser.add_argument("--port", type=int, default=PORT, help="of 127.0.0.1; pynq's client knows %(default)s alone")
    parser.add_argument("--stall", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors are this program's to tell
    try:
        with Soc(options.design, options.board) as soc:
            asyncio.run(serve(soc, options.port, options.stall))
    except UserError as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before there was anything to end
        return 130
    say("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
