"""Failures that pass by themselves: the database busy or away, a disk full. Whoever asked is told to ask again.

A lock that was not got, a statement that took too long, a server that restarts, a disk without room: none of these is
an error of this program, and none of them says that the request was wrong. Everything else is an error.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import django.db
import psycopg

__all__ = ["AWAY", "BUSY", "FULL", "Outage", "outage"]


@dataclass(frozen=True, slots=True)
class Outage:
    """What is the matter, and after how many seconds to ask again."""

    name: str
    seconds: int


BUSY = Outage("busy", 5)
"""Somebody else held a lock, or the statement took too long; it was undone whole."""
AWAY = Outage("away", 10)
"""No database, or one that starts, stops or only reads at this moment."""
FULL = Outage("full", 60)
"""No room on a disk, the database's or that of the files."""

# SQLSTATE (PostgreSQL, appendix A): codes, or their classes of two characters.
_STATES = {
    "40001": BUSY, "40P01": BUSY, "55P03": BUSY, "57014": BUSY, "25P03": BUSY, "25P04": BUSY,
    "53100": FULL, "53": AWAY, "08": AWAY, "57P": AWAY, "25006": AWAY, "58030": AWAY,
}  # fmt: skip
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_DISK = {errno.EIO, errno.EROFS}
_LOST = (psycopg.OperationalError, psycopg.InterfaceError, django.db.OperationalError, django.db.InterfaceError)


def outage(error: BaseException | None) -> Outage | None:
    """Return the outage that an exception tells of, itself or by its cause; None for an error of ours."""
    for each in _causes(error):
        if isinstance(each, psycopg.Error):
            if each.sqlstate is not None:
                state = each.sqlstate
                return _STATES.get(state) or _STATES.get(state[:3]) or _STATES.get(state[:2])
            if isinstance(each, _LOST):
                return AWAY
        elif isinstance(each, OSError):
            if each.errno in _NO_ROOM:
                return FULL
            if each.errno in _DISK:
                return AWAY
        elif isinstance(each, _LOST) and each.__cause__ is None:
            return AWAY
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
