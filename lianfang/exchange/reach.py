"""How far a key may have read: a durable row a minute, behind which the exact receipts may reach the disk later."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from django.db import connection

from lianfang.exchange.moment import Moment
from lianfang.policy.facts import Subject

LASTS = timedelta(minutes=1)

_lock = Lock()
_noted: dict[tuple[UUID | None, str], datetime] = {}


def note(*, subject: Subject, view: str, moment: Moment) -> None:
    """See to it that a durable row covers whatever this key receives through this door now; mostly nothing is written.

    A row covers everything up to its `head` and everything added within a minute after its `at`.
    """
    key = (subject.token, view)
    last = _noted.get(key)
    if last is not None and last <= moment.at < last + LASTS:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_reach (token, view, at, head) VALUES (%s, %s, %s, %s) ON CONFLICT (token, view)"
            " DO UPDATE SET at = excluded.at, head = excluded.head WHERE exchange_reach.at < excluded.at",
            [subject.token, view, moment.at, moment.epoch.head],
        )
    if not connection.in_atomic_block:
        with _lock:
            _noted[key] = moment.at


def forget() -> None:
    """Drop what this process remembers: a new connection may lead to another database."""
    with _lock:
        _noted.clear()
