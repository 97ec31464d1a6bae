"""What a subject may have, as ids of label rows that a statement can join on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import RLock

from django.db import connection

from lianfang.policy import store
from lianfang.policy.facts import Request, Right, Subject
from lianfang.policy.visible import LabelTable, Profiles


@dataclass(frozen=True, slots=True)
class Visible:
    """Labels that a right holds on. Good while the epoch is the same and `valid_until` has not come."""

    ids: frozenset[int]
    valid_until: datetime | None
    epoch: store.EpochValue


class _Held:
    """The label table as this process last read it, with the answers given on it."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.profiles = Profiles()
        self.epoch: store.EpochValue | None = None
        self.table = LabelTable({})


_held = _Held()


def visible(*, subject: Subject, right: Right, at: datetime, request: Request) -> Visible:
    """Ids of the labels on which `decide` allows this right at this instant, asked in this way."""
    with _held.lock:
        connection.ensure_connection()
        epoch = store.epoch()
        ids, valid_until = _held.profiles.answer(
            table=_table_at(epoch), subject=subject, right=right, at=at, request=request
        )
        return Visible(ids=ids, valid_until=valid_until, epoch=epoch)


def forget() -> None:
    """Drop what this process remembers: a new connection may lead to a restored or failed-over database.

    There, numbers that this process has read may stand for other labels. `apps` calls it on each new connection, which
    is rare, since connections are kept.
    """
    with _held.lock:
        _held.profiles.forget()
        _held.epoch = None
        _held.table = LabelTable({})
    store.forget()


def _table_at(epoch: store.EpochValue) -> LabelTable:
    if connection.in_atomic_block:
        # The epoch that a transaction sees may be its own and never come true; another one may then take its number.
        return LabelTable(store.all_labels())
    if epoch != _held.epoch:
        _held.table = LabelTable(store.all_labels())
        _held.epoch = epoch
    return _held.table
