"""Labels in the database, and the epoch.

A label is interned: the same facts have one row for ever. Rows never change, so what a process has read stays true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from django.db import connection, transaction
from django.db.models import F

from lianfang.kernel.canonical import canonical
from lianfang.policy import codec, facts
from lianfang.policy.models import Epoch, Label


@dataclass(frozen=True, slots=True, order=True)
class EpochValue:
    """The epoch as read: position of the log's head, and number of the policy."""

    head: int
    policy: int


class _Cache:
    """Labels this process has read. Ids only of rows that are committed: a rolled-back row is no row."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.labels: dict[int, facts.Label] = {}
        self.ids: dict[facts.Label, int] = {}


_cache = _Cache()


def intern(label: facts.Label) -> int:
    """The id of this label's row, made if there is none yet. Raises ValueError for a naive datetime.

    Call it inside the transaction that writes what the label protects.
    """
    connection.ensure_connection()
    # Equal facts have one digest, so a label that is known needs none; to make one costs a millisecond.
    known = _cache.ids.get(label)
    if known is not None:
        return known
    written = codec.to_json(label)
    label_id = _insert(label, written, codec.digest(written))
    # The row of a transaction that is rolled back is gone: remember it only once it is there to stay.
    transaction.on_commit(lambda: _remember(label_id, label))
    return label_id


def labels(ids: Iterable[int]) -> dict[int, facts.Label]:
    """The facts of these labels; KeyError names the first id that has no row."""
    connection.ensure_connection()
    wanted = set(ids)
    found = {label_id: _cache.labels[label_id] for label_id in wanted & _cache.labels.keys()}
    missing = wanted - found.keys()
    if missing:
        read = _read(Label.objects.filter(pk__in=missing).values_list("pk", "facts"))
        _cache.labels.update(read)
        found.update(read)
    for label_id in wanted - found.keys():
        raise KeyError(label_id)
    return found


def label(label_id: int) -> facts.Label:
    """The facts of one label; KeyError if it has no row."""
    return labels([label_id])[label_id]


def all_labels() -> dict[int, facts.Label]:
    """Every label of the table, read where this process has not read it yet."""
    # Ids are listed rather than counted from the last one: transactions commit in another order than they number.
    return labels(Label.objects.values_list("pk", flat=True).iterator(chunk_size=10_000))


def epoch() -> EpochValue:
    """The epoch in force for this transaction's view."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT head, policy FROM policy_epoch WHERE id = 1")
        return EpochValue(*cursor.fetchone())


def bump_policy() -> None:
    """Say that an existing item's label, a standing, a consent, a token or a group changed.

    Do it last in the transaction: the row is locked until commit, and whoever bumps next waits for it.
    """
    Epoch.objects.filter(pk=1).update(policy=F("policy") + 1)


def bump_head(position: int) -> None:
    """Say that the exchange log reaches this position. Do it last in the transaction."""
    Epoch.objects.filter(pk=1, head__lt=position).update(head=position)


def forget() -> None:
    """Drop what this process remembers."""
    with _cache.lock:
        _cache.labels.clear()
        _cache.ids.clear()


def _insert(label: facts.Label, written: codec.Json, digest: bytes) -> int:
    values = (digest, canonical(written).decode(), int(label.tlp), label.not_before, label.upstream.until)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO policy_label (digest, facts, tlp, not_before, until) VALUES (%s, %s::jsonb, %s, %s, %s)"
            " ON CONFLICT (digest) DO NOTHING RETURNING id",
            values,
        )
        row = cursor.fetchone()
        if row is None:
            # It is there, perhaps committed a moment ago by somebody else; READ COMMITTED sees it now.
            cursor.execute("SELECT id FROM policy_label WHERE digest = %s", [digest])
            row = cursor.fetchone()
    return int(row[0])


def _remember(label_id: int, label: facts.Label) -> None:
    with _cache.lock:
        _cache.ids[label] = label_id
        _cache.labels[label_id] = label


def _read(rows: Iterable[tuple[int, codec.Json]]) -> dict[int, facts.Label]:
    return {label_id: codec.from_json(written) for label_id, written in rows}
