"""The exchange log under four writers at once: positions and dates strictly rise, and nobody is overtaken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, connections

from lianfang.intel.models import LogEntry, Version
from lianfang.policy import store
from tests.intel.cast import indicator, member, submit


@pytest.mark.django_db(transaction=True)
def test_positions_and_dates_strictly_rise_under_four_writers() -> None:
    writers = [member(f"會員{number}") for number in range(4)]
    shared = f"indicator--{uuid4()}"

    def write(number: int) -> None:
        try:
            for _ in range(4):
                submit(writers[number], *[indicator() for _ in range(10)])
            submit(writers[number], indicator(id=shared))
        finally:
            connections.close_all()

    seen: list[tuple[int, list[int]]] = []

    def read() -> None:
        try:
            for _ in range(40):
                head = store.epoch().head
                seen.append(
                    (head, list(LogEntry.objects.filter(position__lte=head).values_list("position", flat=True)))
                )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(write, number) for number in range(4)] + [pool.submit(read)]
        for job in jobs:
            job.result()
    rows = list(LogEntry.objects.order_by("position").values_list("position", "date_added", "again"))
    assert [row[0] for row in rows] == list(range(1, 165))
    dates = [row[1] for row in rows]
    assert dates == sorted(set(dates))
    assert sum(row[2] for row in rows) == 3
    assert store.epoch().head == 164
    # Whoever had seen a head had seen everything below it that will ever be there.
    for head, positions in seen:
        assert len(positions) == head
    assert Version.objects.count() == 164


def rows_read() -> int:
    """Rows of items, versions and lines that this transaction has read so far, by whatever way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('intel_item', 'intel_version', 'intel_logentry')"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_what_one_submission_reads_does_not_grow_with_what_is_held() -> None:
    """Of a source that brought much, with tables that nobody has analysed; part of it is read under the log's lock."""
    by = member("甲電子")
    for _ in range(3):
        submit(by, *[indicator() for _ in range(500)])
    before = rows_read()
    submit(by, *[indicator() for _ in range(20)])
    assert rows_read() - before < 600
