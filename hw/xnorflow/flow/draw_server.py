"""A page and one question to it, over HTTP, for browsers on this machine only."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from xnorflow.artifact.errors import ConfigError, OutputError, UserError

__all__ = ["PageServer", "RequestError", "open_server"]

ADDRESS = "127.0.0.1"
QUESTION = "/recognize"
MOST_BYTES = 1 << 18
"""Of a request's body."""
PATIENCE_SECONDS = 10.0
"""A client that says nothing for so long is left."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class RequestError(Exception):
    """A request that cannot be answered.

    Args:
        status: of HTTP, 400 to 499.
        text: why, and what is expected.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class PageServer(ThreadingHTTPServer):
    """Serves :attr:`page`, and passes questions on.

    Args:
        port: of 127.0.0.1; 0: any.
        answer: from the JSON of a question to that of the answer; may raise :class:`RequestError`.
    """

    daemon_threads = True  # a client that keeps its connection open does not hold up the end

    def __init__(self, port: int, answer: Callable[[Any], dict[str, Any]]) -> None:
        self.page = b""
        self.answer = answer
        super().__init__((ADDRESS, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


def open_server(port: int, answer: Callable[[Any], dict[str, Any]]) -> PageServer:
    """Return a server that listens.

    Raises:
        ConfigError: the port is taken.
        OutputError: it cannot be had for another reason.
    """
    try:
        return PageServer(port, answer)
    except OSError as reason:
        if reason.errno == errno.EADDRINUSE:
            raise ConfigError(
                "option --port", f"{port} is taken", "a free port of 127.0.0.1", "give another"
            ) from reason
        raise OutputError(
            f"port {port}", reason.strerror or str(reason), "a port you may use", "give another"
        ) from reason


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "xnorflow", ""
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        self._respond(self._get)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self._respond(self._post)

    def do_PUT(self) -> None:
        self._respond(self._refuse)

    do_DELETE = do_PATCH = do_OPTIONS = do_PUT  # noqa: N815

    def _respond(self, act: Callable[[], tuple[bytes, str]]) -> None:
        try:
            self._check_host()
            body, kind = act()
        except RequestError as reason:
            self.close_connection = True  # its body was not read, perhaps
            self._send(reason.status, json.dumps({"error": str(reason)}).encode(), "application/json")
        except UserError as reason:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, json.dumps({"error": str(reason)}).encode(), "application/json")
        else:
            self._send(HTTPStatus.OK, body, kind)

    def _check_host(self) -> None:
        """Refuse names of other sites that lead here: their pages could ask questions otherwise."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in (ADDRESS, "localhost"):
            raise RequestError(403, f"host {host!r}; this server is {ADDRESS}")

    def _get(self) -> tuple[bytes, str]:
        path = self.path.partition("?")[0]
        if path == QUESTION:
            raise RequestError(405, f"{QUESTION} takes POST")
        if path != "/":
            raise RequestError(404, "no such page; there is / alone")
        return self.server.page, "text/html; charset=utf-8"

    def _refuse(self) -> tuple[bytes, str]:
        raise RequestError(405, f"{self.command} is not taken; GET / and POST {QUESTION} are")

    def _post(self) -> tuple[bytes, str]:
        if self.path != QUESTION:
            raise RequestError(404, f"questions go to {QUESTION}")
        if self.headers.get_content_type() != "application/json":
            raise RequestError(415, "the body is not application/json")
        text = self.headers.get("Content-Length", "")
        if not text.isdecimal():
            raise RequestError(411, "no Content-Length")
        if int(text[:12]) > MOST_BYTES:
            raise RequestError(413, f"{text[:12]} bytes; at most {MOST_BYTES:,}")
        body = self.rfile.read(int(text))
        if len(body) < int(text):
            raise RequestError(400, "the body ended early")
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as reason:
            raise RequestError(400, "the body is not JSON") from reason
        return json.dumps(self.server.answer(content)).encode(), "application/json"

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
            ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"),
        ):  # fmt: skip
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""
