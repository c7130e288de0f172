"""Calls of pynq's gRPC services: messages are taken apart here, so that whatever comes gets an answer of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import traceback
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from xnorflow.artifact.errors import ToolError, UserError
from xnorflow.virtual_board.limits import STALL_SECONDS, Code, RefusedError

__all__ = ["PROTOCOLS", "Methods", "load_protocols"]

PROTOCOLS = ("remote_device", "mmio", "buffer", "gpio")
"""pynq's modules with the messages of its services."""


def load_protocols() -> list[Any]:
    """Return the descriptors of pynq's services; pynq itself is not imported, since that looks for devices.

    Raises:
        ToolError: pynq is not installed here, or has no such services.
    """
    found = importlib.util.find_spec("pynq")
    services = []
    for name in PROTOCOLS:
        folders = (found.submodule_search_locations if found else None) or [""]
        path = Path(folders[0]) / "remote" / f"{name}_pb2.py"
        spec = importlib.util.spec_from_file_location(f"_xnorflow_{name}_pb2", path) if path.is_file() else None
        if spec is None or spec.loader is None:
            raise ToolError(
                "package pynq", "not installed, or without its remote services", "pynq 4.0.0 of requirements-board.txt",
                "run `make board-env`, and this in the environment that it makes",
            )  # fmt: skip
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # protobuf's builder looks there
        spec.loader.exec_module(module)
        services.extend(module.DESCRIPTOR.services_by_name.values())
    return services


class Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    """All methods of one service.

    Each is served as a stream of bytes in both directions, which on the wire is what all kinds of calls are: so a
    message that is none, does not come, or does not end is met here and not inside gRPC, where it would hold a thread.

    Args:
        service: descriptor.
        implementation: has a method for each of the service's: ``(peer, request)`` returns the response's fields, or an
            iterator of them where responses are a stream; where requests are one, ``(peer)`` returns a generator that
            is sent each request, then None, and returns the fields.
        executor: runs them.
        stall: seconds that a call waits for its client.
    """

    def __init__(self, service: Any, implementation: object, executor: Executor, stall: float = STALL_SECONDS) -> None:
        self._handlers = {
            f"/{service.full_name}/{method.name}": grpc.stream_stream_rpc_method_handler(
                _Method(method, getattr(implementation, method.name, None), executor, stall).serve
            )
            for method in service.methods
        }

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a call; None: not of this service."""
        return self._handlers.get(handler_call_details.method)


class _Method:
    """One method; see :class:`Methods`."""

    def __init__(self, method: Any, function: Callable[..., Any] | None, executor: Executor, stall: float) -> None:
        self._method, self._function, self._executor, self._stall = method, function, executor, stall
        self._request, self._response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)

    async def serve(self, _: object, context: Any) -> None:
        """Serve a call; ``context`` is gRPC's."""
        try:
            await self._dispatch(context)
            return
        except RefusedError as reason:
            code, text = grpc.StatusCode[reason.code], str(reason)
        except UserError as reason:
            code, text = grpc.StatusCode.FAILED_PRECONDITION, str(reason)
        except grpc.aio.BaseError:  # the connection is gone
            raise
        except Exception as reason:
            traceback.print_exc()
            code, text = grpc.StatusCode.INTERNAL, f"fault of the virtual board, {type(reason).__name__}: {reason}"
        await context.abort(code, text)

    async def _dispatch(self, context: Any) -> None:
        """Let the function answer, one message or a stream."""
        if self._function is None:
            raise RefusedError(Code.UNIMPLEMENTED, self._method.full_name, "not implemented, as on a board")
        if self._method.client_streaming:
            await self._take(context, self._function(context.peer()))
        elif self._method.server_streaming:
            await self._give(context, self._function(context.peer(), await self._only(context)))
        else:
            request = await self._only(context)
            await self._send(context, await self._run(self._function, context.peer(), request))

    async def _take(self, context: Any, sink: Generator[None, Any, dict[str, Any]]) -> None:
        """Feed a generator with the client's stream; whatever happens, it is closed."""
        try:
            next(sink)
            fields = None
            while fields is None:
                request = await self._receive(context)
                if request is None:  # gRPC says so too where the client is gone in the middle: only then this fails
                    await context.send_initial_metadata(())
                fields = await self._run(_feed, sink, request)
        finally:
            sink.close()
        await self._send(context, fields)

    async def _give(self, context: Any, source: Iterator[dict[str, Any]]) -> None:
        """Send a stream to the client."""
        while (fields := await self._run(next, source, None)) is not None:
            await self._send(context, fields)

    async def _only(self, context: Any) -> Any:
        request = await self._receive(context)
        if request is None:
            raise RefusedError(Code.INVALID_ARGUMENT, self._method.full_name, "no message", "one")
        return request

    async def _receive(self, context: Any) -> Any:
        """Return the client's next message; None: there are no more."""
        data = await self._in_time(context.read(), "message")
        if data is grpc.aio.EOF:
            return None
        try:
            return self._request.FromString(data)
        except DecodeError as reason:
            name = self._request.DESCRIPTOR.full_name
            raise RefusedError(
                Code.INVALID_ARGUMENT, self._method.full_name, f"{len(data):,} bytes that are no {name}", f"a {name}"
            ) from reason

    async def _send(self, context: Any, fields: dict[str, Any]) -> None:
        await self._in_time(context.write(self._response(**fields).SerializeToString()), "taker of an answer")

    async def _in_time(self, work: Awaitable[Any], what: str) -> Any:
        try:
            async with asyncio.timeout(self._stall):
                return await work
        except TimeoutError as reason:
            raise RefusedError(
                Code.DEADLINE_EXCEEDED, self._method.full_name, f"no {what} for {self._stall:g} s", "", "call again"
            ) from reason

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function in a thread, to its end even where the client goes away meanwhile."""
        future = asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # else asyncio complains of it
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise


def _feed(sink: Generator[None, Any, dict[str, Any]], request: Any) -> dict[str, Any] | None:
    """Send a request to a generator; return what it returns at its end, None before."""
    try:
        sink.send(request)
    except StopIteration as end:
        return dict(end.value)
    return None
