"""gunicorn's threads, each given to a request only when the whole of it has arrived.

A thread that waits for the rest of a request is lost to everybody else, and eight slow clients were enough to take all
of them. Here the loop that accepts connections gathers what arrives, thousands of connections at once and none of them
costing a thread, within limits of time, length and number. What lies on the way to a thread lies in a file when it is
long. ADR 0019.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

__all__ = ["Worker"]

HEAD_SECONDS: Final = 15.0
"""Within which a request line and its headers have to be here."""
BODY_SECONDS: Final = 30.0
SLOWEST: Final = 8 * 1024
"""A body may take BODY_SECONDS, and longer as long as so many bytes a second come."""
HEAD_BYTES: Final = 64 * 1024
IN_MEMORY: Final = 256 * 1024
MOST_WAITING: Final = 600
"""Connections whose request is not whole; past that the oldest of them is dropped for the newest."""
MOST_BYTES: Final = 512 * 1024 * 1024
"""Bytes of requests that are not whole; past that a long one is dropped."""
ANSWER_SECONDS: Final = 20
"""After which a client that takes nothing of its answer is given up."""
_PIECE: Final = 64 * 1024
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_NO_ROOM = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEADER = re.compile(rb"^([^\s:]+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def longest() -> int:
    """Bytes of the longest body that the product reads; a longer one is for it to refuse, by its declared length."""
    return int(os.environ.get("LIANFANG_MAX_BODY") or 10 * 1024 * 1024)


class _Gathered(SocketUnreader):  # type: ignore[misc]
    """What was gathered, then whatever the socket still has."""

    def __init__(self, sock: socket.socket, content: Any) -> None:
        super().__init__(sock)
        self.content = content

    def chunk(self, size_hint: int | None = None) -> bytes:
        if self.content is not None:
            if found := self.content.read(max(size_hint or 0, _PIECE)):
                return bytes(found)
            self.content.close()
            self.content = None
        return bytes(super().chunk(size_hint))


@dataclass
class Arriving:
    """A request of which not everything is here. Knows of HTTP only where a request ends."""

    began: float
    length: int = 0
    head: bytearray = field(default_factory=bytearray)
    """The first bytes, until the end of the headers is among them."""
    content: Any = field(default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115
    whole: bool = False
    expects: bool = False
    """The client waits to be told that it may send its body."""
    _ends_at: int | None = None
    _chunks: Chunks | None = None

    @property
    def deadline(self) -> float:
        """By when it has to be here, or to have come further."""
        if self._ends_at is None and self._chunks is None:
            return self.began + HEAD_SECONDS
        return self.began + BODY_SECONDS + self.length / SLOWEST

    def take(self, piece: bytes) -> None:
        """Take in what came. Raises ValueError where the headers do not end."""
        self.length += len(piece)
        self.content.write(piece)
        if self._chunks is not None:
            self.whole = self._chunks.take(piece) or self.length > longest() + HEAD_BYTES
        elif self._ends_at is not None:
            self.whole = self.length >= self._ends_at
        else:
            self.head += piece
            end = self.head.find(b"\r\n\r\n")
            if end >= 0:
                self._begin_body(bytes(self.head[: end + 2]), bytes(self.head[end + 4 :]))
            elif len(self.head) > HEAD_BYTES:
                raise ValueError("headers without an end")

    def _begin_body(self, head: bytes, rest: bytes) -> None:
        """The headers are here: where does the request end? What is odd about them is for gunicorn to refuse."""
        named: dict[bytes, list[bytes]] = {}
        for name, value in _HEADER.findall(head.replace(b"\r\n", b"\n")):
            named.setdefault(name.lower(), []).append(value.lower())
        lengths, codings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
        self.expects = named.get(b"expect") == [b"100-continue"]
        if codings == [b"chunked"] and not lengths:
            self._chunks = Chunks()
            self.whole = self._chunks.take(rest)
        elif len(lengths) == 1 and lengths[0].isdigit() and not codings and int(lengths[0]) <= longest():
            self._ends_at = self.length - len(rest) + int(lengths[0])
            self.whole = self.length >= self._ends_at
        else:
            self.whole = True
        self.expects = self.expects and not self.whole
        self.head.clear()

    def close(self) -> None:
        """Drop what came."""
        self.content.close()


class Chunks:
    """Finds the end of a body in chunks (RFC 9112 §7.1). One that is written wrongly ends where it is wrong."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._skip = 0
        self._trailers = False

    def take(self, piece: bytes) -> bool:
        """Take in what came; return whether the body ends with it."""
        at = 0
        while at < len(piece):
            if self._skip:
                step = min(self._skip, len(piece) - at)
                self._skip -= step
                at += step
                continue
            end = piece.find(b"\n", at)
            self._line += piece[at : len(piece) if end < 0 else end + 1]
            if len(self._line) > HEAD_BYTES:
                return True
            if end < 0:
                return False
            at = end + 1
            line, self._line = bytes(self._line).strip(), bytearray()
            if self._trailers:
                if not line:
                    return True
                continue
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                return True
            self._trailers = size == 0
            self._skip = size + 2 if size > 0 else 0
        return False


