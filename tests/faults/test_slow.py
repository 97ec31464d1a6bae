"""Slow and half-open clients: hundreds of them, and everybody else is answered as if they were not there (F10).

The server is the one that `./run` starts. Below it, where a request ends is known whatever pieces it comes in.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import statistics
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from lianfang import doorkeeper
from lianfang.doorkeeper import Arriving, Chunks
from tests.exchange.stage import ALL, TAXII, Stage, indicator, stage
from tests.faults.served import Served, served

OBJECTS = f"/taxii2/alliance/collections/{ALL}/objects/"


# -- where a request ends --------------------------------------------------------------------------------------------


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    places = sorted({0, *(cut % len(whole) for cut in cuts), len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places)]


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(body=st.binary(max_size=300), cuts=CUTS, name=st.sampled_from([b"Content-Length", b"content-length"]))
def test_a_body_of_a_declared_length_ends_with_its_last_byte(body: bytes, cuts: list[int], name: bytes) -> None:
    whole = b"POST / HTTP/1.1\r\nHost: x\r\n" + name + b": %d\r\nA: b\r\n\r\n" % len(body) + body
    arriving = Arriving(0.0)
    for piece in pieces(whole, cuts):
        assert not arriving.whole
        arriving.take(piece)
    assert arriving.whole
    arriving.content.seek(0)
    assert arriving.content.read() == whole


@given(parts=st.lists(st.binary(min_size=1, max_size=40), max_size=6), cuts=CUTS, trailer=st.booleans())
def test_a_body_in_chunks_ends_with_its_last_chunk(parts: list[bytes], cuts: list[int], trailer: bool) -> None:
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts)
    body = chunks + b"0\r\n" + (b"T: u\r\n" if trailer else b"") + b"\r\n"
    whole = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    arriving = Arriving(0.0)
    for piece in pieces(whole, cuts):
        assert not arriving.whole
        arriving.take(piece)
    assert arriving.whole


@pytest.mark.parametrize("head", [
    b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
])  # fmt: skip
def test_what_is_odd_or_too_long_is_handed_on_at_once_to_be_refused(head: bytes) -> None:
    arriving = Arriving(0.0)
    arriving.take(head)
    assert arriving.whole


def test_headers_have_to_end() -> None:
    arriving = Arriving(0.0)
    for _ in range(60):
        arriving.take(b"X: " + b"y" * 1_000 + b"\r\n")
    with pytest.raises(ValueError, match="without an end"):
        arriving.take(b"X: " + b"y" * 6_000 + b"\r\n")
    chunks = Chunks()
    assert any(chunks.take(b"f" * 1_000) for _ in range(100))


def test_a_long_body_may_take_longer_and_a_silent_one_may_not() -> None:
    arriving = Arriving(100.0)
    assert arriving.deadline == 100 + doorkeeper.HEAD_SECONDS
    arriving.take(b"POST / HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n")
    assert arriving.deadline < 100 + doorkeeper.BODY_SECONDS + 1
    arriving.take(b"x" * 800_000)
    assert arriving.deadline > 100 + doorkeeper.BODY_SECONDS + 90


# -- at the server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Stage]]:
    """One server and one world for this file."""
    with django_db_blocker.unblock(), stage() as found, served(tmp_path_factory.mktemp("web")) as server:
        yield server, found


def authorized(found: Stage) -> str:
    secret = b64encode(":".join(found.jia.auth).encode()).decode()
    return f"Host: localhost\r\nAuthorization: Basic {secret}\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"


@contextlib.contextmanager
def clients(server: Served, count: int, first: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have said only this much."""
    made = []
    try:
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            if first:
                one.sendall(first)
            made.append(one)
        yield made
    finally:
        for one in made:
            one.close()


def answered(server: Served, found: Stage, times: int = 25) -> float:
    """Seconds that the others' requests take in the middle; each of them has to be answered."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        answer = requests.get(server.url + OBJECTS, headers={"Accept": TAXII}, auth=found.yi.auth, timeout=5)
        taken.append(time.monotonic() - began)
        assert answer.status_code == 200
    return statistics.median(taken)


@pytest.mark.parametrize("kind", ["silent", "headers", "body", "chunks"])
def test_everybody_else_is_answered(place: tuple[Served, Stage], kind: str) -> None:
    server, found = place
    post = f"POST {OBJECTS} HTTP/1.1\r\n{authorized(found)}"
    said = {
        "silent": "", "headers": post, "body": f"{post}Content-Length: 100000\r\n\r\n{{",
        "chunks": f"{post}Transfer-Encoding: chunked\r\n\r\n5\r\n{{",
    }[kind]  # fmt: skip
    alone = answered(server, found)
    with clients(server, 250, said.encode()) as slow:
        for turn in range(3):
            for one in slow[turn::3]:
                one.sendall(b"X" if said else b"")
            beside = answered(server, found, 10)
            # Every one of the eight threads would be held, and the answer never come.
            assert beside < max(5 * alone, 0.5), (alone, beside)
    assert "Traceback" not in server.said()


def test_a_slow_client_is_answered_once_it_has_said_all(place: tuple[Served, Stage]) -> None:
    server, found = place
    body = f'{{"objects":[{{"id":"{indicator()["id"]}"}}]}}'.encode()
    head = f"POST {OBJECTS} HTTP/1.1\r\n{authorized(found)}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    with clients(server, 1, b"") as (one,):
        for byte in head.encode():
            one.sendall(bytes([byte]))
        assert one.recv(100).startswith(b"HTTP/1.1 100 Continue")
        for byte in body:
            one.sendall(bytes([byte]))
        said = b""
        while b'"id"' not in said:
            piece = one.recv(4096)
            assert piece, said
            said += piece
        assert b"HTTP/1.1 202" in said
        # The connection is kept, and what follows on it is answered too.
        one.sendall(f"GET {OBJECTS}?limit=1 HTTP/1.1\r\n{authorized(found)}\r\n".encode() * 2)
        said = b""
        while said.count(b"HTTP/1.1 200") < 2:
            piece = one.recv(65536)
            assert piece, said
            said += piece


def test_who_goes_in_the_middle_costs_nothing(place: tuple[Served, Stage]) -> None:
    server, found = place
    head = f"POST {OBJECTS} HTTP/1.1\r\n{authorized(found)}Content-Length: 100000\r\n\r\n{{".encode()
    with clients(server, 60, head) as gone:
        for number, one in enumerate(gone):
            if number % 2:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))  # reset
            one.close()
        assert answered(server, found, 10) < 1
    assert "Traceback" not in server.said()


def test_more_of_them_than_there_is_room_for_drop_the_oldest(place: tuple[Served, Stage]) -> None:
    """Two workers keep 600 each; who came first and said nothing whole goes first."""
    server, found = place
    with clients(server, 1_400, b"GET / HTTP/1.1\r\nX: ") as slow:
        assert answered(server, found, 10) < 2
        dropped = 0
        for one in slow[:700]:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                dropped += one.recv(10) == b""
        assert dropped > 50
