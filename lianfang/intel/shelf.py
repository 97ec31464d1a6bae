"""Entries that a process has read from the database before, kept for the next page that shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

Kept = TypeVar("Kept")
LIMIT = 64 * 1024 * 1024
_OVERHEAD = 600
"""Bytes that an entry takes beside its body, about."""


class Shelf(Generic[Kept]):
    """A bounded memory of entries by (position, whether the source is named); the least used go first.

    A position shows the same version for ever, so what is kept never grows stale; only its label may change, and then
    `drop` takes it out. Who may see a position is never answered here: that is asked of the policy each time.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._lock = Lock()
        self._limit = limit
        self._held: OrderedDict[tuple[int, bool], tuple[Kept, int]] = OrderedDict()
        self._size = 0

    def take(self, wanted: Iterable[tuple[int, bool]]) -> dict[int, Kept]:
        """Return those of the wanted that are here, by position."""
        found: dict[int, Kept] = {}
        with self._lock:
            for key in wanted:
                held = self._held.get(key)
                if held is not None:
                    self._held.move_to_end(key)
                    found[key[0]] = held[0]
        return found

    def put(self, entries: Mapping[tuple[int, bool], Kept], *, sizes: Mapping[tuple[int, bool], int]) -> None:
        """Keep these; `sizes` are the bytes of their bodies."""
        with self._lock:
            for key, entry in entries.items():
                self._remove(key)
                size = sizes[key] + _OVERHEAD
                self._held[key] = (entry, size)
                self._size += size
            while self._size > self._limit:
                self._remove(next(iter(self._held)))

    def drop(self, positions: Iterable[int]) -> None:
        """Forget these positions."""
        with self._lock:
            for position in positions:
                self._remove((position, True))
                self._remove((position, False))

    def _remove(self, key: tuple[int, bool]) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._size -= held[1]