class Worker(ThreadWorker):  # type: ignore[misc]
    """The threads of gunicorn behind a loop that gathers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, Arriving] = {}
        """In the order in which they began."""

    def enqueue_req(self, conn: TConn) -> None:
        """Gather the next request of a connection. gunicorn would give it a thread now."""
        if not conn.initialized:
            _bound(conn.sock)
            conn.init()
        conn.sock.setblocking(False)
        arriving = self.arriving[conn] = Arriving(time.monotonic())
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._came, conn))
        if ahead := conn.parser.unreader.take_buffered():
            self._take(conn, arriving, ahead)
        if len(self.arriving) > MOST_WAITING:
            self._drop(next(iter(self.arriving)), b"")

    def _came(self, conn: TConn, _sock: socket.socket) -> None:
        """Something came, or the client went."""
        arriving = self.arriving[conn]
        try:
            piece = conn.sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            self._drop(conn, b"")
            return
        if piece:
            self._take(conn, arriving, piece)
        elif arriving.length:
            # It went in the middle: what there is tells the view so, and costs it no time.
            self._hand_over(conn, arriving)
        else:
            self._drop(conn, b"")

    def _take(self, conn: TConn, arriving: Arriving, piece: bytes) -> None:
        try:
            arriving.take(piece)
        except ValueError:
            self._drop(conn, _TOO_LONG)
            return
        except OSError:
            self._drop(conn, _NO_ROOM)  # no room for the file either
            return
        if arriving.whole:
            self._hand_over(conn, arriving)
        elif arriving.length > IN_MEMORY and sum(one.length for one in self.arriving.values()) > MOST_BYTES:
            self._drop(conn, _NO_ROOM)
        elif arriving.expects:
            arriving.expects = False
            _say(conn, _CONTINUE)

    def _hand_over(self, conn: TConn, arriving: Arriving) -> None:
        """Give it a thread, which finds everything here."""
        self._forget(conn)
        arriving.content.seek(0)
        conn.parser.unreader = _Gathered(conn.sock, arriving.content)
        conn.sock.setblocking(True)
        super().enqueue_req(conn)

    def _drop(self, conn: TConn, word: bytes) -> None:
        self._forget(conn).close()
        if word:
            _say(conn, word)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> Arriving:
        self.poller.unregister(conn.sock)
        return self.arriving.pop(conn)

    def murder_pending(self) -> None:
        """Called every second: drop what takes too long; a worker that stops waits for nobody who said nothing."""
        super().murder_pending()
        now = time.monotonic()
        for conn, arriving in list(self.arriving.items()):
            if now >= arriving.deadline or (not self.alive and now >= arriving.began + 2 and not arriving.length):
                self._drop(conn, _TOO_SLOW if arriving.length else b"")


def _bound(sock: socket.socket) -> None:
    """Let nobody hold a thread for ever by not taking the answer, or by being gone without a word."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ANSWER_SECONDS * 1000)
    seconds = ANSWER_SECONDS.to_bytes(8, "little") + bytes(8)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)


def _say(conn: TConn, word: bytes) -> None:
    # Where it does not listen, that is why it is dropped.
    with contextlib.suppress(OSError):
        conn.sock.send(word)
