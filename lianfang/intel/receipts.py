"""Receipts: one row an answer, written before the answer leaves, expanding to the exact versions for ever.

A receipt holds positions of the exchange log. A position names one version and never another, so what was delivered
can be told whatever is relabelled, recalled or erased later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
from django.db import connection
from django.db.models import QuerySet
from pyroaring import BitMap

from lianfang.intel.models import LogEntry, Receipt, Version
from lianfang.intel.queries import Page
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.policy.facts import Request, Subject

_TRIES = 5
_WRITE = """
INSERT INTO intel_receipt
       (person, organization, "group", token, channel, view, purpose, lo, hi, positions, mark, at)
SELECT %s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::text, %s::text, %s::text, %s::int8, %s::int8, %s::bytea, %s::uuid,
       %s::timestamptz
  FROM policy_epoch WHERE id = 1 AND policy = coalesce(%s::int8, policy) RETURNING id
"""


def write(
    *,
    by: Subject,
    request: Request,
    positions: Iterable[int],
    at: datetime,
    policy: int | None = None,
    mark: UUID | None = None,
) -> int | None:
    """Write the receipt of one answer and return its number.

    With `policy` (the epoch under which the answer was decided) nothing is written and None returned when the policy
    has moved since: then the answer must not leave, but be made again.
    """
    exact = BitMap(positions)
    if not exact:
        return 0
    connection.ensure_connection()
    # On psycopg itself, prepared: a poll writes one of these, and Django's cursor takes longer than the database.
    with psycopg.Cursor(connection.connection) as cursor:
        row = cursor.execute(
            _WRITE,
            [
                by.person,
                by.pair.organization if by.pair else None,
                by.pair.group if by.pair else None,
                by.token,
                request.channel.value,
                request.view or "",
                request.purpose or (by.caveats.purpose if by.caveats else ""),
                exact.min(),
                exact.max(),
                exact.serialize(),
                mark or uuid4(),
                at,
                policy,
            ],
            prepare=True,
        ).fetchone()
    return int(row[0]) if row else None


def deliver(*, by: Subject, request: Request, at: datetime, make: Callable[[], Page]) -> Page:
    """Make a page and write its receipt under one and the same policy; made again when the policy moved in between.

    Raises Refusal when the policy does not hold still, which somebody who may ask again does.
    """
    for _ in range(_TRIES):
        page = make()
        positions = [item.position for item in page.items]
        if write(by=by, request=request, positions=positions, at=at, policy=page.policy) is not None:
            return page
    raise Refusal(
        Bilingual(zh="規則正在變動，請再試一次。", en="The policy is changing at this moment; please try again."),
        rule="epoch-moving",
    )


def versions_of(receipt: Receipt) -> QuerySet[Version]:
    """Return exactly the versions that this answer delivered."""
    exact = BitMap.deserialize(bytes(receipt.positions))
    return Version.objects.filter(entries__position__in=list(exact)).distinct()


def received_by(version: Version, receipts: QuerySet[Receipt] | None = None) -> Iterator[Receipt]:
    """Yield every receipt (of those given, else of all) by which this version was delivered, oldest first."""
    positions = list(LogEntry.objects.filter(version=version).values_list("position", flat=True))
    if not positions:
        return
    exact = BitMap(positions)
    among = Receipt.objects.all() if receipts is None else receipts
    for receipt in among.filter(hi__gte=exact.min(), lo__lte=exact.max()).order_by("id").iterator():
        if exact.intersect(BitMap.deserialize(bytes(receipt.positions))):
            yield receipt


def received_among(*, subject: Subject, positions: Iterable[int]) -> BitMap:
    """Return those of these positions that the subject's organisation (for this group) ever received.

    One statement, for no position at all too: whether there is something to look for must not show in the work done.
    """
    if subject.pair is None:
        return BitMap()
    exact = BitMap(positions)
    lo, hi = (exact.min(), exact.max()) if exact else (1, 0)
    mine = Receipt.objects.filter(
        organization=subject.pair.organization, group=subject.pair.group, hi__gte=lo, lo__lte=hi
    ).values_list("positions", flat=True)
    return BitMap.union(BitMap(), *(BitMap.deserialize(bytes(one)) & exact for one in mine))


def holds(*, subject: Subject, version: Version) -> bool:
    """Return whether the subject's organisation (for this group) ever received this very version."""
    positions = LogEntry.objects.filter(version=version).values_list("position", flat=True)
    return bool(received_among(subject=subject, positions=positions))
