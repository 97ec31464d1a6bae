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
    """A bounded memory of entries by (position, whether the source is named); what came first goes first.

    A position shows the same version for ever, so what is kept never grows stale; only its label may change, and then
    `drop` takes it out. Who may see a position is never answered here: that is asked of the policy each time.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._lock = Lock()
        self._limit = limit
        # Of these the first goes in one step; a plain dictionary would look for it past all that went before.
        self._held: OrderedDict[tuple[int, bool], Kept] = OrderedDict()
        self._sizes: dict[tuple[int, bool], int] = {}
        self._size = 0

    def take(self, wanted: Iterable[tuple[int, bool]]) -> dict[int, Kept]:
        """Return those of the wanted that are here, by position."""
        # Without the lock: one look into a dictionary is one step, and an entry that goes meanwhile was there.
        held = self._held
        return {key[0]: entry for key in wanted if (entry := held.get(key)) is not None}

    def put(self, entries: Mapping[tuple[int, bool], Kept], *, sizes: Mapping[tuple[int, bool], int]) -> None:
        """Keep these; `sizes` are the bytes of their bodies."""
        with self._lock:
            for key, entry in entries.items():
                self._remove(key)
                self._held[key] = entry
                self._sizes[key] = sizes[key] + _OVERHEAD
                self._size += sizes[key] + _OVERHEAD
            while self._size > self._limit:
                self._remove(next(iter(self._held)))

    def drop(self, positions: Iterable[int]) -> None:
        """Forget these positions."""
        with self._lock:
            for position in positions:
                self._remove((position, True))
                self._remove((position, False))

    def _remove(self, key: tuple[int, bool]) -> None:
        if self._held.pop(key, None) is not None:
            self._size -= self._sizes.pop(key)
