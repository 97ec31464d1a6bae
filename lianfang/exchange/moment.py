"""When a request happens, and how things stand then: one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection

from lianfang.policy.store import EpochValue

_STATEMENT = """
SELECT clock_timestamp(), head, policy, EXISTS (SELECT FROM intel_stop WHERE ended_at IS NULL AND NOT drill)
  FROM policy_epoch WHERE id = 1
"""


class Moved(Exception):
    """The policy moved while a request was answered: it is to be decided again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The database's clock, its epoch, and whether the stop of disclosure is on."""

    at: datetime
    epoch: EpochValue
    stop: bool


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
    return Moment(row[0], EpochValue(row[1], row[2]), row[3])
