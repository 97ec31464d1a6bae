"""Pages as they leave, kept under exactly what they hold.

A page is found by the set of its positions, and by which of them name their source. Both are decided anew for every
request before anything is looked for here, so nothing is found that was not allowed a moment before; what a position
shows never changes in one log. A policy that moved (a relabelling, a recall, an erasure) empties the memory all the
same, and so does an index that started anew because the database is another one (restored, failed over).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from django.db import connection
from pyroaring import BitMap

LIMIT = 64 * 1024 * 1024
_OVERHEAD = 1000
"""Bytes that a page takes beside its own, about."""

Key = tuple[str, bytes, bytes]
Under = tuple[int, object]
"""The policy's epoch, and the life of the index of the log."""


@dataclass(frozen=True, slots=True)
class Made:
    """The list of a page, and the dates of its first and last entry as they stand in the headers."""

    listed: bytes
    first: str
    last: str


class Pages:
    """A bounded memory; the page that was not asked for the longest goes first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._lock = Lock()
        self._limit = limit
        self._size = 0
        self._under: Under | None = None
        self._held: OrderedDict[Key, Made] = OrderedDict()

    def take(self, key: Key, *, under: Under) -> Made | None:
        """Return the page, where it was made under this policy and of this log."""
        with self._lock:
            if under != self._under or connection.in_atomic_block:
                return None
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: Key, made: Made, *, under: Under) -> None:
        """Keep a page that was made under this policy, of this log; what a transaction sees may never come true."""
        if connection.in_atomic_block:
            return
        with self._lock:
            if under != self._under:
                self._empty()
                self._under = under
            if key not in self._held:
                self._size += _size(key, made)
            self._held[key] = made
            while self._size > self._limit:
                self._size -= _size(*self._held.popitem(last=False))

    def forget(self) -> None:
        """Drop everything: a new connection may lead to another database."""
        with self._lock:
            self._empty()
            self._under = None

    def _empty(self) -> None:
        self._held.clear()
        self._size = 0


def key(kind: str, *, positions: BitMap, named: BitMap) -> Key:
    """Return under what a page is kept: how it is written, what it holds, and of which entries it tells the source."""
    return kind, positions.serialize(), named.serialize()


def _size(key: Key, made: Made) -> int:
    return len(key[1]) + len(key[2]) + len(made.listed) + _OVERHEAD


PAGES = Pages()
"""The one of this process."""
