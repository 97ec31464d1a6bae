"""The exchange log under four writers at once: positions and dates strictly rise, and nobody is overtaken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections

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
