"""Bodies that lie about their length, or tell none, at the servers that the product is run by."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.exchange.stage import ALL, TAXII, Stage, indicator

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 100_000
PATH = f"/taxii2/alliance/collections/{ALL}/objects/"
SERVERS = {
    "gunicorn": ["gunicorn", "--no-control-socket", "--worker-class", "gthread", "--threads", "2", "config.wsgi", "-b"],
    "granian": [
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "config.wsgi:application",
        "--host",
        "127.0.0.1",
        "--port",
    ],
}


@pytest.fixture(scope="module", params=SERVERS)
def port(alliance: Stage, request: pytest.FixtureRequest) -> Iterator[int]:
    """The product under one of its servers, on the database of this run."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    address = f"127.0.0.1:{number}" if request.param == "gunicorn" else str(number)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LIANFANG_MAX_BODY": str(LIMIT)}
    process = subprocess.Popen(
        [sys.executable, "-m", *SERVERS[request.param], address],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", number), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(20)


def send(port: int, stage: Stage, body: bytes, *, length: int | None, close: bool = False) -> tuple[int, bytes]:
    """Send a POST whose Content-Length is `length`, or in chunks without one; return status and body of the answer."""
    head = [
        f"POST {PATH} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {stage.jia.secret}",
        f"Content-Type: {TAXII}", "Connection: close",
        "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        try:
            for start in range(0, len(body), 8192):
                piece = body[start : start + 8192]
                link.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if length is None else piece)
            if length is None:
                link.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has answered and reads no further
        if close:
            link.shutdown(socket.SHUT_WR)
        return received(link)


def received(link: socket.socket) -> tuple[int, bytes]:
    answer = b""
    try:
        while piece := link.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head, "the server said nothing"
    if b"chunked" in head.lower():
        rest = rest.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    assert TAXII.encode() in head, head
    return int(head.split()[1]), rest


def envelope(size: int) -> bytes:
    """A good envelope of one object with exactly that many bytes."""
    plain = json.dumps({"objects": [indicator(1, description="x")]}).encode()
    return plain.replace(b'"x"', b'"' + b"x" * (size - len(plain) + 1) + b'"')


def test_up_to_the_limit_is_taken(port: int, alliance: Stage) -> None:
    for length in (LIMIT, None):
        body = envelope(LIMIT)
        assert len(body) == LIMIT
        status, answer = send(port, alliance, body, length=len(body) if length else None)
        assert status == 202, answer
        assert json.loads(answer)["success_count"] == 1


def test_past_the_limit_is_a_413(port: int, alliance: Stage) -> None:
    body = envelope(LIMIT + 1)
    for length in (len(body), None):
        status, answer = send(port, alliance, body, length=length)
        assert status == 413
        assert json.loads(answer)["http_status"] == "413"


def test_a_declared_length_is_refused_before_the_body_comes(port: int, alliance: Stage) -> None:
    assert send(port, alliance, b"", length=10**12)[0] == 413


def test_a_body_longer_than_declared_is_cut(port: int, alliance: Stage) -> None:
    assert send(port, alliance, envelope(5000), length=4000)[0] == 400


def test_a_body_shorter_than_declared_is_a_400(port: int, alliance: Stage) -> None:
    assert send(port, alliance, envelope(4000), length=5000, close=True)[0] == 400


def test_of_two_lengths_the_declared_one_cuts_nothing_off(port: int, alliance: Stage) -> None:
    """Both at once is how one request is hidden within another: refused, or read by its chunks, as one request."""
    body = envelope(2000)
    hidden = b"GET /taxii2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = [
        f"POST {PATH} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {alliance.jia.secret}",
        f"Content-Type: {TAXII}", "Connection: close", "Content-Length: 6", "Transfer-Encoding: chunked",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        answer = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            link.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) + hidden)
        with suppress(ConnectionResetError):
            while piece := link.recv(65536):
                answer += piece
    assert answer.count(b"HTTP/1.1 ") <= 1, "a second request was read out of the first"
    assert answer[9:12] in (b"400", b"202", b""), answer[:200]
    if answer[9:12] == b"202":
        assert b'"success_count":1' in answer
