"""When a request happens, and how things stand then: one statement, or what the last one said, to be confirmed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from django.db import connection

from lianfang.policy.store import EpochValue

_STATEMENT = """
SELECT clock_timestamp(), head, policy, EXISTS (SELECT FROM intel_stop WHERE ended_at IS NULL AND NOT drill)
  FROM policy_epoch WHERE id = 1
"""
_LASTS = 30.0
"""Seconds after which a reading is too old to suppose anything from."""


class Moved(Exception):
    """The policy moved while a request was answered: it is to be decided again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The database's clock, its epoch, and whether the stop of disclosure is on."""

    at: datetime
    epoch: EpochValue
    stop: bool
    assumed: bool = False
    """Not read, but supposed from the last reading; what is decided on it must be confirmed before it leaves."""


class _Last:
    """The last reading of this process, and when it was by the clock that nobody sets."""

    def __init__(self) -> None:
        self.reading: tuple[Moment, float] | None = None


_last = _Last()


def assumed() -> Moment | None:
    """Return this moment as it probably is, or None where this process has read none lately.

    Its clock never runs ahead of the database's but by a change of that clock, which the confirmation notices.
    """
    held = _last.reading
    if held is None or connection.in_atomic_block:
        return None
    moment, read_at = held
    passed = time.monotonic() - read_at
    if passed > _LASTS:
        return None
    return Moment(moment.at + timedelta(seconds=passed), moment.epoch, moment.stop, assumed=True)


def confirmed(moment: Moment, *, at: datetime) -> None:
    """Keep that a moment was true at that instant, for the next one to be supposed from."""
    _last.reading = Moment(at, moment.epoch, moment.stop), time.monotonic()


def forget() -> None:
    """Drop the last reading: a new connection may lead to another database."""
    _last.reading = None


def now() -> Moment:
    """Return this moment. A connection that broke since it was last used is opened anew, once."""
    try:
        return _read()
    except psycopg.OperationalError:
        if connection.in_atomic_block:
            raise
        connection.close()
        return _read()


def _read() -> Moment:
    connection.ensure_connection()
    # On psycopg itself: Django's cursor would first ask the connection whether it works, which this statement tells.
    with psycopg.Cursor(connection.connection) as cursor:
        row = cursor.execute(_STATEMENT, prepare=True).fetchone()
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
    if row is None:
        raise LookupError("the epoch's row is missing: this database was not migrated")
    read = Moment(row[0], EpochValue(row[1], row[2]), row[3])
    if not connection.in_atomic_block:
        confirmed(read, at=read.at)
    return read
