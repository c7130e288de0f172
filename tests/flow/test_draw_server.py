"""The server behind the page: what it answers, what it refuses, and that the next request works."""

import http.client
import json
import socket
import threading

import pytest

from xnorflow.artifact.errors import DeployError
from xnorflow.flow.draw_server import RequestError, open_server

JSON = {"Content-Type": "application/json"}


def answer(content):
    if content == "refuse":
        raise RequestError(400, "not this")
    if content == "broken":
        raise DeployError("accelerator", "does not answer")
    return {"got": content}


@pytest.fixture
def port():
    with open_server(0, answer) as server:
        server.page = b"<p>page</p>"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(port, method, path, body=None, headers=JSON):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def works(port):
    return ask(port, "POST", "/recognize", b'{"a": 1}') == (200, b'{"got": {"a": 1}}')


def test_the_page_and_its_question(port):
    assert ask(port, "GET", "/") == ask(port, "GET", "/?x") == (200, b"<p>page</p>")
    assert ask(port, "HEAD", "/") == (200, b"")
    assert works(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(3):  # one connection for several questions
        connection.request("POST", "/recognize", str(number), JSON)
        assert json.loads(connection.getresponse().read()) == {"got": number}
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "text"),
    [
        ("GET", "/other", None, {}, 404, "no such page"),
        ("GET", "/../../etc/passwd", None, {}, 404, "no such page"),
        ("GET", "/recognize", None, {}, 405, "takes POST"),
        ("POST", "/", b"{}", JSON, 404, "questions go to /recognize"),
        ("DELETE", "/", None, {}, 405, "DELETE is not taken"),
        ("PUT", "/recognize", b"{}", JSON, 405, "PUT is not taken"),
        ("POST", "/recognize", b"{}", {"Content-Type": "text/plain"}, 415, "not application/json"),
        ("POST", "/recognize", b"{", JSON, 400, "not JSON"),
        ("POST", "/recognize", b"\xff\xfe\x00", JSON, 400, "not JSON"),
        ("POST", "/recognize", b"[" * 100_000, JSON, 400, "not JSON"),
        ("POST", "/recognize", b"", JSON, 400, "not JSON"),
        ("POST", "/recognize", b"0" * 300_000, JSON, 413, "300000 bytes; at most 262,144"),
        ("POST", "/recognize", None, {**JSON, "Content-Length": "9" * 40}, 413, "at most 262,144"),
        ("POST", "/recognize", None, {**JSON, "Content-Length": "-5"}, 411, "no Content-Length"),
        ("POST", "/recognize", b'"refuse"', JSON, 400, "not this"),
        ("POST", "/recognize", b'"broken"', JSON, 503, "accelerator: does not answer"),
        ("GET", "/", None, {"Host": "example.org"}, 403, "this server is 127.0.0.1"),
    ],
)
def test_requests_that_are_refused(port, method, path, body, headers, status, text):
    found, said = ask(port, method, path, body, headers)
    assert found == status and text in json.loads(said)["error"]
    assert works(port)


@pytest.mark.parametrize(
    "bytes_sent",
    [b"", b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500,
     b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
     b"POST /recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"],
    ids=["nothing", "garbage", "headers", "path", "half a body"],
)  # fmt: skip
def test_clients_that_go_away(port, bytes_sent):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(bytes_sent)
    assert works(port)


def test_a_client_that_says_nothing_holds_nobody_up(port):
    with socket.create_connection(("127.0.0.1", port)):
        assert works(port)


def test_it_listens_on_this_machine_only():
    with open_server(0, answer) as server:
        assert server.server_address[0] == "127.0.0.1"
